/**
 * Owns what keys have used of their budgets, in a file or for as long as the program runs. Written within a second, away
 * from the requests; what runs counts as what it reserved, so that a crash charges too much rather than too little.
 */
import { DatabaseSync } from 'node:sqlite';
import type { StatementSync } from 'node:sqlite';
import type { BudgetPeriod } from './token-budget.ts';

export interface KeyUseOptions {
  /** undefined = nothing is kept. */
  readonly path: string | undefined;
  /** Sums could not be read, or not written (the disk is full …); those are tried again with the next ones. */
  readonly onFault: (error: unknown) => void;
  readonly onWritten?: () => void;
}

/** One budget of one key in one window. */
export interface UseEntry {
  readonly key: string;
  readonly period: BudgetPeriod;
  readonly startEpochMs: number;
}

const flushMs = 500;
const busyTimeoutMs = 5000;
const version = 1;
/** Windows kept of each budget: three months of days. */
const windowsMax = 92;
const fileSettings = 'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL';
const table = `CREATE TABLE key_use (
  key TEXT NOT NULL,
  period TEXT NOT NULL,
  start INTEGER NOT NULL,
  tokens INTEGER NOT NULL,
  PRIMARY KEY (key, period, start)
) STRICT, WITHOUT ROWID`;

/** Where the sums are kept beside a file of activity. */
export function keyUsePath(storePath: string): string {
  return `${storePath}.keys`;
}

interface Open {
  readonly database: DatabaseSync;
  readonly select: StatementSync;
  readonly upsert: StatementSync;
}

export class KeyUse {
  readonly #options: KeyUseOptions;
  readonly #open: Open | undefined;
  readonly #pending = new Map<string, UseEntry & { readonly tokens: number }>();
  #timer: NodeJS.Timeout | undefined;

  /** @throws Error when the file cannot be opened, or was written by a newer version. */
  constructor(options: KeyUseOptions) {
    const { path } = options;
    this.#options = options;
    this.#open = path === undefined ? undefined : openFile(path);
  }

  /** Tokens of a window; 0 = none are known. */
  load(entry: UseEntry): number {
    const pending = this.#pending.get(idOf(entry));
    if (pending !== undefined) return pending.tokens;
    const { key, period, startEpochMs } = entry;
    try {
      return Number(this.#open?.select.get(key, period, startEpochMs)?.['tokens'] ?? 0);
    } catch (error) {
      // Nobody is refused for a file that cannot be read.
      this.#options.onFault(error);
      return 0;
    }
  }

  /** Takes over the sum of a window. */
  set(entry: UseEntry, tokens: number): void {
    if (this.#open === undefined) return;
    this.#pending.set(idOf(entry), { ...entry, tokens });
    this.#timer ??= setTimeout(() => this.#flush(), flushMs).unref();
  }

  /** Writes what is pending. Idempotent. */
  close(): void {
    if (this.#open?.database.isOpen !== true) return;
    this.#flush();
    this.#open.database.close();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { database, upsert } = this.#open ?? {};
    if (database?.isOpen !== true || this.#pending.size === 0) return;
    try {
      database.exec('BEGIN');
      for (const { key, period, startEpochMs, tokens } of this.#pending.values()) {
        upsert?.run(key, period, startEpochMs, tokens);
      }
      database.exec('COMMIT');
      this.#pending.clear();
      this.#options.onWritten?.();
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK');
      this.#options.onFault(error);
    }
  }
}

function openFile(path: string): Open {
  const database = new DatabaseSync(path, { timeout: busyTimeoutMs });
  try {
    database.exec(fileSettings);
    const { user_version: found } = database.prepare('PRAGMA user_version').get() as { user_version: number };
    if (found > version) throw new Error(`The file of budgets is of a newer version (${found})`);
    if (found === 0) database.exec(`BEGIN; ${table}; PRAGMA user_version = ${version}; COMMIT`);
    // By count, not by age: a clock that is wrong today must not remove what is right.
    database.exec(`DELETE FROM key_use WHERE (key, period, start) IN (
      SELECT key, period, start FROM (
        SELECT key, period, start, row_number() OVER (PARTITION BY key, period ORDER BY start DESC) AS place
        FROM key_use) WHERE place > ${windowsMax})`);
    return {
      database,
      select: database.prepare('SELECT tokens FROM key_use WHERE key = ? AND period = ? AND start = ?'),
      upsert: database.prepare(
        'INSERT INTO key_use (key, period, start, tokens) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET tokens = excluded.tokens',
      ),
    };
  } catch (error) {
    database.close();
    throw error;
  }
}

function idOf({ key, period, startEpochMs }: UseEntry): string {
  return `${period} ${startEpochMs} ${key}`;
}
