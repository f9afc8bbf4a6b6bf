/**
 * Makes old accounts coarser, and forgets the oldest: minutes become hours, hours days. One bounded batch a call, each one
 * transaction, so that a crash at any moment neither loses a request nor counts it twice.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { UsageCounts, UsageKey } from './usage-entry.ts';
import {
  addToRow,
  countNames,
  grains,
  inTransaction,
  keyColumns,
  rowKey,
  sumsOfCounts,
  toCounts,
} from './usage-table.ts';
import type { Grain } from './usage-table.ts';

/** Ages in ms; Infinity = never. */
export interface UsageRetention {
  /** Older minutes become hours. */
  readonly minutesMs: number;
  /** Older hours become days. */
  readonly hoursMs: number;
  /** What is older is forgotten, however coarse it is. */
  readonly ageMsMax: number;
  /** Most rows of each grain: beyond that the oldest become coarser, and the oldest days are forgotten. */
  readonly rowsMax: number;
}

export interface Forgotten {
  readonly key: Pick<UsageKey, 'backend' | 'model'>;
  readonly counts: UsageCounts;
}

export interface CompactionResult {
  readonly forgotten: readonly Forgotten[];
  readonly hasMore: boolean;
}

/** Rows that move or leave in one go: that takes some milliseconds. */
const batchRows = 2000;

/** @throws Error when the file cannot be written; the batch that failed has changed nothing then. */
export function compactUsage(
  database: DatabaseSync,
  retention: UsageRetention,
  nowEpochMs: number,
): CompactionResult {
  const [minute, hour, day] = grains;
  const endsS = (ageMs: number): number => (nowEpochMs - ageMs) / 1000;
  const counts: number[] = [];
  const forgotten = grains.flatMap((grain) => {
    const rows = rowsUntil(database, grain, endsS(retention.ageMsMax));
    counts.push(rows);
    return forget(database, grain, rows);
  });
  for (const [from, into, ageMs] of [
    [minute, hour, retention.minutesMs],
    [hour, day, retention.hoursMs],
  ] as const) {
    const rows = Math.max(
      rowsUntil(database, from, endsS(ageMs)),
      rowsBeyond(database, from, retention.rowsMax),
    );
    counts.push(rows);
    coarsen(database, { from, into, rows });
  }
  const rows = rowsBeyond(database, day, retention.rowsMax);
  forgotten.push(...forget(database, day, rows));
  return { forgotten, hasMore: [...counts, rows].some((count) => count > batchRows) };
}

/** Rows whose time was over at `endS`, up to one more than a batch. */
function rowsUntil(database: DatabaseSync, { table, seconds }: Grain, endS: number): number {
  const found = `SELECT 1 FROM ${table} WHERE start <= ? LIMIT ${batchRows + 1}`;
  return Number(database.prepare(`SELECT count(*) AS rows FROM (${found})`).get(endS - seconds)?.['rows']);
}

function rowsBeyond(database: DatabaseSync, { table }: Grain, rowsMax: number): number {
  const found = database.prepare(`SELECT count(*) AS rows FROM ${table}`).get();
  return Math.max(0, Number(found?.['rows']) - rowsMax);
}

interface Move {
  readonly from: Grain;
  readonly into: Grain;
  /** The oldest ones; a batch at most. */
  readonly rows: number;
}

function coarsen(database: DatabaseSync, { from, into, rows }: Move): void {
  if (rows === 0) return;
  const starts = `start - start % ${into.seconds}`;
  inTransaction(database, () => {
    database.exec(
      `INSERT INTO ${into.table} (${rowKey}, ${countNames.join(', ')})
       SELECT ${starts} AS start, ${keyColumns.join(', ')}, ${sumsOfCounts}
       FROM (${oldest(from, rows)}) WHERE true GROUP BY ${starts}, ${keyColumns.join(', ')} ${addToRow}`,
    );
    database.exec(removalOf(from, rows));
  });
}

function forget(database: DatabaseSync, grain: Grain, rows: number): Forgotten[] {
  if (rows === 0) return [];
  return inTransaction(database, () => {
    const sums = database
      .prepare(`SELECT backend, model, ${sumsOfCounts} FROM (${oldest(grain, rows)}) GROUP BY backend, model`)
      .all();
    database.exec(removalOf(grain, rows));
    return sums.map((row) => ({
      key: { backend: String(row['backend']), model: String(row['model']) },
      counts: toCounts(row),
    }));
  });
}

function removalOf(grain: Grain, rows: number): string {
  return `DELETE FROM ${grain.table} WHERE (${rowKey}) IN (SELECT ${rowKey} FROM (${oldest(grain, rows)}))`;
}

function oldest({ table }: Grain, rows: number): string {
  return `SELECT * FROM ${table} ORDER BY ${rowKey} LIMIT ${Math.min(rows, batchRows)}`;
}
