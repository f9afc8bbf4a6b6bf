/**
 * A map by two keys that forgets: each entry after a time without use, and the least recently used one when it is full.
 * Owns no clock; time comes in with each call and must not go backwards.
 */

interface Kept<Row, Column, Value> {
  readonly row: Row;
  readonly column: Column;
  value: Value;
  usedMs: number;
  /** Neighbours in the order of last use. */
  older: Kept<Row, Column, Value> | undefined;
  newer: Kept<Row, Column, Value> | undefined;
}

/**
 * Two look-ups cost less than one by two strings joined, for each joined string has to be copied and hashed.
 * The order is kept beside the map: to take a key out of a Map and put it back leaves garbage with every use.
 */
export class ExpiringTable<Row, Column, Value> {
  /** None is empty. */
  readonly #rows = new Map<Row, Map<Column, Kept<Row, Column, Value>>>();
  #oldest: Kept<Row, Column, Value> | undefined;
  #newest: Kept<Row, Column, Value> | undefined;
  #size = 0;
  #ttlMs: number;
  #sizeMax: number;

  constructor(options: { readonly ttlMs: number; readonly sizeMax: number }) {
    this.#ttlMs = options.ttlMs;
    this.#sizeMax = options.sizeMax;
  }

  /** May count entries that have expired since the last call. */
  get size(): number {
    return this.#size;
  }

  /** Does not count as a use. */
  get(row: Row, column: Column, nowMs: number): Value | undefined {
    this.prune(nowMs);
    return this.#rows.get(row)?.get(column)?.value;
  }

  /** Up to `max` entries, the most recently used first. */
  newest(nowMs: number, max: number): { row: Row; column: Column; value: Value; remainingMs: number }[] {
    this.prune(nowMs);
    const live: { row: Row; column: Column; value: Value; remainingMs: number }[] = [];
    for (let kept = this.#newest; kept !== undefined && live.length < max; kept = kept.older) {
      const { row, column, value, usedMs } = kept;
      live.push({ row, column, value, remainingMs: usedMs + this.#ttlMs - nowMs });
    }
    return live;
  }

  set(row: Row, column: Column, { value, nowMs }: { readonly value: Value; readonly nowMs: number }): void {
    const known = this.#rows.get(row)?.get(column);
    if (known === undefined)
      this.#add({ row, column, value, usedMs: nowMs, older: undefined, newer: undefined });
    else {
      known.value = value;
      known.usedMs = nowMs;
      if (known !== this.#newest) {
        this.#unlink(known);
        this.#putLast(known);
      }
    }
    this.prune(nowMs);
  }

  resize(options: { readonly ttlMs: number; readonly sizeMax: number }, nowMs: number): void {
    this.#ttlMs = options.ttlMs;
    this.#sizeMax = options.sizeMax;
    this.prune(nowMs);
  }

  /** Drops what has expired or is too much. Costs as much as it drops. */
  prune(nowMs: number): void {
    for (let oldest = this.#oldest; oldest !== undefined; oldest = this.#oldest) {
      if (this.#size <= this.#sizeMax && nowMs - oldest.usedMs < this.#ttlMs) return;
      this.#remove(oldest);
    }
  }

  #add(kept: Kept<Row, Column, Value>): void {
    const entries = this.#rows.get(kept.row);
    if (entries === undefined) this.#rows.set(kept.row, new Map([[kept.column, kept]]));
    else entries.set(kept.column, kept);
    this.#size += 1;
    this.#putLast(kept);
  }

  #remove(kept: Kept<Row, Column, Value>): void {
    const entries = this.#rows.get(kept.row);
    entries?.delete(kept.column);
    if (entries?.size === 0) this.#rows.delete(kept.row);
    this.#size -= 1;
    this.#unlink(kept);
  }

  #putLast(kept: Kept<Row, Column, Value>): void {
    kept.older = this.#newest;
    if (this.#newest === undefined) this.#oldest = kept;
    else this.#newest.newer = kept;
    this.#newest = kept;
  }

  /** Leaves the entry without neighbours: an old one would keep them alive. */
  #unlink(kept: Kept<Row, Column, Value>): void {
    const { older, newer } = kept;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    kept.older = undefined;
    kept.newer = undefined;
  }
}
