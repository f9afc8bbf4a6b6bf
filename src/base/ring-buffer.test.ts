import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRingBuffer } from './ring-buffer.ts';

describe('ring buffer', () => {
  test('holds the last values, newest first, whatever was pushed', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.array(fc.integer(), { maxLength: 40 }),
        (capacity, pushed) => {
          const buffer = createRingBuffer<number>(capacity);
          for (const value of pushed) buffer.push(value);
          expect([...buffer.newestFirst()]).toEqual(pushed.slice(-capacity).reverse());
          expect([...buffer.newestFirst(2)]).toEqual([...buffer.newestFirst()].slice(0, 2));
          expect(buffer.size).toBe(Math.min(capacity, pushed.length));
        },
      ),
    );
  });

  test('refuses a capacity that is not a positive integer', () => {
    for (const capacity of [0, -1, 1.5, Number.NaN]) {
      expect(() => createRingBuffer(capacity)).toThrow(RangeError);
    }
  });
});
