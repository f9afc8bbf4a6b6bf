/**
 * A map that forgets: each entry after a time without use, and the least recently used one when it is full. Owns no
 * clock; time comes in with each call and must not go backwards.
 */
import { ExpiringTable } from './expiring-table.ts';

export class ExpiringMap<Key, Value> {
  readonly #row: ExpiringTable<undefined, Key, Value>;

  constructor(options: { readonly ttlMs: number; readonly sizeMax: number }) {
    this.#row = new ExpiringTable(options);
  }

  /** Does not count as a use. */
  get(key: Key, nowMs: number): Value | undefined {
    return this.#row.get(undefined, key, nowMs);
  }

  set(key: Key, value: Value, nowMs: number): void {
    this.#row.set(undefined, key, { value, nowMs });
  }
}
