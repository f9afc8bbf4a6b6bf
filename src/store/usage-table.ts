/**
 * The SQLite tables of the accounts: minutes, hours and days with the same columns. What a request used is in exactly
 * one row of one of them, so that sums over all three are always whole. Knows no queries beyond opening and adding.
 */
import { DatabaseSync } from 'node:sqlite';
import type { SQLOutputValue, StatementSync } from 'node:sqlite';
import type { UsageCounts, UsageKey } from './usage-entry.ts';

/** From the finest to the coarsest; `seconds`: how much time one row stands for. */
export const grains = [
  { table: 'usage_minute', seconds: 60 },
  { table: 'usage_hour', seconds: 3600 },
  { table: 'usage_day', seconds: 86_400 },
] as const;

export type Grain = (typeof grains)[number];

export const keyColumns = [
  'flow',
  'backend',
  'model',
  'dialect',
] as const satisfies readonly (keyof UsageKey)[];

export const countColumns = {
  inputTokens: 'input_tokens',
  outputTokens: 'output_tokens',
  cachedTokens: 'cached_tokens',
  reasoningTokens: 'reasoning_tokens',
  requests: 'requests',
  errors: 'errors',
  estimated: 'estimated',
} as const satisfies Record<keyof UsageCounts, string>;

export const countNames = Object.values(countColumns);
/** Seconds since 1970 and the key: what tells the rows of a table apart. */
export const rowKey = ['start', ...keyColumns].join(', ');
export const sumsOfCounts = countNames.map((name) => `sum(${name}) AS ${name}`).join(', ');
/** For an INSERT that meets a row which is there already. */
export const addToRow = `ON CONFLICT (${rowKey}) DO UPDATE SET ${countNames
  .map((name) => `${name} = ${name} + excluded.${name}`)
  .join(', ')}`;

const inMemory = ':memory:';
const version = 1;
const busyTimeoutMs = 5000;
const fileSettings =
  'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 4194304';

/** Where the accounts are kept beside a file of activity, so that either can be removed without the other. */
export function usagePath(storePath: string): string {
  return `${storePath}.usage`;
}

/** @throws Error when the file cannot be opened, is none of ours, or was written by a newer version. */
export function openUsageTables(path: string | undefined): DatabaseSync {
  const database = new DatabaseSync(path ?? inMemory, { timeout: busyTimeoutMs });
  try {
    if (path !== undefined) database.exec(fileSettings);
    const { user_version: found } = database.prepare('PRAGMA user_version').get() as { user_version: number };
    if (found > version) throw new Error(`The store is of a newer version (${found})`);
    if (found === 0) {
      const tables = grains.map(({ table }) => definitionOf(table)).join('; ');
      database.exec(`BEGIN; ${tables}; PRAGMA user_version = ${version}; COMMIT`);
    }
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Takes the start of a minute in seconds, the key and the counts, in the order of the columns. */
export function prepareAdding(database: DatabaseSync): StatementSync {
  const places = ['?', ...keyColumns.map(() => '?'), ...countNames.map(() => '?')].join(', ');
  return database.prepare(
    `INSERT INTO ${grains[0].table} (${rowKey}, ${countNames.join(', ')}) VALUES (${places}) ${addToRow}`,
  );
}

/** Runs the steps as one: all of them happen, or none. @throws what a step throws. */
export function inTransaction<Result>(database: DatabaseSync, steps: () => Result): Result {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = steps();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

export function toCounts(row: Readonly<Record<string, SQLOutputValue>>): UsageCounts {
  const of = (field: keyof UsageCounts): number => Number(row[countColumns[field]] ?? 0);
  return {
    inputTokens: of('inputTokens'),
    outputTokens: of('outputTokens'),
    cachedTokens: of('cachedTokens'),
    reasoningTokens: of('reasoningTokens'),
    requests: of('requests'),
    errors: of('errors'),
    estimated: of('estimated'),
  };
}

function definitionOf(table: string): string {
  const keys = keyColumns.map((name) => `${name} TEXT NOT NULL`);
  const counts = countNames.map((name) => `${name} INTEGER NOT NULL`);
  const columns = ['start INTEGER NOT NULL', ...keys, ...counts, `PRIMARY KEY (${rowKey})`];
  return `CREATE TABLE ${table} (${columns.join(', ')}) STRICT, WITHOUT ROWID`;
}
