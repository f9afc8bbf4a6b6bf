import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SortedList } from './sorted-list.ts';

const create = (): SortedList<number> => new SortedList<number>((a, b) => a - b);

test('sorted list keeps thousands of items in order over many chunks', () => {
  const list = create();
  const numbers = Array.from({ length: 5000 }, (_, index) => (index * 7919) % 5000);
  for (const number of numbers) list.add(number);
  expect([...list]).toEqual(numbers.toSorted((a, b) => a - b));
  expect(list.size).toBe(5000);
  for (const rank of [0, 1, 511, 512, 2500, 4999]) expect(list.countBefore(rank)).toBe(rank);
  expect(list.countBefore(99_999)).toBe(5000);
  for (let number = 0; number < 5000; number += 1) {
    expect(list.first).toBe(number);
    expect(list.delete(number)).toBe(true);
  }
  expect(list.first).toBeUndefined();
  expect(list.delete(1)).toBe(false);
});

test('sorted list equals a sorted array, whatever is added and deleted', () => {
  const step = fc.record({ add: fc.boolean(), number: fc.nat(2000) });
  fc.assert(
    fc.property(fc.array(step, { minLength: 500, maxLength: 3000, size: 'max' }), (steps) => {
      const list = create();
      const model = new Set<number>();
      for (const { add, number } of steps) {
        if (add && !model.has(number)) {
          list.add(number);
          model.add(number);
        } else if (!add) expect(list.delete(number)).toBe(model.delete(number));
      }
      const expected = [...model].sort((a, b) => a - b);
      expect([...list]).toEqual(expected);
      expect(list.toArray()).toEqual(expected);
      expect(list.first).toBe(expected[0]);
      expect(list.countBefore(1000)).toBe(expected.filter((number) => number < 1000).length);
    }),
    { numRuns: 20 },
  );
});
