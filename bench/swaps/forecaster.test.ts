import { expect, test } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { playForecaster } from './forecaster.ts';
import { findOptimum, type Arrival } from './optimum.ts';

const costs = { loadMs: 1000, swapMs: 1100 };
const at = (model: string, atMs: number): Arrival => ({ model, atMs, workMs: 100 });
const arrivals = [at('a', 0), at('b', 1050), at('a', 1200), at('b', 1300), at('a', 9000)];

test('who draws just what comes finds the best plan', () => {
  const draw = (_random: unknown, fromMs: number): readonly Arrival[] =>
    arrivals.filter(({ atMs }) => atMs > fromMs);
  const played = playForecaster(arrivals, { costs, futures: 1, draw, random: createRandom(1) });
  expect(played).toEqual(findOptimum(arrivals, costs));
});

test('who expects nobody to come loads at once what is waited for, and pays for that', () => {
  const draw = (_random: unknown, fromMs: number, count: number): readonly Arrival[] =>
    Array.from({ length: count }, () => at('c', fromMs + 1e6));
  const played = playForecaster(arrivals, { costs, futures: 1, draw, random: createRandom(1) });
  expect(played).toEqual({ waitMs: 1000 + 1150 + 900 + 2200, loads: 3 });
});
