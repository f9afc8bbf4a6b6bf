/**
 * Somebody who knows by which law requests come, not which: before each decision they draw so many futures, look for the best
 * plan in each, and do what is best on average. Shows what of the distance to the best plan nobody could do without.
 */
import type { Random } from '../../src/base/random.ts';
import { findOptimumFrom, serveUntil, type Arrival, type Costs, type Optimum } from './optimum.ts';
import { sum } from './numbers.ts';

export interface ForecasterOptions {
  readonly costs: Costs;
  readonly futures: number;
  /** So many requests after that time. */
  readonly draw: (random: Random, fromMs: number, count: number) => readonly Arrival[];
  readonly random: Random;
}

/** `arrivals`: in order. */
export function playForecaster(arrivals: readonly Arrival[], options: ForecasterOptions): Optimum {
  const { loadMs, swapMs } = options.costs;
  let left = arrivals;
  let nowMs = arrivals[0]?.atMs ?? 0;
  let model: string | undefined;
  let so: Optimum = { waitMs: 0, loads: 0 };
  while (left.length > 0) {
    const next = decide({ model, nowMs, left }, options);
    if (next === undefined) nowMs = left.find(({ atMs }) => atMs > nowMs)?.atMs ?? nowMs;
    else {
      nowMs += model === undefined ? loadMs : swapMs;
      so = { ...so, loads: so.loads + 1 };
    }
    model = next ?? model ?? '';
    const stay = serveUntil(model, nowMs, nowMs, left);
    so = { ...so, waitMs: so.waitMs + stay.waitMs };
    nowMs = stay.busyUntilMs;
    left = stay.left;
  }
  return so;
}

/** Which of those that are waited for is loaded; undefined = none before somebody else has come. */
function decide(
  { model, nowMs, left }: { model: string | undefined; nowMs: number; left: readonly Arrival[] },
  { costs, futures, draw, random }: ForecasterOptions,
): string | undefined {
  const here = left.filter(({ atMs }) => atMs <= nowMs);
  const drawn = Array.from({ length: futures }, () => draw(random, nowMs, left.length - here.length));
  const readyMs = nowMs + (model === undefined ? costs.loadMs : costs.swapMs);
  const choices = [...new Set(here.map((one) => one.model))].map((next) => ({
    next: next as string | undefined,
    waitMs: sum(
      drawn.map(
        (future) => findOptimumFrom({ model: next, readyMs, left: [...here, ...future] }, costs).waitMs,
      ),
    ),
  }));
  if (model !== undefined && here.length < left.length) {
    const waitMs = sum(
      drawn.map((future) => {
        const state = { model, readyMs: future[0]?.atMs ?? nowMs, left: [...here, ...future] };
        return findOptimumFrom(state, costs).waitMs;
      }),
    );
    choices.push({ next: undefined, waitMs });
  }
  return choices.toSorted((one, other) => one.waitMs - other.waitMs)[0]?.next;
}
