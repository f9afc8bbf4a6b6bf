import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shareRows } from './share-rows.ts';

test.each([
  { wanted: [4, 5, 7, 1000], available: 100, given: [4, 5, 7, 84] },
  { wanted: [4, 5, 7, 1000], available: 12, given: [3, 3, 3, 3] },
  { wanted: [1, 50, 0, 1000], available: 21, given: [1, 10, 0, 10] },
  { wanted: [4, 5], available: 0, given: [0, 0] },
  { wanted: [4, 5], available: Infinity, given: [4, 5] },
  { wanted: [], available: 5, given: [] },
])('$available rows for $wanted are $given', ({ wanted, available, given }) => {
  expect(shareRows(wanted, available)).toEqual(given);
});

test('all rows are given away while somebody wants one, and none is given twice', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat({ max: 60 }), { maxLength: 6 }),
      fc.nat({ max: 100 }),
      (wanted, available) => {
        const given = shareRows(wanted, available);
        const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);
        expect(sum(given)).toBe(Math.min(available, sum(wanted)));
        for (const [index, rows] of given.entries()) expect(rows).toBeLessThanOrEqual(wanted[index] ?? 0);
      },
    ),
  );
});
