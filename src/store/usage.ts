/**
 * Owns the accounts: tokens and requests by key, backend, model and dialect, in memory or in a file. Requests are added
 * in memory and written within half a second, away from them; old rows become coarser in small batches beside the traffic.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { compactUsage, type UsageRetention } from './usage-compaction.ts';
import { addUsage, noUsage, subtractUsage } from './usage-entry.ts';
import type { UsageCounts, UsageEntry, UsageKey } from './usage-entry.ts';
import { sumUsage, totalsOfUsage, usageSeries, walkUsage } from './usage-query.ts';
import type { UsageField, UsagePlace, UsagePoint, UsageRange, UsageRow, UsageSum } from './usage-query.ts';
import { countColumns, inTransaction, openUsageTables, prepareAdding } from './usage-table.ts';

export interface UsageOptions extends UsageRetention {
  /** undefined = in memory. */
  readonly path: string | undefined;
  readonly nowEpochMs: () => number;
  /** Something could not be written (the disk is full …). It stays in memory and is tried again, so long as there is room. */
  readonly onFault: (error: unknown) => void;
  readonly onWritten?: () => void;
}

export interface UsageTotal {
  readonly backend: string;
  readonly model: string;
  readonly counts: UsageCounts;
}

const flushMs = 500;
/** Rows that wait to be written; each stands for a minute of one key. */
const pendingMax = 10_000;
const compactMs = 60_000;
/** Between two batches of a long compaction: requests go first. */
const compactPauseMs = 20;
/** A walk holds compaction up, so it must end. */
const walkMsMax = 60_000;
const walkRows = 500;

interface Pending {
  readonly startS: number;
  readonly key: UsageKey;
  counts: UsageCounts;
}

export class Usage {
  #options: UsageOptions;
  #database: DatabaseSync;
  #insert: StatementSync;
  #pending = new Map<string, Pending>();
  #totals: Map<string, UsageTotal>;
  #timer: NodeJS.Timeout | undefined;
  #compactor: NodeJS.Timeout | undefined;
  /** When each walk that goes on has begun. */
  readonly #walks = new Map<symbol, number>();

  /** @throws Error when the file cannot be opened. */
  constructor(options: UsageOptions) {
    this.#options = options;
    const { database, insert, totals } = open(options.path);
    this.#database = database;
    this.#insert = insert;
    this.#totals = totals;
    this.#compactIn(compactMs);
  }

  /** Takes over other limits; another path begins other accounts. @throws Error when it cannot be opened; then nothing changes. */
  configure(options: UsageOptions): void {
    if (options.path !== this.#options.path) {
      const opened = open(options.path);
      this.close();
      this.#database = opened.database;
      this.#insert = opened.insert;
      this.#totals = opened.totals;
      this.#walks.clear();
    }
    this.#options = options;
    this.#compactIn(compactPauseMs);
  }

