/**
 * What relaying costs: Llamero beside HAProxy, nginx and no proxy at all, in one run on one machine. Rounds are
 * interleaved, so that a disturbance hits everybody. See bench/README.md for how to read the figures.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describeCommit, describeMachine } from './machine.ts';
import { parseOptions, usage } from './options.ts';
import type { Options } from './options.ts';
import { Peer } from './pinned-process.ts';
import { addSystemFolders, provideStacks } from './programs.ts';
import type { LoadCommand, LoadCount } from './protocol.ts';
import { tablesOf, toMarkdown } from './report.ts';
import type { Sample, Table } from './report.ts';
import { verifyAndWarmUp } from './scenarios.ts';
import type { Rig, Scenario } from './scenarios.ts';
import { stackTitles, startStack } from './stacks.ts';
import type { RunningStack, StackName } from './stacks.ts';

const root = resolve(import.meta.dirname, '../..');
const say = (line: string): void => console.error(line);

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    console.log(usage);
    return;
  }
  process.env['PATH'] = addSystemFolders(process.env['PATH'] ?? '');
  const startedAt = new Date();
  const wanted = options.stacks.filter((stack) =>
    options.scenarios.some(({ stacks }) => stacks.includes(stack)),
  );
  const stacks = provideStacks(wanted, say);
  const machine = describeMachine();
  const samples = await runAll(options, stacks);
  const tables = tablesOf(options.scenarios, samples);
  const result = {
    commit: describeCommit(root),
    startedAt: startedAt.toISOString(),
    rounds: options.rounds,
    pace: options.pace,
    machine,
    tables,
    samples,
  };
  const text = reportOf(result, tables);
  console.log(text);
  const name = join(
    root,
    'bench',
    'results',
    `overhead-${startedAt.toISOString().slice(0, 10)}-${result.commit}`,
  );
  mkdirSync(resolve(name, '..'), { recursive: true });
  writeFileSync(`${name}.json`, `${JSON.stringify(result, undefined, 2)}\n`);
  writeFileSync(`${name}.md`, text);
  say(`written to ${name}.md and .json after ${Math.round((Date.now() - startedAt.getTime()) / 1000)} s`);
  if (samples.some(({ error }) => error !== undefined)) process.exitCode = 1;
}

/** Starts the helpers and every proxy, measures round by round, ends them all whatever happens. */
async function runAll(options: Options, names: readonly StackName[]): Promise<Sample[]> {
  const folder = mkdtempSync(join(tmpdir(), 'llamero-bench-'));
  const stub = new Peer<object, { openStreams: number; port?: number }>(
    'stub',
    join(import.meta.dirname, 'stub-engine.ts'),
  );
  const load = new Peer<LoadCommand, LoadCount>('load', join(import.meta.dirname, 'load.ts'));
  const rig: Rig = { stub, load, pace: options.pace };
  const running: RunningStack[] = [];
  const samples: Sample[] = [];
  try {
    const { port } = await stub.next();
    for (const name of names) {
      try {
        const stack = await startStack(name, { folder, stubPort: port ?? 0 });
        running.push(stack);
        await verifyAndWarmUp(stack, rig);
      } catch (error) {
        samples.push(...failed(options, name, error));
      }
    }
    for (let round = 1; round <= options.rounds; round += 1) {
      for (const scenario of options.scenarios) {
        for (const stack of rotated(running, round)) {
          const broken = samples.some((sample) => sample.stack === stack.name && sample.error !== undefined);
          if (broken || !scenario.stacks.includes(stack.name)) continue;
          samples.push(await measure(round, { scenario, stack, rig }));
        }
      }
      say(`round ${round} of ${options.rounds} done`);
    }
    return samples;
  } finally {
    await Promise.all(running.map((stack) => stack.close()));
    await Promise.all([stub.close(), load.close()]);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(
  round: number,
  run: { scenario: Scenario; stack: RunningStack; rig: Rig },
): Promise<Sample> {
  const { scenario, stack, rig } = run;
  const sample = { round, scenario: scenario.name, stack: stack.name };
  try {
    return { ...sample, figures: await scenario.run(stack, rig), error: undefined };
  } catch (error) {
    await rig.load.ask({ do: 'stop' });
    const reason = messageOf(error);
    say(`${stackTitles[stack.name]}, ${scenario.name}: ${reason}`);
    return { ...sample, figures: {}, error: reason };
  }
}

function failed(options: Options, stack: StackName, error: unknown): Sample[] {
  const reason = messageOf(error);
  say(`${stackTitles[stack]}: ${reason}`);
  return options.scenarios
    .filter(({ stacks }) => stacks.includes(stack))
    .map(({ name }) => ({ round: 1, scenario: name, stack, figures: {}, error: reason }));
}

/** Another one goes first in every round. */
function rotated(stacks: readonly RunningStack[], round: number): RunningStack[] {
  const first = round % Math.max(1, stacks.length);
  return [...stacks.slice(first), ...stacks.slice(0, first)];
}

function reportOf(
  result: {
    commit: string;
    startedAt: string;
    rounds: number;
    pace: number;
    machine: ReturnType<typeof describeMachine>;
  },
  tables: readonly Table[],
): string {
  const { machine, rounds } = result;
  return [
    '# Overhead of relaying',
    '',
    `Commit ${result.commit}, ${result.startedAt.slice(0, 16).replace('T', ' ')} UTC. ${rounds} interleaved round${rounds === 1 ? '' : 's'}${result.pace < 1 ? ', shortened (--quick)' : ''}; medians, lowest–highest in brackets.`,
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB; Linux ${machine.kernel}; Node ${machine.node}; HAProxy ${machine.haproxy ?? 'absent'}; nginx ${machine.nginx ?? 'absent'}; ${machine.pinning}; load average before: ${machine.load1m.toFixed(2)}.`,
    '',
    ...tables.map(toMarkdown),
  ].join('\n');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

await main().catch((error: unknown) => {
  say(messageOf(error));
  process.exitCode = 1;
});
