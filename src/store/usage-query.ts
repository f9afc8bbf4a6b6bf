/** Questions to the accounts: sums and series over all three grains, and all rows for an export. Only reads. */
import type { DatabaseSync, SQLInputValue, SQLOutputValue } from 'node:sqlite';
import type { UsageCounts, UsageKey } from './usage-entry.ts';
import { countNames, grains, keyColumns, rowKey, sumsOfCounts, toCounts } from './usage-table.ts';

export type UsageField = keyof UsageKey;

/** `from` is inclusive, `to` is not; what lies across `from` (a day, where only days are kept) is left out. */
export interface UsageRange {
  readonly fromEpochMs: number;
  readonly toEpochMs: number;
  /** Only what is of this model. */
  readonly model?: string | undefined;
}

export interface UsageSum {
  readonly name: string;
  readonly counts: UsageCounts;
}

export interface UsagePoint extends UsageSum {
  readonly startEpochMs: number;
  /** What the point stands for: the step, or more where only coarser ones are kept. */
  readonly seconds: number;
}

export interface UsageRow extends UsageKey {
  readonly startEpochMs: number;
  readonly seconds: number;
  readonly counts: UsageCounts;
}

/** By one part of the key, the most tokens first. */
export function sumUsage(
  database: DatabaseSync,
  query: UsageRange & { readonly by: UsageField; readonly limit: number },
): UsageSum[] {
  const { rows, values } = rowsIn(query);
  return database
    .prepare(
      `SELECT ${query.by} AS name, ${sumsOfCounts} FROM (${rows}) GROUP BY name
       ORDER BY sum(input_tokens) + sum(output_tokens) DESC, sum(requests) DESC, name LIMIT ?`,
    )
    .all(...values, query.limit)
    .map((row) => ({ name: String(row['name']), counts: toCounts(row) }));
}

/** By time, then by name; points without requests are not there. */
export function usageSeries(
  database: DatabaseSync,
  query: UsageRange & { readonly by: UsageField; readonly stepSeconds: number; readonly limit: number },
): UsagePoint[] {
  const { rows, values } = rowsIn(query);
  const { stepSeconds, by } = query;
  return database
    .prepare(
      `SELECT start - start % ${Math.trunc(stepSeconds)} AS begins, max(seconds) AS width, ${by} AS name, ${sumsOfCounts}
       FROM (${rows}) GROUP BY begins, name ORDER BY begins, name LIMIT ?`,
    )
    .all(...values, query.limit)
    .map((row) => ({
      startEpochMs: Number(row['begins']) * 1000,
      seconds: Math.max(stepSeconds, Number(row['width'])),
      name: String(row['name']),
      counts: toCounts(row),
    }));
}

/** All that is kept, by backend and model. */
export function totalsOfUsage(
  database: DatabaseSync,
): { readonly backend: string; readonly model: string; readonly counts: UsageCounts }[] {
  const all = grains.map(({ table }) => `SELECT backend, model, ${countNames.join(', ')} FROM ${table}`);
  return database
    .prepare(
      `SELECT backend, model, ${sumsOfCounts} FROM (${all.join(' UNION ALL ')}) GROUP BY backend, model`,
    )
    .all()
    .map((row) => ({
      backend: String(row['backend']),
      model: String(row['model']),
      counts: toCounts(row),
    }));
}

/** Where a walk through all rows stands. */
export interface UsagePlace {
  /** Index of the grain, from the coarsest. */
  readonly grain: number;
  /** Key of the last row; undefined = at the beginning of the grain. */
  readonly after: readonly (string | number)[] | undefined;
}

/** The next rows of a walk from days to minutes, and where it stands then; `place` undefined = that was all. */
export function walkUsage(
  database: DatabaseSync,
  range: UsageRange,
  { place, limit }: { readonly place: UsagePlace; readonly limit: number },
): { readonly rows: UsageRow[]; readonly place: UsagePlace | undefined } {
  const grain = grains.toReversed()[place.grain];
  if (grain === undefined) return { rows: [], place: undefined };
  const { conditions, values } = conditionsOf(range);
  const after = place.after ?? [];
  if (place.after !== undefined) conditions.push(`(${rowKey}) > (${after.map(() => '?').join(', ')})`);
  const found = database
    .prepare(
      `SELECT * FROM ${grain.table} WHERE ${conditions.join(' AND ')} ORDER BY ${rowKey} LIMIT ${Math.trunc(limit)}`,
    )
    .all(...values, ...after);
  const last = found.at(-1);
  const rows = found.map((row) => toUsageRow(row, grain.seconds));
  if (last === undefined || found.length < limit) {
    const next = place.grain + 1;
    return { rows, place: next < grains.length ? { grain: next, after: undefined } : undefined };
  }
  return { rows, place: { grain: place.grain, after: keyOf(last) } };
}

/** A SELECT of the rows of all grains in a range, with the width of each. */
function rowsIn(range: UsageRange): { rows: string; values: SQLInputValue[] } {
  const { conditions, values } = conditionsOf(range);
  const parts = grains.map(
    ({ table, seconds }) => `SELECT *, ${seconds} AS seconds FROM ${table} WHERE ${conditions.join(' AND ')}`,
  );
  return { rows: parts.join(' UNION ALL '), values: grains.flatMap(() => values) };
}

function conditionsOf({ fromEpochMs, toEpochMs, model }: UsageRange): {
  conditions: string[];
  values: SQLInputValue[];
} {
  const conditions = ['start >= ?', 'start < ?'];
  const values: SQLInputValue[] = [fromEpochMs / 1000, toEpochMs / 1000];
  if (model === undefined) return { conditions, values };
  return { conditions: [...conditions, 'model = ?'], values: [...values, model] };
}

function keyOf(row: Readonly<Record<string, SQLOutputValue>>): (string | number)[] {
  return [Number(row['start']), ...keyColumns.map((name) => String(row[name]))];
}

function toUsageRow(row: Readonly<Record<string, SQLOutputValue>>, seconds: number): UsageRow {
  return {
    startEpochMs: Number(row['start']) * 1000,
    seconds,
    flow: String(row['flow']),
    backend: String(row['backend']),
    model: String(row['model']),
    dialect: String(row['dialect']) as UsageKey['dialect'],
    counts: toCounts(row),
  };
}
