/**
 * What one scheduler event costs, in a large fleet with a long queue and in a small one. Prints Markdown and writes it to
 * bench/results: `node bench/scheduler/main.ts [--rounds 12] [--against DIR]`. DIR: another checkout of the project, measured in
 * turns with this one.
 */
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { pathToFileURL } from 'node:url';
import type { PresetName } from '../../src/scheduler/presets.ts';
import { Scheduler } from '../../src/scheduler/scheduler.ts';
import { describeCommit } from '../overhead/machine.ts';
import { Fleet } from './fleet.ts';
import { scenarios, type Scenario } from './scenarios.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '12' }, against: { type: 'string' } },
});
const root = resolve(import.meta.dirname, '../..');
const roundsMax = Number(values.rounds);
/** Until the code is compiled. */
const roundsUnmeasured = 2;
const eventsPerRound = 1500;

interface Figures {
  readonly medianUs: number;
  readonly p99Us: number;
}

const others = values.against === undefined ? [] : [await load(resolve(values.against))];
const implementations = [...others, Scheduler];
const commit = describeCommit(root);
const machine = `${cpus()[0]?.model.trim() ?? 'unknown'}, ${availableParallelism()} cores; Node ${process.version}; load average before: ${loadavg()[0]?.toFixed(2)}`;
const against = others.length === 0 ? '' : ` Before: ${describeCommit(resolve(values.against ?? root))}.`;
const lines = [
  `# What a scheduler event costs\n\nCommit ${commit}.${against} ${machine}. Medians of ${roundsMax} rounds of ${eventsPerRound} events, in µs.\n`,
];
for (const preset of ['llamacpp-ha', 'default'] as const) {
  const before = others.length === 0 ? '' : ' median before | p99 before |';
  lines.push(`## ${preset}\n\n| event |${before} median | p99 |${others.length === 0 ? '' : ' ratio |'}`);
  lines.push(`|---|${'---:|'.repeat(others.length === 0 ? 2 : 5)}`);
  for (const scenario of scenarios) lines.push(row(scenario, measure(scenario, preset)));
  lines.push('');
}
const text = lines.join('\n');
console.log(text);
const day = new Date().toISOString().slice(0, 10);
writeFileSync(join(root, 'bench/results', `scheduler-${day}-${commit}.md`), text);

async function load(directory: string): Promise<typeof Scheduler> {
  const url = pathToFileURL(join(directory, 'src/scheduler/scheduler.ts')).href;
  const loaded: { readonly Scheduler: typeof Scheduler } = await import(url);
  return loaded.Scheduler;
}

/** In turns, so that what else happens on the machine meets all of them. */
function measure(scenario: Scenario, preset: PresetName): readonly Figures[] {
  const runs = implementations.map((implementation) => {
    const fleet = new Fleet(implementation, preset, scenario.size);
    while (fleet.waiting < scenario.size.queued) fleet.play(fleet.arrival());
    return { fleet, rounds: [] as Figures[] };
  });
  for (let round = 0; round < roundsUnmeasured + roundsMax; round += 1) {
    for (const { fleet, rounds } of runs) {
      const figures = measureRound(scenario, fleet);
      if (round >= roundsUnmeasured) rounds.push(figures);
    }
  }
  return runs.map(({ rounds }) => ({
    medianUs: median(rounds.map(({ medianUs }) => medianUs)),
    p99Us: median(rounds.map(({ p99Us }) => p99Us)),
  }));
}

function measureRound(scenario: Scenario, fleet: Fleet): Figures {
  const times = new Float64Array(eventsPerRound);
  for (let index = 0; index < eventsPerRound; index += 1) {
    scenario.prepare(fleet);
    const event = scenario.next(fleet);
    const startMs = performance.now();
    fleet.scheduler.handle(event);
    times[index] = (performance.now() - startMs) * 1000;
    fleet.settle();
  }
  times.sort();
  return { medianUs: times[eventsPerRound >> 1] ?? 0, p99Us: times[Math.floor(0.99 * eventsPerRound)] ?? 0 };
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[numbers.length >> 1] ?? 0;
}

function row({ name }: Scenario, figures: readonly Figures[]): string {
  const cells = figures.flatMap(({ medianUs, p99Us }) => [medianUs.toFixed(2), p99Us.toFixed(2)]);
  const [before, now] = figures;
  if (before !== undefined && now !== undefined) cells.push((now.medianUs / before.medianUs).toFixed(2));
  return `| ${name} | ${cells.join(' | ')} |`;
}