  /** Counts one request, now. */
  add({ key, counts }: UsageEntry): void {
    if (!this.#database.isOpen) return;
    const startS = Math.floor(this.#options.nowEpochMs() / 60_000) * 60;
    const name = `${startS} ${key.dialect} ${nameOf(key.flow, key.backend, key.model)}`;
    const pending = this.#pending.get(name);
    if (pending === undefined) this.#pending.set(name, { startS, key, counts });
    else pending.counts = addUsage(pending.counts, counts);
    this.#changeTotal(key, (total) => addUsage(total, counts));
    if (this.#pending.size >= pendingMax) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), flushMs).unref();
  }

  /** All that is kept, by backend and model, from memory. */
  totals(): readonly UsageTotal[] {
    return [...this.#totals.values()];
  }

  sums(query: UsageRange & { readonly by: UsageField; readonly limit: number }): UsageSum[] {
    this.#flush();
    return sumUsage(this.#database, query);
  }

  series(
    query: UsageRange & { readonly by: UsageField; readonly stepSeconds: number; readonly limit: number },
  ): UsagePoint[] {
    this.#flush();
    return usageSeries(this.#database, query);
  }

  /**
   * All rows of a range, some at a time, each once whatever happens meanwhile. Rows stay as fine as they are so long, for a
   * minute at most. @throws Error when the reader took longer, or when the accounts were closed.
   */
  *rows(range: UsageRange): Generator<readonly UsageRow[], void> {
    this.#flush();
    const walk = Symbol('walk');
    this.#walks.set(walk, this.#options.nowEpochMs());
    try {
      let place: UsagePlace | undefined = { grain: 0, after: undefined };
      while (place !== undefined) {
        if (!this.#walks.has(walk) || !this.#database.isOpen) throw new Error('The walk took too long');
        const part: ReturnType<typeof walkUsage> = walkUsage(this.#database, range, {
          place,
          limit: walkRows,
        });
        place = part.place;
        if (part.rows.length > 0) yield part.rows;
      }
    } finally {
      this.#walks.delete(walk);
    }
  }

  /** Makes one batch of old rows coarser, or forgets it. True when there is more to do. A timer calls it; so may tests. */
  compact(): boolean {
    const { nowEpochMs, onFault } = this.#options;
    const nowMs = nowEpochMs();
    for (const [walk, sinceMs] of this.#walks) if (nowMs - sinceMs > walkMsMax) this.#walks.delete(walk);
    if (this.#walks.size > 0 || !this.#database.isOpen) return false;
    this.#flush();
    try {
      const { forgotten, hasMore } = compactUsage(this.#database, this.#options, nowMs);
      for (const { key, counts } of forgotten)
        this.#changeTotal(key, (total) => subtractUsage(total, counts));
      return hasMore;
    } catch (error) {
      // What had been forgotten before the fault may be unknown.
      onFault(error);
      this.#recountTotals();
      return false;
    }
  }

  /** Writes what is pending; what comes later is lost. Idempotent. */
  close(): void {
    if (!this.#database.isOpen) return;
    this.#flush();
    clearTimeout(this.#timer);
    clearTimeout(this.#compactor);
    this.#pending.clear();
    this.#database.close();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#pending.size === 0 || !this.#database.isOpen) return;
    try {
      inTransaction(this.#database, () => {
        for (const pending of this.#pending.values()) this.#insert.run(...valuesOf(pending));
      });
      this.#pending.clear();
      this.#options.onWritten?.();
    } catch (error) {
      this.#options.onFault(error);
      if (this.#pending.size < pendingMax) this.#timer = setTimeout(() => this.#flush(), flushMs).unref();
      else {
        this.#pending.clear();
        this.#recountTotals();
      }
    }
  }

  #changeTotal(
    { backend, model }: Pick<UsageKey, 'backend' | 'model'>,
    change: (total: UsageCounts) => UsageCounts,
  ): void {
    const name = totalName({ backend, model });
    const counts = change(this.#totals.get(name)?.counts ?? noUsage);
    if (counts.requests === 0) this.#totals.delete(name);
    else this.#totals.set(name, { backend, model, counts });
  }

  #recountTotals(): void {
    try {
      this.#totals = readTotals(this.#database);
    } catch (error) {
      // A file that cannot be read either; the totals stay what they were.
      this.#options.onFault(error);
      return;
    }
    for (const { key, counts } of this.#pending.values()) {
      this.#changeTotal(key, (total) => addUsage(total, counts));
    }
  }

  #compactIn(delayMs: number): void {
    clearTimeout(this.#compactor);
    this.#compactor = setTimeout(() => {
      this.#compactIn(this.compact() ? compactPauseMs : compactMs);
    }, delayMs).unref();
  }
}

interface Opened {
  readonly database: DatabaseSync;
  readonly insert: StatementSync;
  readonly totals: Map<string, UsageTotal>;
}

/** @throws Error when the file cannot be opened or read. */
function open(path: string | undefined): Opened {
  const database = openUsageTables(path);
  try {
    return { database, insert: prepareAdding(database), totals: readTotals(database) };
  } catch (error) {
    database.close();
    throw error;
  }
}

function readTotals(database: DatabaseSync): Map<string, UsageTotal> {
  return new Map(totalsOfUsage(database).map((total) => [totalName(total), total]));
}

function totalName({ backend, model }: Pick<UsageKey, 'backend' | 'model'>): string {
  return nameOf(backend, model);
}

/** Another one for every other list of texts, whatever is in them. */
function nameOf(...texts: readonly string[]): string {
  let name = '';
  for (const text of texts) name += `${text.length} ${text}`;
  return name;
}

function valuesOf({ startS, key, counts }: Pending): (string | number)[] {
  const fields = Object.keys(countColumns) as (keyof UsageCounts)[];
  return [startS, key.flow, key.backend, key.model, key.dialect, ...fields.map((field) => counts[field])];
}
