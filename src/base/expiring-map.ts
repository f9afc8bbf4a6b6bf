/**
 * A map that forgets: each entry after a time without use, and the least recently used one when it is full. Owns no
 * clock; time comes in with each call and must not go backwards.
 */

interface Kept<Value> {
  value: Value;
  usedMs: number;
}

export class ExpiringMap<Key, Value> {
  /** In order of last use, because every use puts the entry back at the end. */
  readonly #entries = new Map<Key, Kept<Value>>();
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

  /** Up to `max` entries with the time they have left, the most recently used first. Costs as much as it holds. */
  newest(nowMs: number, max: number): [key: Key, value: Value, remainingMs: number][] {
    const live: [Key, Value, number][] = [];
    for (const [key, { value, usedMs }] of this.#entries) {
      const remainingMs = usedMs + this.#ttlMs - nowMs;
      if (remainingMs > 0) live.push([key, value, remainingMs]);
    }
    return max === 0 ? [] : live.slice(-max).reverse();
  }

  set(key: Key, value: Value, nowMs: number): void {
    this.#entries.delete(key);
    this.#entries.set(key, { value, usedMs: nowMs });
    this.prune(nowMs);
  }

  resize(options: { readonly ttlMs: number; readonly sizeMax: number }, nowMs: number): void {
    this.#ttlMs = options.ttlMs;
    this.#sizeMax = options.sizeMax;
    this.prune(nowMs);
  }

  /** Drops what has expired or is too much. Costs as much as it drops. */
  prune(nowMs: number): void {
    for (const [key, kept] of this.#entries) {
      if (this.#entries.size <= this.#sizeMax && nowMs - kept.usedMs < this.#ttlMs) return;
      this.#entries.delete(key);
    }
  }
}
