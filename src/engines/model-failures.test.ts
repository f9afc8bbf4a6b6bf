import { expect, test } from 'vitest';
import { ModelFailures } from './model-failures.ts';

test('ModelFailures names a model until the window after its last failure is over', () => {
  const failures = new ModelFailures();
  failures.record('m', 0);
  failures.record('n', 500);
  failures.record('m', 900);
  expect(failures.within(1000, 1499)).toEqual(new Set(['m', 'n']));
  expect(failures.within(1000, 1500)).toEqual(new Set(['m']));
  expect(failures.within(1000, 1900)).toEqual(new Set());
});

test('ModelFailures names none within a window of nothing', () => {
  const failures = new ModelFailures();
  failures.record('m', 7);
  expect(failures.within(0, 7)).toEqual(new Set());
});

test('ModelFailures forgets a model that works again, and says whether that is news', () => {
  const failures = new ModelFailures();
  failures.record('m', 0);
  failures.record('n', 0);
  expect(failures.forgive('m')).toBe(true);
  expect(failures.forgive('m')).toBe(false);
  expect(failures.within(1000, 1)).toEqual(new Set(['n']));
  failures.clear();
  expect(failures.within(1000, 1)).toEqual(new Set());
});
