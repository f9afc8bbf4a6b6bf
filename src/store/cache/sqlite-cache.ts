/** Keeps answers in a SQLite file, so that they outlive the process: those that nobody has asked for longest leave first. */
import { DatabaseSync } from 'node:sqlite';
import type { SQLOutputValue, StatementSync } from 'node:sqlite';
import { entryBytes } from './cache-store.ts';
import type { CacheEntry, CacheSize, CacheStore, KeptQuestion } from './cache-store.ts';
import { toVector, vectorBytes } from './vectors.ts';

export interface SqliteCacheOptions {
  readonly path: string;
  /** Of all entries; the file is a little larger. */
  readonly bytesMax: number;
  readonly nowEpochMs: () => number;
}

const version = 1;
const busyTimeoutMs = 5000;
const settings =
  'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 4194304';
/** `used` counts uses, so that the order is that of the last ones. `expires` is null for what never does. */
const tables = `CREATE TABLE entries (
  key TEXT PRIMARY KEY,
  body TEXT NOT NULL,
  stored INTEGER NOT NULL,
  expires INTEGER,
  space TEXT,
  vector BLOB,
  bytes INTEGER NOT NULL,
  used INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX entries_by_use ON entries (used);
CREATE INDEX entries_by_expiry ON entries (expires) WHERE expires IS NOT NULL;
CREATE INDEX entries_by_space ON entries (space, stored) WHERE space IS NOT NULL`;

/** Where answers are kept beside a file of activity, so that either can be removed without the other. */
export function cachePath(storePath: string): string {
  return `${storePath}.cache`;
}

export class SqliteCache implements CacheStore {
  readonly #options: SqliteCacheOptions;
  readonly #database: DatabaseSync;
  readonly #statements: Statements;
  #entries = 0;
  #bytes = 0;
  #uses = 0;

  /** @throws Error when the file cannot be opened, is none of ours, or was written by a newer version. */
  constructor(options: SqliteCacheOptions) {
    this.#options = options;
    this.#database = open(options.path);
    this.#statements = new Statements(this.#database);
    this.#count();
    this.sweep();
    this.#makeRoom();
  }

  get(key: string): Promise<CacheEntry | undefined> {
    return attempt(() => {
      const row = this.#statements.select.get(key);
      if (row === undefined) return undefined;
      const entry = toEntry(row);
      if (entry.expiresEpochMs <= this.#options.nowEpochMs()) {
        this.#remove(key);
        return undefined;
      }
      this.#statements.use.run(this.#nextUse(), key);
      return entry;
    });
  }

  set(entry: CacheEntry): Promise<boolean> {
    return attempt(() => {
      const bytes = entryBytes(entry);
      if (bytes > this.#options.bytesMax) return false;
      const { key, body, storedEpochMs, expiresEpochMs, likeness } = entry;
      this.#remove(key);
      this.#statements.insert.run(
        key,
        body,
        Math.round(storedEpochMs),
        Number.isFinite(expiresEpochMs) ? Math.round(expiresEpochMs) : null,
        likeness?.space ?? null,
        likeness === undefined ? null : vectorBytes(likeness.vector),
        bytes,
        this.#nextUse(),
      );
      this.#entries += 1;
      this.#bytes += bytes;
      this.#makeRoom();
      return true;
    });
  }

  delete(key: string): Promise<boolean> {
    return attempt(() => this.#remove(key));
  }

  clear(): Promise<void> {
    return attempt(() => {
      this.#database.exec('DELETE FROM entries');
      this.#count();
    });
  }

  questions(space: string, max: number): Promise<readonly KeptQuestion[]> {
    return attempt(() =>
      this.#statements.questions
        .all(space, this.#options.nowEpochMs(), max)
        .map((row) => ({ key: String(row['key']), vector: toVector(row['vector'] as Uint8Array) })),
    );
  }

  size(): CacheSize {
    return { entries: this.#entries, bytes: this.#bytes };
  }

  sweep(): void {
    if (!this.#database.isOpen) return;
    for (const row of this.#statements.removeExpired.all(this.#options.nowEpochMs())) this.#forget(row);
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  #makeRoom(): void {
    while (this.#bytes > this.#options.bytesMax && this.#entries > 0) {
      const row = this.#statements.removeUnused.get();
      if (row === undefined) return;
      this.#forget(row);
    }
  }

  #remove(key: string): boolean {
    const row = this.#statements.remove.get(key);
    if (row !== undefined) this.#forget(row);
    return row !== undefined;
  }

  #forget(row: Row): void {
    this.#entries -= 1;
    this.#bytes -= Number(row['bytes']);
  }

  #nextUse(): number {
    this.#uses += 1;
    return this.#uses;
  }

  #count(): void {
    const sums = this.#database
      .prepare('SELECT count(*) AS entries, total(bytes) AS bytes, max(used) AS used FROM entries')
      .get();
    this.#entries = Number(sums?.['entries'] ?? 0);
    this.#bytes = Number(sums?.['bytes'] ?? 0);
    this.#uses = Number(sums?.['used'] ?? 0);
  }
}

type Row = Readonly<Record<string, SQLOutputValue>>;

class Statements {
  readonly select: StatementSync;
  readonly use: StatementSync;
  readonly insert: StatementSync;
  readonly remove: StatementSync;
  readonly removeUnused: StatementSync;
  readonly removeExpired: StatementSync;
  readonly questions: StatementSync;

  constructor(database: DatabaseSync) {
    this.select = database.prepare(
      'SELECT key, body, stored, expires, space, vector FROM entries WHERE key = ?',
    );
    this.use = database.prepare('UPDATE entries SET used = ? WHERE key = ?');
    this.insert = database.prepare(
      'INSERT INTO entries (key, body, stored, expires, space, vector, bytes, used) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    );
    this.remove = database.prepare('DELETE FROM entries WHERE key = ? RETURNING bytes');
    this.removeUnused = database.prepare(
      'DELETE FROM entries WHERE key = (SELECT key FROM entries ORDER BY used LIMIT 1) RETURNING bytes',
    );
    this.removeExpired = database.prepare('DELETE FROM entries WHERE expires <= ? RETURNING bytes');
    this.questions = database.prepare(
      'SELECT key, vector FROM entries WHERE space = ? AND (expires IS NULL OR expires > ?) ORDER BY stored DESC LIMIT ?',
    );
  }
}

function toEntry(row: Row): CacheEntry {
  const { key, body, stored, expires, space, vector } = row;
  return {
    key: String(key),
    body: String(body),
    storedEpochMs: Number(stored),
    expiresEpochMs: expires === null ? Number.POSITIVE_INFINITY : Number(expires),
    likeness:
      typeof space === 'string' && vector instanceof Uint8Array
        ? { space, vector: toVector(vector) }
        : undefined,
  };
}

/** What a call throws is for whoever waits for it. */
function attempt<Value>(call: () => Value): Promise<Value> {
  return new Promise((resolve) => {
    resolve(call());
  });
}

/** @throws Error */
function open(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: busyTimeoutMs });
  try {
    database.exec(settings);
    const { user_version: found } = database.prepare('PRAGMA user_version').get() as { user_version: number };
    if (found > version) throw new Error(`The cache is of a newer version (${found})`);
    if (found === 0) database.exec(`BEGIN; ${tables}; PRAGMA user_version = ${version}; COMMIT`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}
