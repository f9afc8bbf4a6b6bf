import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Heap } from './heap.ts';

interface Item {
  rank: number;
  heapIndex: number;
}

const create = (): Heap<Item> => new Heap<Item>((a, b) => a.rank < b.rank);
const item = (rank: number): Item => ({ rank, heapIndex: -1 });

test('heap gives its items in order', () => {
  const heap = create();
  for (const rank of [5, 3, 8, 1, 9, 2]) heap.push(item(rank));
  const ranks: number[] = [];
  for (let next = heap.pop(); next !== undefined; next = heap.pop()) ranks.push(next.rank);
  expect(ranks).toEqual([1, 2, 3, 5, 8, 9]);
  expect(heap.size).toBe(0);
});

test('heap ignores the removal of an item that it does not hold', () => {
  const heap = create();
  const one = item(1);
  heap.push(one);
  heap.remove(one);
  heap.remove(one);
  expect(heap.size).toBe(0);
  expect(heap.pop()).toBeUndefined();
});

test('heap always has the least item first, whatever is pushed, moved and removed', () => {
  const step = fc.record({
    do: fc.constantFrom('push', 'remove', 'move'),
    nth: fc.nat(30),
    rank: fc.nat(50),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
      const heap = create();
      let held: Item[] = [];
      for (const { do: action, nth, rank } of steps) {
        const chosen = held[nth % Math.max(1, held.length)];
        if (action === 'push' || chosen === undefined) {
          const added = item(rank);
          held.push(added);
          heap.push(added);
        } else if (action === 'remove') {
          held = held.filter((one) => one !== chosen);
          heap.remove(chosen);
        } else {
          chosen.rank = rank;
          heap.update(chosen);
        }
        expect(heap.size).toBe(held.length);
        expect(heap.peek()?.rank).toBe(
          held.length === 0 ? undefined : Math.min(...held.map((one) => one.rank)),
        );
      }
    }),
    { numRuns: 100 },
  );
});
