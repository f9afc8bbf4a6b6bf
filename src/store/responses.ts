/**
 * Owns the answers of the Responses API that later requests may go on from, in memory or in a file, bounded by count,
 * size and age. Who asks sees only what the same flow stored. Knows nothing of what the items mean.
 */
import { DatabaseSync } from 'node:sqlite';
import type { StatementSync } from 'node:sqlite';
import { parseExactJson } from '../base/exact-json.ts';
import type { FlowId } from '../domain/ids.ts';

export interface ResponsesOptions {
  /** undefined = in memory. */
  readonly path: string | undefined;
  /** The oldest ones leave; 0 = none are kept. */
  readonly rowsMax: number;
  /** Of the JSON text of all of them. */
  readonly bytesMax: number;
  /** Older ones leave; Infinity = never. */
  readonly ageMsMax: number;
  readonly nowEpochMs: () => number;
  /** A response could not be written (the disk is full …) and is lost. */
  readonly onLost: (error: unknown) => void;
  readonly onWritten?: () => void;
}

type JsonObject = Readonly<Record<string, unknown>>;

export interface StoredResponse {
  /** All items that the model was given: those of earlier responses, too. */
  readonly input: readonly JsonObject[];
  /** The response as its client got it, the items of its output in it. */
  readonly response: JsonObject;
}

export interface ResponseKey {
  readonly flow: FlowId;
  readonly id: string;
}

const inMemory = ':memory:';
const version = 1;
const busyTimeoutMs = 5000;
const fileSettings =
  'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 4194304';
const table = `CREATE TABLE responses (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  flow TEXT NOT NULL,
  id TEXT NOT NULL,
  stored INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  input TEXT NOT NULL,
  response TEXT NOT NULL,
  UNIQUE (flow, id)
) STRICT`;

/** Where responses are kept beside a file of activity, so that either can be removed without the other. */
export function responsesPath(storePath: string): string {
  return `${storePath}.responses`;
}

export class Responses {
  #options: ResponsesOptions;
  #database: DatabaseSync;
  #statements: Statements;
  #rows: number;
  #bytes: number;

  /** @throws Error when the file cannot be opened. */
  constructor(options: ResponsesOptions) {
    this.#options = options;
    const { database, statements, rows, bytes } = open(options.path ?? inMemory);
    this.#database = database;
    this.#statements = statements;
    this.#rows = rows;
    this.#bytes = bytes;
    this.#sweep();
  }

  /** Takes over other limits; another path begins another store. @throws Error when it cannot be opened; then nothing changes. */
  configure(options: ResponsesOptions): void {
    if (options.path !== this.#options.path) {
      const { database, statements, rows, bytes } = open(options.path ?? inMemory);
      this.close();
      this.#database = database;
      this.#statements = statements;
      this.#rows = rows;
      this.#bytes = bytes;
    }
    this.#options = options;
    this.#sweep();
  }

  /** Whether anything is kept at all. */
  get isKeeping(): boolean {
    return this.#options.rowsMax > 0;
  }

  /** A response with the same key is replaced. False when it is larger than all of the store, or could not be written. */
  put({ flow, id }: ResponseKey, { input, response }: StoredResponse): boolean {
    const { rowsMax, bytesMax, nowEpochMs, onLost } = this.#options;
    if (rowsMax === 0 || !this.#database.isOpen) return false;
    const [inputText, responseText] = [JSON.stringify(input), JSON.stringify(response)];
    const bytes = Buffer.byteLength(inputText) + Buffer.byteLength(responseText);
    if (bytes > bytesMax) return false;
    try {
      this.delete({ flow, id });
      this.#statements.insert.run(flow, id, Math.round(nowEpochMs()), bytes, inputText, responseText);
      this.#rows += 1;
      this.#bytes += bytes;
      this.#sweep();
      this.#options.onWritten?.();
      return true;
    } catch (error) {
      onLost(error);
      return false;
    }
  }

  /** undefined = it was never stored by this flow, was deleted, or had to leave. */
  get({ flow, id }: ResponseKey): StoredResponse | undefined {
    if (!this.#database.isOpen) return undefined;
    const row = this.#statements.select.get(flow, id);
    if (row === undefined || Number(row['stored']) < this.#fromEpochMs()) return undefined;
    return {
      input: parseExactJson(String(row['input'])) as readonly JsonObject[],
      response: parseExactJson(String(row['response'])) as JsonObject,
    };
  }

  /** False when there was none. */
  delete({ flow, id }: ResponseKey): boolean {
    if (!this.#database.isOpen) return false;
    const row = this.#statements.remove.get(flow, id);
    if (row === undefined) return false;
    this.#forget(Number(row['bytes']));
    return true;
  }

  /** Idempotent. */
  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  #fromEpochMs(): number {
    return this.#options.nowEpochMs() - this.#options.ageMsMax;
  }

  /** Removes what is beyond the limits, the oldest first. */
  #sweep(): void {
    const { rowsMax, bytesMax } = this.#options;
    const fromEpochMs = this.#fromEpochMs();
    while (this.#rows > 0) {
      const oldest = this.#statements.oldest.get();
      const isFull = this.#rows > rowsMax || this.#bytes > bytesMax;
      if (oldest === undefined || (!isFull && Number(oldest['stored']) >= fromEpochMs)) return;
      this.#statements.removeOldest.run(oldest['seq'] ?? null);
      this.#forget(Number(oldest['bytes']));
    }
  }

  #forget(bytes: number): void {
    this.#rows -= 1;
    this.#bytes -= bytes;
  }
}

class Statements {
  readonly insert: StatementSync;
  readonly select: StatementSync;
  readonly remove: StatementSync;
  readonly oldest: StatementSync;
  readonly removeOldest: StatementSync;

  constructor(database: DatabaseSync) {
    this.insert = database.prepare(
      'INSERT INTO responses (flow, id, stored, bytes, input, response) VALUES (?, ?, ?, ?, ?, ?)',
    );
    this.select = database.prepare('SELECT stored, input, response FROM responses WHERE flow = ? AND id = ?');
    this.remove = database.prepare('DELETE FROM responses WHERE flow = ? AND id = ? RETURNING bytes');
    this.oldest = database.prepare('SELECT seq, stored, bytes FROM responses ORDER BY seq LIMIT 1');
    this.removeOldest = database.prepare('DELETE FROM responses WHERE seq = ?');
  }
}

interface Opened {
  readonly database: DatabaseSync;
  readonly statements: Statements;
  readonly rows: number;
  readonly bytes: number;
}

/** @throws Error when the file cannot be opened or read, is none of ours, or was written by a newer version. */
function open(path: string): Opened {
  const database = new DatabaseSync(path, { timeout: busyTimeoutMs });
  try {
    if (path !== inMemory) database.exec(fileSettings);
    const { user_version: found } = database.prepare('PRAGMA user_version').get() as { user_version: number };
    if (found > version) throw new Error(`The store is of a newer version (${found})`);
    if (found === 0) database.exec(`BEGIN; ${table}; PRAGMA user_version = ${version}; COMMIT`);
    const sums = database.prepare('SELECT count(*) AS rows, total(bytes) AS bytes FROM responses').get();
    const [rows, bytes] = [Number(sums?.['rows'] ?? 0), Number(sums?.['bytes'] ?? 0)];
    return { database, statements: new Statements(database), rows, bytes };
  } catch (error) {
    database.close();
    throw error;
  }
}
