/** A list of the last N values: constant cost per value, memory bounded by N. Knows nothing of what it holds. */

export interface RingBuffer<Value> {
  readonly size: number;
  /** Adds a value; the oldest one leaves when the buffer is full. */
  push(value: Value): void;
  /** From the newest to the oldest, at most `limit`, default all. Not to be continued after a push. */
  newestFirst(limit?: number): Generator<Value>;
}

/** @throws RangeError when `capacity` is not a positive integer. */
export function createRingBuffer<Value>(capacity: number): RingBuffer<Value> {
  if (!Number.isInteger(capacity) || capacity < 1) {
    throw new RangeError(`Ring buffer needs a capacity of at least 1, got ${capacity}`);
  }
  const values: Value[] = [];
  let next = 0;
  return {
    get size() {
      return values.length;
    },
    push(value) {
      values[next] = value;
      next = next + 1 === capacity ? 0 : next + 1;
    },
    *newestFirst(limit = capacity) {
      const size = values.length;
      for (let back = 1; back <= Math.min(size, limit); back += 1) {
        yield values[(next - back + size) % size] as Value;
      }
    },
  };
}
