/**
 * Owns what is remembered of finished requests, in memory or in a file. Rows are written in batches, away from the
 * requests, those in memory when somebody asks; a reader sees all of them. Ids grow and are never used twice.
 */
import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite';
import { toHistogram, type Histogram } from './histogram.ts';
import type { ActivityRow } from './activity-row.ts';
import { inMemory, openActivityTable, shrinkActivity, sweepActivity } from './activity-table.ts';

export interface ActivityOptions {
  /** undefined = in memory. */
  readonly path: string | undefined;
  /** The oldest ones leave; Infinity = no limit. */
  readonly rowsMax: number;
  /** Older ones leave; Infinity = never. */
  readonly ageMsMax: number;
  readonly nowEpochMs: () => number;
  /** Rows could not be written (the disk is full …) and are lost. */
  readonly onLost: (error: unknown) => void;
  readonly onWritten?: () => void;
}

export interface StoredRow extends ActivityRow {
  readonly id: number;
}

/** Conditions hold together; an absent one does not count. Bounds are inclusive. */
export interface ActivityFilter {
  readonly models: readonly string[];
  readonly fromEpochMs?: number | undefined;
  readonly toEpochMs?: number | undefined;
  readonly idMin?: number | undefined;
  readonly idMax?: number | undefined;
}

export interface ActivityPage {
  readonly rows: readonly StoredRow[];
  /** Rows that meet the filter. */
  readonly total: number;
}

export interface ActivityTotals {
  readonly requests: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheTokens: number;
  /** Tokens per second, of the last few thousand requests. */
  readonly prompt: Histogram | null;
  readonly output: Histogram | null;
}

export type ActivitySort = keyof typeof sortColumns;

const flushMs = 500;
const pendingMax = 10_000;
/** Rows beyond the limit are removed when they are this part of it, for finding them takes longer the more there are. */
const pruneShare = 1 / 1000;
const speedsMax = 10_000;
const sweepMs = 60_000;
/** Between two parts of a long sweep: requests go first. */
const sweepPauseMs = 20;

const columns = {
  createdEpochMs: 'created',
  requestId: 'request_id',
  model: 'model',
  path: 'path',
  flow: 'flow',
  backend: 'backend',
  contentType: 'content_type',
  status: 'status',
  outcome: 'outcome',
  cacheTokens: 'cache_tokens',
  draftTokens: 'draft_tokens',
  draftTokensAccepted: 'draft_tokens_accepted',
  inputTokens: 'input_tokens',
  outputTokens: 'output_tokens',
  promptRate: 'prompt_rate',
  outputRate: 'output_rate',
  durationMs: 'duration_ms',
  queuedMs: 'queued_ms',
  loadMs: 'load_ms',
  promptMs: 'prompt_ms',
  generationMs: 'generation_ms',
  errorMessage: 'error_message',
  metadata: 'metadata',
} as const satisfies Record<keyof ActivityRow, string>;

/** In llama-swap's words. */
export const sortColumns = {
  id: 'id',
  time: 'created',
  model: 'model',
  req_path: 'path',
  resp_status_code: 'status',
  resp_content_type: 'content_type',
  cached: 'cache_tokens',
  prompt: 'input_tokens',
  generated: 'output_tokens',
  drafted: 'draft_tokens',
  prompt_speed: 'prompt_rate',
  gen_speed: 'output_rate',
  duration: 'duration_ms',
} as const;

const fields = Object.keys(columns) as (keyof ActivityRow)[];

export class Activity {
  #database: DatabaseSync;
  #insert: StatementSync;
  #options: ActivityOptions;
  #pending: StoredRow[] = [];
  #nextId: number;
  #sincePruning = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Of the next sweep. */
  #sweeper: NodeJS.Timeout | undefined;

  /** @throws Error when the file cannot be opened. */
  constructor(options: ActivityOptions) {
    this.#options = options;
    const { database, insert, nextId } = open(options.path);
    this.#database = database;
    this.#insert = insert;
    this.#nextId = nextId;
    this.#sweepIn(sweepPauseMs);
  }

  /** Takes over other limits; another path begins another store. @throws Error when it cannot be opened; then nothing changes. */
  configure(options: ActivityOptions): void {
    if (options.path !== this.#options.path) {
      const { database, insert, nextId } = open(options.path);
      this.close();
      this.#database = database;
      this.#insert = insert;
      // Ids name captures, too: those of the store before must not come again.
      this.#nextId = Math.max(this.#nextId, nextId);
    }
    this.#options = options;
    this.#sweepIn(sweepPauseMs);
  }

