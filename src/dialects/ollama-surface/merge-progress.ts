/**
 * Several backends do the same with a model (pull, push, create), each with its own NDJSON stream of progress: their
 * client gets one, as from a single Ollama. Pure; memory is bounded by the number of layers.
 */
import { LineOverflow, LineReader } from '../../base/line-reader.ts';
import { countOf, isObject, textOf } from '../ir/fields.ts';
import type { JsonObject } from '../ir/request.ts';
import { readErrorMember } from '../ollama/errors.ts';

export interface ProgressMergerOptions {
  /** In the order in which they are named. */
  readonly backends: readonly string[];
  /** Gets the client's next line, with its line feed. */
  readonly onLine: (line: string) => void;
}

/** How it went, once all are over. */
export interface ProgressOutcome {
  readonly succeeded: readonly string[];
  readonly failed: ReadonlyMap<string, string>;
}

interface Layer {
  readonly total: number;
  readonly completed: number;
}

const lineBytesMax = 1024 * 1024;
/** Layers and states of a model are a few dozens; what goes beyond this is no progress of one. */
const entriesMax = 4096;
const success = 'success';

/**
 * A status shows when the first backend comes to it, a layer with the sums of all backends that have it: both only ever
 * grow. `success` shows when the last backend has come to it, else the error that names who failed and who did not.
 */
export class ProgressMerger {
  readonly #backends: readonly string[];
  readonly #onLine: (line: string) => void;
  readonly #readers = new Map<string, LineReader>();
  readonly #outcomes = new Map<string, string>();
  readonly #shown = new Set<string>();
  /** By digest, then by backend. */
  readonly #layers = new Map<string, Map<string, Layer>>();

  constructor({ backends, onLine }: ProgressMergerOptions) {
    this.#backends = backends;
    this.#onLine = onLine;
    for (const backend of backends) {
      const reader = new LineReader({ onLine: (line) => this.#read(backend, line), lineBytesMax });
      this.#readers.set(backend, reader);
    }
  }

  /** Undefined while one of them is not over. */
  get outcome(): ProgressOutcome | undefined {
    if (this.#outcomes.size < this.#backends.length) return undefined;
    const failed = new Map([...this.#outcomes].filter(([, error]) => error !== ''));
    return { succeeded: this.#backends.filter((backend) => !failed.has(backend)), failed };
  }

  /** The next bytes of a backend's stream. */
  push(backend: string, chunk: Buffer): void {
    if (this.#outcomes.has(backend)) return;
    try {
      this.#readers.get(backend)?.push(chunk);
    } catch (error) {
      if (!(error instanceof LineOverflow)) throw error;
      this.fail(backend, error.message);
    }
  }

  /** The backend's stream came to its end. */
  end(backend: string): void {
    if (this.#outcomes.has(backend)) return;
    this.#readers.get(backend)?.end();
    this.fail(backend, 'its answer ended before its end');
  }

  /** The backend cannot be reached, or its answer is an error. The first thing said of a backend's end holds. */
  fail(backend: string, error: string): void {
    this.#finish(backend, error === '' ? 'it failed without saying why' : error);
  }

  #read(backend: string, text: string): void {
    if (this.#outcomes.has(backend)) return;
    const line = tryParse(text);
    if (line === undefined) {
      this.fail(backend, 'it sent a line that is no JSON object');
      return;
    }
    if ('error' in line) {
      this.fail(backend, readErrorMember(line['error']).message);
      return;
    }
    const status = textOf(line['status']);
    if (status === success) this.#finish(backend, '');
    else if (typeof line['digest'] === 'string') this.#showLayer(backend, line['digest'], line);
    else if (status !== '') this.#showStatus(backend, status, line);
  }

  #showStatus(backend: string, status: string, line: JsonObject): void {
    if (this.#shown.has(status) || this.#shown.size >= entriesMax) return;
    this.#shown.add(status);
    this.#write({ ...line, backends: [backend] });
  }

  #showLayer(backend: string, digest: string, line: JsonObject): void {
    const layers = this.#layers.get(digest) ?? new Map<string, Layer>();
    if (layers.size === 0 && this.#layers.size >= entriesMax) return;
    this.#layers.set(digest, layers);
    const before = layers.get(backend);
    // A download that is taken up again begins below where it was.
    layers.set(backend, {
      total: Math.max(countOf(line['total']) ?? 0, before?.total ?? 0),
      completed: Math.max(countOf(line['completed']) ?? 0, before?.completed ?? 0),
    });
    const all = [...layers.values()];
    this.#write({
      ...line,
      total: sum(all.map(({ total }) => total)),
      completed: sum(all.map(({ completed }) => completed)),
      backends: this.#backends.filter((name) => layers.has(name)),
    });
  }

  #finish(backend: string, error: string): void {
    if (this.#outcomes.has(backend)) return;
    this.#outcomes.set(backend, error);
    const { outcome } = this;
    if (outcome !== undefined) this.#write(lastLine(outcome));
  }

  #write(line: JsonObject): void {
    this.#onLine(`${JSON.stringify(line)}\n`);
  }
}

/** The line that ends a client's stream, and the whole answer for a client that wants no stream. */
export function lastLine({ succeeded, failed }: ProgressOutcome): JsonObject {
  if (failed.size === 0) return { status: success, backends: succeeded };
  const errors = Array.from(failed, ([backend, error]) => `backend ${backend}: ${error}`).join('; ');
  const rest = succeeded.length === 0 ? '' : ` (succeeded: ${succeeded.join(', ')})`;
  return { error: errors + rest, backends: succeeded };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function tryParse(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
