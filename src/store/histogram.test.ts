import { expect, test } from 'vitest';
import { toHistogram } from './histogram.ts';

test.each([[[]], [[0, -1, -5]]])('of %j there is no histogram', (values) => {
  expect(toHistogram(values)).toBeNull();
});

test('equal values are in one bin', () => {
  expect(toHistogram([4, 4, 4])).toEqual({
    bins: [3, 0, 0, 0, 0],
    min: 4,
    max: 4,
    binSize: 0,
    p50: 4,
    p95: 4,
    p99: 4,
  });
});

test('values are spread over bins of equal size, percentiles lie between neighbours', () => {
  const values = Array.from({ length: 101 }, (_, index) => index + 10);
  const histogram = toHistogram([...values].reverse());
  expect(histogram).toMatchObject({ min: 10, max: 110, p50: 60, p95: 105, p99: 109 });
  expect(histogram?.bins).toHaveLength(8);
  expect(histogram?.bins.reduce((sum, bin) => sum + bin, 0)).toBe(101);
});

test('there are at most twenty bins', () => {
  const values = Array.from({ length: 2 ** 19 + 1 }, (_, index) => (index % 1000) + 1);
  expect(toHistogram(values)?.bins).toHaveLength(20);
});
