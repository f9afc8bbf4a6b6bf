/** The measurements. Each one runs against one proxy and yields figures by name; any wrong answer makes it throw. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Peer } from './pinned-process.ts';
import { readUsage } from './process-usage.ts';
import { frameBytes } from './protocol.ts';
import type { Job, LoadCommand, LoadCount, StubCount } from './protocol.ts';
import type { RunningStack, StackName } from './stacks.ts';

export interface Rig {
  readonly load: Peer<LoadCommand, LoadCount>;
  readonly stub: Peer<object, StubCount>;
  /** Scales every duration; 1 in a full run. */
  readonly pace: number;
}

export interface Scenario {
  readonly name: string;
  readonly title: string;
  /** Figure names, in the order of the table's columns. */
  readonly figures: readonly string[];
  readonly stacks: readonly StackName[];
  run(stack: RunningStack, rig: Rig): Promise<Readonly<Record<string, number>>>;
}

const proxies = ['haproxy', 'nginx', 'llamero', 'llamero-log'] as const;

function requestScenario(kilobytes: number, connections: number): Scenario {
  const figure = `${kilobytes} KB`;
  return {
    name: `request-${kilobytes}k`,
    title: `CPU per request, ${kilobytes} KB body (µs)`,
    figures: [figure],
    stacks: ['haproxy', 'haproxy-inspect', 'nginx', 'llamero', 'llamero-log'],
    async run(stack, rig) {
      const job: Job = { kind: 'closed', port: stack.port, connections, bodyBytes: kilobytes * 1024 };
      const window = await measureWindow(stack, rig, { job, warmUpMs: 400, windowMs: 2200 });
      return {
        [figure]: window.cpuUs / window.answers,
        [`req/s at ${figure}`]: window.answers / (window.ms / 1000),
      };
    },
  };
}

const chunkScenario: Scenario = {
  name: 'chunk',
  title: `CPU per streamed chunk of ${frameBytes} B, 200 streams × 50/s (µs)`,
  figures: ['chunk'],
  stacks: proxies,
  async run(stack, rig) {
    const streams = 200;
    const job: Job = { kind: 'streams', port: stack.port, streams, chunks: 100_000, intervalMs: 20 };
    const window = await measureWindow(stack, rig, { job, warmUpMs: 600, windowMs: 3000, streams });
    const chunks = window.bodyBytes / frameBytes;
    return { chunk: window.cpuUs / chunks, 'chunks/s': chunks / (window.ms / 1000) };
  },
};

const latencyScenario: Scenario = {
  name: 'latency',
  title: 'Whole latency of a 1 KB request at 500 requests/s (µs)',
  figures: ['p50', 'p99'],
  stacks: ['direct', ...proxies],
  async run(stack, rig) {
    const ratePerS = 500;
    const seconds = 4 * rig.pace;
    await rig.load.ask({ do: 'start', job: { kind: 'paced', port: stack.port, ratePerS, bodyBytes: 1024 } });
    await sleep(500 * rig.pace);
    const before = await rig.load.ask({ do: 'count' });
    await sleep(seconds * 1000);
    const after = check(await rig.load.ask({ do: 'stop' }));
    const latencies = after.latenciesUs.slice(before.answers).sort((a, b) => a - b);
    if (latencies.length < ratePerS * seconds * 0.9)
      throw new Error(`only ${latencies.length} answers at 500/s`);
    return { p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) };
  },
};

const memoryScenario: Scenario = {
  name: 'memory',
  title: 'Memory at 1,000 open streams (RSS)',
  figures: ['MB', 'KB per stream'],
  stacks: ['haproxy', 'nginx', 'llamero'],
  async run(stack, rig) {
    const streams = 1000;
    const idleBytes = usageOf(stack).rssBytes;
    const job: Job = { kind: 'streams', port: stack.port, streams, chunks: 100_000, intervalMs: 250 };
    await rig.load.ask({ do: 'start', job });
    await untilOpened(rig, streams);
    await sleep(1500 * rig.pace);
    const { rssBytes } = usageOf(stack);
    check(await rig.load.ask({ do: 'stop' }));
    await untilStreamsEnded(rig);
    return { MB: rssBytes / 1e6, 'KB per stream': (rssBytes - idleBytes) / streams / 1000 };
  },
};

