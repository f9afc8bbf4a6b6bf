/**
 * A map that forgets: each entry after a time without use, and the least recently used one when it is full. Owns no
 * clock; time comes in with each call and must not go backwards.
 */

interface Kept<Key, Value> {
  readonly key: Key;
  value: Value;
  usedMs: number;
  /** Neighbours in the order of last use. */
  older: Kept<Key, Value> | undefined;
  newer: Kept<Key, Value> | undefined;
}

/** The order is kept beside the map: to take a key out of a Map and put it back leaves garbage with every use. */
export class ExpiringMap<Key, Value> {
  readonly #entries = new Map<Key, Kept<Key, Value>>();
  #oldest: Kept<Key, Value> | undefined;
  #newest: Kept<Key, Value> | undefined;
  #ttlMs: number;
  #sizeMax: number;

  constructor(options: { readonly ttlMs: number; readonly sizeMax: number }) {
    this.#ttlMs = options.ttlMs;
    this.#sizeMax = options.sizeMax;
  }

  /** May count entries that have expired and were not asked for since. */
  get size(): number {
    return this.#entries.size;
  }

  /** Does not count as a use. */
  get(key: Key, nowMs: number): Value | undefined {
    const kept = this.#entries.get(key);
    return kept === undefined || this.#hasExpired(kept, nowMs) ? undefined : kept.value;
  }

  /** Up to `max` entries with the time they have left, the most recently used first. */
  newest(nowMs: number, max: number): [key: Key, value: Value, remainingMs: number][] {
    const live: [Key, Value, number][] = [];
    for (let kept = this.#newest; kept !== undefined && live.length < max; kept = kept.older) {
      if (this.#hasExpired(kept, nowMs)) break;
      live.push([kept.key, kept.value, kept.usedMs + this.#ttlMs - nowMs]);
    }
    return live;
  }

  set(key: Key, value: Value, nowMs: number): void {
    const known = this.#entries.get(key);
    if (known === undefined) {
      const kept: Kept<Key, Value> = { key, value, usedMs: nowMs, older: undefined, newer: undefined };
      this.#entries.set(key, kept);
      this.#putLast(kept);
    } else {
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
      if (this.#entries.size <= this.#sizeMax && !this.#hasExpired(oldest, nowMs)) return;
      this.#entries.delete(oldest.key);
      this.#unlink(oldest);
    }
  }

  #hasExpired({ usedMs }: Kept<Key, Value>, nowMs: number): boolean {
    return nowMs - usedMs >= this.#ttlMs;
  }

  #putLast(kept: Kept<Key, Value>): void {
    kept.older = this.#newest;
    if (this.#newest === undefined) this.#oldest = kept;
    else this.#newest.newer = kept;
    this.#newest = kept;
  }

  /** Leaves the entry without neighbours: an old one would keep them alive. */
  #unlink(kept: Kept<Key, Value>): void {
    const { older, newer } = kept;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    kept.older = undefined;
    kept.newer = undefined;
  }
}
