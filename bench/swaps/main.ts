/**
 * How many swaps a box with room for one model makes, and how long requests wait for them: the real scheduler in virtual time,
 * with the settings of `default` and of `llama-swap`, on several kinds of traffic; and beside the best that could be done, on
 * small cases. Prints Markdown and writes it to bench/results: `node bench/swaps/main.ts [--load 8s-in-ms] [--cases 300]`.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { createRandom } from '../../src/base/random.ts';
import { loadConfigText } from '../../src/config/load.ts';
import { toSchedulerSettings } from '../../src/config/settings.ts';
import { localHost } from '../../src/domain/backend-view.ts';
import type { PresetName } from '../../src/scheduler/presets.ts';
import { createGroupPlanner } from '../../src/scheduler/residency/groups.ts';
import type { SchedulerSettings } from '../../src/scheduler/settings.ts';
import { runBox, type BoxResult } from './box.ts';
import { findOptimum, type Arrival, type Optimum } from './optimum.ts';
import { exponential, pick, workloads, type Workload } from './workloads.ts';

interface Contestant {
  readonly name: string;
  readonly preset: PresetName;
  readonly more?: Partial<SchedulerSettings>;
}

const { values } = parseArgs({
  options: {
    load: { type: 'string', default: '8000' },
    stop: { type: 'string', default: '500' },
    slots: { type: 'string', default: '4' },
    cases: { type: 'string', default: '300' },
  },
});
const [loadMs, stopMs, slots, cases] = [values.load, values.stop, values.slots, values.cases].map(Number) as [
  number,
  number,
  number,
  number,
];

const contestants: readonly Contestant[] = [
  { name: '`llama-swap`', preset: 'llama-swap' },
  { name: '`default` without `swapHold`', preset: 'default', more: { swapHold: 0 } },
  { name: '`default`', preset: 'default' },
];

const commit = execFileSync('git', ['rev-parse', '--short=9', 'HEAD'], { encoding: 'utf8' }).trim();
const day = new Date().toISOString().slice(0, 10);
const report = `${[
  `# Swaps\n\nCommit ${commit}, ${day}. One box, one model at a time, ${slots} slots each; a load takes ${seconds(loadMs)}, a stop ${seconds(stopMs)}. Virtual time: the same on every machine.`,
  trafficTable(),
  smallCasesTable(),
].join('\n\n')}\n`;
process.stdout.write(report);
writeFileSync(join(resolve(import.meta.dirname, '..', 'results'), `swaps-${day}-${commit}.md`), report);

function trafficTable(): string {
  const rows = workloads().flatMap((workload) =>
    contestants.map((contestant) => {
      const result = run(workload, contestant);
      const cells = [
        workload.name,
        contestant.name,
        result.waitsMs.length,
        result.loads,
        seconds(mean(result.waitsMs)),
        seconds(quantile(result.waitsMs, 0.5)),
        seconds(quantile(result.waitsMs, 0.99)),
        seconds(quantile(result.waitsMs, 1)),
        `${(result.totalMs / 60_000).toFixed(0)} min`,
      ];
      return `| ${cells.join(' | ')} |`;
    }),
  );
  return [
    '## Traffic\n',
    '| traffic | preset | requests | loads | wait, mean | p50 | p99 | longest | until the last answer |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

/** Nothing is known yet of models that were asked for so few times: this is what order alone does. */
function smallCasesTable(): string {
  const found = Array.from({ length: cases }, (_, seed) => {
    const arrivals = smallCase(seed);
    const workload = toWorkload(arrivals);
    const best = findOptimum(arrivals, { loadMs, swapMs: loadMs + stopMs });
    return { best, results: contestants.map((contestant) => run(workload, contestant)) };
  });
  const rows = contestants.map(({ name }, index) => {
    const pairs = found.flatMap(({ best, results }) => {
      const result = results[index];
      return result === undefined ? [] : [{ best, result }];
    });
    const waits = pairs.map(({ best, result }) => sum(result.waitsMs) / best.waitMs);
    const sorted = waits.toSorted((one, other) => one - other);
    const cells = [
      name,
      ratio(
        total(pairs, ({ result }) => sum(result.waitsMs)),
        total(pairs, ({ best }) => best.waitMs),
      ),
      quantile(sorted, 0.5).toFixed(2),
      quantile(sorted, 0.99).toFixed(2),
      ratio(
        total(pairs, ({ result }) => result.loads),
        total(pairs, ({ best }) => best.loads),
      ),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    `## Small cases, beside the best plan of somebody who knows the future\n`,
    `${cases} cases of 8 requests for 3 models within about ${seconds(8 * loadMs)}. The best plan is the one with the least waiting in all; loads are compared with that plan's.\n`,
    '| preset | waiting in all | of one case, p50 | p99 | loads |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

function total(
  pairs: readonly { best: Optimum; result: BoxResult }[],
  of: (pair: { best: Optimum; result: BoxResult }) => number,
): number {
  return sum(pairs.map(of));
}

function smallCase(seed: number): Arrival[] {
  const random = createRandom(seed + 1);
  let atMs = 0;
  return Array.from({ length: 8 }, () => {
    atMs += exponential(random, loadMs);
    return { model: pick(random, ['a', 'b', 'c'], 0.5), atMs, workMs: exponential(random, loadMs / 4) };
  });
}

function toWorkload(arrivals: readonly Arrival[]): Workload {
  return {
    name: 'small case',
    models: ['a', 'b', 'c'],
    clients: arrivals.map(({ model, atMs, workMs }) => ({ asks: [{ model, workMs, pauseMs: atMs }] })),
  };
}

function run(workload: Workload, { preset, more }: Contestant): BoxResult {
  const settings = { ...settingsOf(preset, workload.models), ...more };
  // The best plan knows no limit of slots.
  return runBox(workload, { settings, loadMs, stopMs, slots: workload.name === 'small case' ? 8 : slots });
}

function settingsOf(preset: PresetName, members: readonly string[]): SchedulerSettings {
  const loaded = loadConfigText({ file: 'bench.yaml', text: `scheduling: { preset: ${preset} }`, env: {} });
  if (!loaded.ok) throw new Error(loaded.problems.map(({ message }) => message).join('; '));
  const group = { name: 'all', swap: true, exclusive: true, persistent: false, members };
  return {
    ...toSchedulerSettings(loaded.config),
    residency: new Map([[localHost, createGroupPlanner([group])]]),
    queueMax: Infinity,
    queueTimeoutMs: Infinity,
  };
}

function mean(list: readonly number[]): number {
  return sum(list) / list.length;
}

function sum(list: readonly number[]): number {
  return list.reduce((all, one) => all + one, 0);
}

/** `sorted`: smallest first. */
function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

function ratio(one: number, other: number): string {
  return `${(one / other).toFixed(2)} ×`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
