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
    return kept === undefined || nowMs - kept.usedMs >= this.#ttlMs ? undefined : kept.value;
  }

  /** Up to `max` entries with the time they have left, the most recently used first. */
  newest(nowMs: number, max: number): [key: Key, value: Value, remainingMs: number][] {
    const live: [Key, Value, number][] = [];
    for (let kept = this.#newest; kept !== undefined && live.length < max; kept = kept.older) {
      const remainingMs = kept.usedMs + this.#ttlMs - nowMs;
      if (remainingMs <= 0) break;
      live.push([kept.key, kept.value, remainingMs]);
    }
    return live;
  }

  set(key: Key, value: Value, nowMs: number): void {
    let kept = this.#entries.get(key);
    if (kept === undefined) {
      kept = { key, value, usedMs: nowMs, older: undefined, newer: undefined };
      this.#entries.set(key, kept);
    } else {
      kept.value = value;
      kept.usedMs = nowMs;
      this.#unlink(kept);
    }
    this.#append(kept);
    this.prune(nowMs);
  }

  resize(options: { readonly ttlMs: number; readonly sizeMax: number }, nowMs: number): void {
    this.#ttlMs = options.ttlMs;
    this.#sizeMax = options.sizeMax;
    this.prune(nowMs);
  }

  /** Drops what has expired or is too much. Costs as much as it drops. */
  prune(nowMs: number): void {
    for (let kept = this.#oldest; kept !== undefined; kept = this.#oldest) {
      if (this.#entries.size <= this.#sizeMax && nowMs - kept.usedMs < this.#ttlMs) return;
      this.#entries.delete(kept.key);
      this.#unlink(kept);
    }
  }

  #append(kept: Kept<Key, Value>): void {
    kept.older = this.#newest;
    if (this.#newest === undefined) this.#oldest = kept;
    else this.#newest.newer = kept;
    this.#newest = kept;
  }

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
