import { describe, expect, test } from 'vitest';
import { findOptimum, findOptimumFrom, type Arrival } from './optimum.ts';

const costs = { loadMs: 1000, swapMs: 1100 };
const at = (model: string, atMs: number, workMs = 100): Arrival => ({ model, atMs, workMs });

describe('the best plan', () => {
  test('for one request is its load', () => {
    expect(findOptimum([at('a', 500)], costs)).toEqual({ waitMs: 1000, loads: 1 });
  });

  test('serves requests of one model together', () => {
    // a: 1000 + 990, then b after its work: 1100 + 1100 - 10.
    expect(findOptimum([at('a', 0), at('b', 5), at('a', 10)], costs)).toEqual({ waitMs: 4185, loads: 2 });
  });

  test('stays for a request that comes soon', () => {
    const arrivals = [at('a', 0), at('b', 1050), at('a', 1200)];
    // b waits 250 for a's second request and 1100 for its load; leaving at once would cost a load more.
    expect(findOptimum(arrivals, costs)).toEqual({ waitMs: 1000 + 1350, loads: 2 });
  });

  test('does not stay for one that comes late', () => {
    const arrivals = [at('a', 0), at('b', 1200), at('a', 90_000)];
    expect(findOptimum(arrivals, costs)).toEqual({ waitMs: 1000 + 1100 + 1100, loads: 3 });
  });

  test('goes on from any state', () => {
    const state = { model: 'a', readyMs: 1000, left: [at('b', 900), at('a', 1200)] };
    // b waits for a's second request, for its work and for the swap.
    expect(findOptimumFrom(state, costs)).toEqual({ waitMs: 400 + 1100, loads: 1 });
  });

  test('begins with the model that more wait for', () => {
    const arrivals = [at('a', 0, 5000), at('b', 1), at('b', 2), at('b', 3)];
    // b is ready at 1001 and idle at 1101, a at 2201.
    expect(findOptimum(arrivals, costs)).toEqual({ waitMs: 1000 + 999 + 998 + 2201, loads: 2 });
  });
});
