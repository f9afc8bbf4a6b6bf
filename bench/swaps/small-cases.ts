/** A few requests each, so that contestants can be compared with the best that could be done. */
import { createRandom, type Random } from '../../src/base/random.ts';
import { runBox, type BoxOptions } from './box.ts';
import { settingsFor, type Contestant } from './contestants.ts';
import { playForecaster } from './forecaster.ts';
import { quantile, ratio, row, seconds, sum } from './numbers.ts';
import { findOptimum, type Arrival, type Optimum } from './optimum.ts';
import { exponential, pick, type Workload } from './workloads.ts';

const requests = 8;
const models = ['a', 'b', 'c'];
const futures = 100;

export interface SmallCasesOptions {
  readonly contestants: readonly Contestant[];
  readonly cases: number;
  readonly box: Omit<BoxOptions, 'settings'>;
}

/** Nothing is known yet of models that were asked for so few times: this is what order alone does. */
export function smallCasesTable({ contestants, cases, box }: SmallCasesOptions): string {
  const { loadMs, stopMs } = box;
  const costs = { loadMs, swapMs: loadMs + stopMs };
  const drawCase = (random: Random, fromMs: number, count: number): readonly Arrival[] =>
    drawArrivals(random, { fromMs, count, loadMs });
  const found = Array.from({ length: cases }, (_, at) => {
    const arrivals = drawCase(createRandom(at + 1), 0, requests);
    const forecaster = { costs, futures, draw: drawCase, random: createRandom(-at - 1) };
    return {
      best: findOptimum(arrivals, costs),
      results: [
        ...contestants.map((contestant) => play(arrivals, contestant, box)),
        playForecaster(arrivals, forecaster),
      ],
    };
  });
  const rows = [...contestants.map(({ name }) => name), 'who knows the law of the traffic'].map(
    (name, index) => {
      const pairs = found.flatMap(({ best, results }) => {
        const result = results[index];
        return result === undefined ? [] : [{ best, result }];
      });
      const total = (of: (pair: { best: Optimum; result: Optimum }) => number): number => sum(pairs.map(of));
      const each = pairs.map(({ best, result }) => result.waitMs / best.waitMs).toSorted((a, b) => a - b);
      return row([
        name,
        ratio(
          total(({ result }) => result.waitMs),
          total(({ best }) => best.waitMs),
        ),
        quantile(each, 0.5).toFixed(2),
        quantile(each, 0.99).toFixed(2),
        ratio(
          total(({ result }) => result.loads),
          total(({ best }) => best.loads),
        ),
      ]);
    },
  );
  return [
    `${cases} cases of ${requests} requests for ${models.length} models within about ${seconds(requests * loadMs)}. The best plan is the one with the least waiting in all, by somebody who knows the future; loads are compared with that plan's. Who knows the law of the traffic draws ${futures} futures before each decision.\n`,
    '| settings | waiting in all | of one case, p50 | p99 | loads |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

function drawArrivals(
  random: Random,
  { fromMs, count, loadMs }: { fromMs: number; count: number; loadMs: number },
): readonly Arrival[] {
  let atMs = fromMs;
  return Array.from({ length: count }, () => {
    atMs += exponential(random, loadMs);
    return { model: pick(random, models, 0.5), atMs, workMs: exponential(random, loadMs / 4) };
  });
}

function play(
  arrivals: readonly Arrival[],
  contestant: Contestant,
  box: Omit<BoxOptions, 'settings'>,
): Optimum {
  const workload: Workload = {
    name: 'small case',
    models,
    places: 1,
    clients: arrivals.map(({ model, atMs, workMs }) => ({ asks: [{ model, workMs, pauseMs: atMs }] })),
  };
  // The best plan knows no limit of slots.
  const settings = settingsFor(contestant, workload);
  const { waitsMs, loads } = runBox(workload, { ...box, slots: requests, settings });
  return { waitMs: sum(waitsMs), loads };
}
