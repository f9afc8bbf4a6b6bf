/**
 * Reads token counts, timings and the proper end of an answer on the side. While chunks pass it only keeps references to
 * the first and the last of them; everything else happens once, at the end. Never touches what is relayed.
 */
import type { RouteName } from '../domain/routes.ts';
import type { EngineTimings, TokenUsage } from '../store/request-record.ts';
import { readStreamEnd } from './stream-end.ts';
import { findTimings, findUsage, usageOfTimings } from './usage-numbers.ts';

export interface UsageReaderOptions {
  readonly route: RouteName;
  /** The answer is an event stream; else one JSON document or something opaque. */
  readonly sse: boolean;
  /** Chat and completion streams of this engine end with `[DONE]` (see EngineKind.endsWithDone). */
  readonly doneRequired: boolean;
}

export interface UsageResult {
  /** undefined = the engine gave no numbers and there was nothing to count. */
  readonly usage: TokenUsage | undefined;
  readonly timings: EngineTimings | undefined;
  /** The stream has its end mark and no error; always true for what is no stream: there the framing tells. */
  readonly complete: boolean;
  /** The error that the engine reported inside the stream. */
  readonly streamError: string | undefined;
}

export interface UsageReader {
  /** Keeps a reference to the chunk, no copy. */
  push(chunk: Buffer): void;
  /** Call it once, after the last chunk, also when the answer broke off. */
  finish(): UsageResult;
}

/** Holds Anthropic's first event, and the usage of an embeddings answer, which comes before the data. */
const headBytes = 4 * 1024;
const tailBytes = 16 * 1024;

export function createUsageReader(options: UsageReaderOptions): UsageReader {
  return new SideReader(options);
}

class SideReader implements UsageReader {
  readonly #route: RouteName;
  readonly #sse: boolean;
  readonly #doneRequired: boolean;
  readonly #head: Buffer[] = [];
  #headBytes = 0;
  /** Two generations: when the newer one is long enough the older one goes. No shifting, no copying. */
  #older: Buffer[] = [];
  #newer: Buffer[] = [];
  #newerBytes = 0;
  #totalBytes = 0;

  constructor(options: UsageReaderOptions) {
    this.#route = options.route;
    this.#sse = options.sse;
    this.#doneRequired = options.doneRequired;
  }

  push(chunk: Buffer): void {
    this.#totalBytes += chunk.length;
    if (this.#headBytes < headBytes) {
      this.#head.push(chunk);
      this.#headBytes += chunk.length;
    }
    if (this.#newerBytes >= tailBytes) {
      this.#older = this.#newer;
      this.#newer = [];
      this.#newerBytes = 0;
    }
    this.#newer.push(chunk);
    this.#newerBytes += chunk.length;
  }

  finish(): UsageResult {
    const head = Buffer.concat(this.#head).subarray(0, headBytes);
    const tail = Buffer.concat([...this.#older, ...this.#newer]).subarray(-tailBytes);
    const timings = findTimings(tail);
    const usage = this.#usage(head, tail) ?? (timings === undefined ? undefined : usageOfTimings(timings));
    if (!this.#sse) return { usage, timings, complete: true, streamError: undefined };
    const { complete, error } = readStreamEnd({
      route: this.#route,
      tail,
      hasUsage: usage !== undefined,
      doneRequired: this.#doneRequired,
    });
    return { usage: usage ?? this.#estimate(tail), timings, complete, streamError: error };
  }

  #usage(head: Buffer, tail: Buffer): TokenUsage | undefined {
    const last = findUsage(tail);
    if (this.#sse && this.#route === 'messages') {
      // The first event counts the input, the last one the output.
      const first = findUsage(head, 'start');
      if (first === undefined || last === undefined) return last ?? first;
      return last.inputTokens > 0 ? last : { ...first, outputTokens: last.outputTokens };
    }
    return last ?? (this.#sse ? undefined : findUsage(head, 'start'));
  }

  /** About one token an event, as dense in the whole stream as in its last bytes. */
  #estimate(tail: Buffer): TokenUsage | undefined {
    if (tail.length === 0) return undefined;
    let events = 0;
    for (let at = tail.indexOf('\ndata:'); at !== -1; at = tail.indexOf('\ndata:', at + 1)) events += 1;
    if (tail.length === this.#totalBytes && tail.indexOf('data:') === 0) events += 1;
    const outputTokens = Math.round((events * this.#totalBytes) / tail.length);
    return { inputTokens: 0, outputTokens, cachedTokens: 0, estimated: true };
  }
}