  /** Returns the row's id. It is written later. */
  add(row: ActivityRow): number {
    const id = this.#nextId;
    this.#nextId += 1;
    const { path, rowsMax } = this.#options;
    // What would be removed at once need not be held.
    if (rowsMax > 0 && this.#pending.length >= 2 * rowsMax) this.#pending = this.#pending.slice(-rowsMax);
    this.#pending.push({ ...row, id });
    if (this.#pending.length >= pendingMax) this.#flush();
    // In memory a row is as safe before it is in the table, and most leave without ever being asked for.
    else if (path !== undefined) this.#timer ??= setTimeout(() => this.#flush(), flushMs).unref();
    return id;
  }

  /** `page`: 1 is the first. */
  list(
    filter: ActivityFilter,
    page: {
      readonly limit: number;
      readonly page: number;
      readonly sort: ActivitySort;
      readonly descending: boolean;
    },
  ): ActivityPage {
    this.#flush();
    const { where, values } = condition(filter);
    const { total } = this.#database
      .prepare(`SELECT count(*) AS total FROM activity ${where}`)
      .get(...values) as {
      total: number;
    };
    const way = page.descending ? 'DESC' : 'ASC';
    const order = `ORDER BY ${sortColumns[page.sort]} ${way}, id ${way}`;
    const rows = this.#database
      .prepare(`SELECT * FROM activity ${where} ${order} LIMIT ? OFFSET ?`)
      .all(...values, page.limit, (page.page - 1) * page.limit);
    return { rows: rows.map(toRow), total };
  }

  totals(models: readonly string[]): ActivityTotals {
    this.#flush();
    const { where, values } = condition({ models });
    const sums = this.#database
      .prepare(
        `SELECT count(*) AS requests, total(input_tokens) AS input, total(output_tokens) AS output,
          total(max(cache_tokens, 0)) AS cache FROM activity ${where}`,
      )
      .get(...values) as { requests: number; input: number; output: number; cache: number };
    const speeds = this.#database
      .prepare(`SELECT prompt_rate, output_rate FROM activity ${where} ORDER BY id DESC LIMIT ${speedsMax}`)
      .all(...values);
    return {
      requests: sums.requests,
      inputTokens: sums.input,
      outputTokens: sums.output,
      cacheTokens: sums.cache,
      prompt: toHistogram(speeds.map((row) => Number(row['prompt_rate']))),
      output: toHistogram(speeds.map((row) => Number(row['output_rate']))),
    };
  }

  /** Writes what is pending; what comes later is lost. Idempotent. */
  close(): void {
    if (!this.#database.isOpen) return;
    this.#flush();
    clearTimeout(this.#sweeper);
    this.#database.close();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    // What would be removed at once is not written at all.
    const { rowsMax } = this.#options;
    const rows = Number.isFinite(rowsMax) ? this.#pending.slice(-rowsMax) : this.#pending;
    this.#pending = [];
    if (rows.length === 0 || !this.#database.isOpen) return;
    try {
      this.#database.exec('BEGIN');
      for (const row of rows) this.#insert.run(row.id, ...fields.map((field) => toValue(row[field])));
      this.#sincePruning += rows.length;
      this.#database.exec('COMMIT');
      this.#options.onWritten?.();
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      this.#options.onLost(error);
      return;
    }
    if (this.#sincePruning >= rowsMax * pruneShare) this.#sweep();
  }

  /** Removes a part of what is to leave; the rest follows soon. */
  #sweep(): void {
    const { rowsMax, ageMsMax, nowEpochMs, onLost } = this.#options;
    this.#sincePruning = 0;
    let hasMore = false;
    try {
      const removedAll = !sweepActivity(this.#database, { rowsMax, fromEpochMs: nowEpochMs() - ageMsMax });
      hasMore = !removedAll || shrinkActivity(this.#database);
    } catch (error) {
      onLost(error);
    }
    this.#sweepIn(hasMore ? sweepPauseMs : sweepMs);
  }

  #sweepIn(delayMs: number): void {
    clearTimeout(this.#sweeper);
    this.#sweeper = setTimeout(() => this.#sweep(), delayMs).unref();
  }
}

interface Opened {
  readonly database: DatabaseSync;
  readonly insert: StatementSync;
  readonly nextId: number;
}

/** @throws Error when the file cannot be opened or read. */
function open(path: string | undefined): Opened {
  const database = openActivityTable(path ?? inMemory);
  try {
    return { database, insert: insertInto(database), nextId: nextIdOf(database) };
  } catch (error) {
    database.close();
    throw error;
  }
}

function insertInto(database: DatabaseSync): StatementSync {
  const names = ['id', ...fields.map((field) => columns[field])];
  return database.prepare(
    `INSERT INTO activity (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`,
  );
}

function nextIdOf(database: DatabaseSync): number {
  const last = database.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'activity'").get();
  return Number(last?.['seq'] ?? 0) + 1;
}

function condition({ models, fromEpochMs, toEpochMs, idMin, idMax }: ActivityFilter): {
  where: string;
  values: SQLInputValue[];
} {
  const parts: [string, readonly (SQLInputValue | undefined)[]][] = [
    [`model IN (${models.map(() => '?').join(', ')})`, models.length === 0 ? [undefined] : models],
    ['created >= ?', [fromEpochMs]],
    ['created <= ?', [toEpochMs]],
    ['id >= ?', [idMin]],
    ['id <= ?', [idMax]],
  ];
  const wanted = parts.filter(([, values]) => !values.includes(undefined));
  const where = wanted.length === 0 ? '' : `WHERE ${wanted.map(([text]) => text).join(' AND ')}`;
  return { where, values: wanted.flatMap(([, values]) => values as SQLInputValue[]) };
}

function toValue(value: ActivityRow[keyof ActivityRow]): SQLInputValue {
  return typeof value === 'object' ? JSON.stringify(value) : value;
}

function toRow(stored: Record<string, SQLOutputValue>): StoredRow {
  const row = Object.fromEntries(fields.map((field) => [field, stored[columns[field]]]));
  const metadata = JSON.parse(String(stored['metadata'])) as Record<string, string>;
  return { ...row, id: Number(stored['id']), metadata } as unknown as StoredRow;
}