export const scenarios: readonly Scenario[] = [
  requestScenario(1, 32),
  requestScenario(32, 32),
  requestScenario(512, 8),
  chunkScenario,
  latencyScenario,
  memoryScenario,
];

/** By count and not by time: on a busy machine a short time would leave the code cold. */
const warmUps = [
  { kilobytes: 1, answers: 20_000 },
  { kilobytes: 32, answers: 5000 },
  { kilobytes: 512, answers: 500 },
];

/** Before any figure: whole streams must arrive to the byte, and code that is compiled as it runs must be warm. */
export async function verifyAndWarmUp(stack: RunningStack, rig: Rig): Promise<void> {
  const streams = 20;
  await rig.load.ask({
    do: 'start',
    job: { kind: 'streams', port: stack.port, streams, chunks: 25, intervalMs: 4 },
  });
  await until(
    'every stream has ended',
    async () => (await rig.load.ask({ do: 'count' })).answers === streams,
  );
  check(await rig.load.ask({ do: 'stop' }));
  for (const { kilobytes, answers } of warmUps) {
    const job: Job = { kind: 'closed', port: stack.port, connections: 8, bodyBytes: kilobytes * 1024 };
    await rig.load.ask({ do: 'start', job });
    const deadlineMs = performance.now() + 10_000;
    const enough = async (): Promise<boolean> =>
      (await rig.load.ask({ do: 'count' })).answers >= answers * rig.pace;
    while (!(await enough()) && performance.now() < deadlineMs) await sleep(50);
    check(await rig.load.ask({ do: 'stop' }));
  }
}

interface Window {
  readonly cpuUs: number;
  readonly ms: number;
  readonly answers: number;
  readonly bodyBytes: number;
}

/** Starts a job, lets it settle, and takes the differences over the time after that. */
async function measureWindow(
  stack: RunningStack,
  rig: Rig,
  plan: { job: Job; warmUpMs: number; windowMs: number; streams?: number },
): Promise<Window> {
  await rig.load.ask({ do: 'start', job: plan.job });
  if (plan.streams !== undefined) await untilOpened(rig, plan.streams);
  await sleep(plan.warmUpMs * rig.pace);
  const [count0, usage0, ms0] = [await rig.load.ask({ do: 'count' }), usageOf(stack), performance.now()];
  await sleep(plan.windowMs * rig.pace);
  const [count1, usage1, ms1] = [await rig.load.ask({ do: 'count' }), usageOf(stack), performance.now()];
  check(await rig.load.ask({ do: 'stop' }));
  if (plan.streams !== undefined) await untilStreamsEnded(rig);
  return {
    cpuUs: usage1.cpuUs - usage0.cpuUs,
    ms: ms1 - ms0,
    answers: count1.answers - count0.answers,
    bodyBytes: count1.bodyBytes - count0.bodyBytes,
  };
}

function usageOf(stack: RunningStack): ReturnType<typeof readUsage> {
  if (stack.pid === undefined) throw new Error(`${stack.name} has no process of its own`);
  return readUsage(stack.pid);
}

function check(count: LoadCount): LoadCount {
  if (count.errors > 0) throw new Error(`${count.errors} wrong answers, the first: ${count.firstError}`);
  if (count.answers === 0 && count.opened === 0) throw new Error('no answer at all');
  return count;
}

function untilOpened(rig: Rig, streams: number): Promise<void> {
  return until(`${streams} streams are open`, async () => {
    const count = await rig.load.ask({ do: 'count' });
    if (count.errors > 0) check(count);
    return count.opened >= streams;
  });
}

/** The clients have left; a proxy that keeps their streams alive at the engine is at fault. */
function untilStreamsEnded(rig: Rig): Promise<void> {
  return until(
    'the engine sees that the clients have left',
    async () => (await rig.stub.ask({})).openStreams === 0,
  );
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + 10_000;
  while (!(await holds())) {
    if (performance.now() > deadlineMs) throw new Error(`not within 10 s: ${what}`);
    await sleep(20);
  }
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
