/** The results of a soak as a page: what was done, what grew, what broke. */
import type { Machine } from '../overhead/machine.ts';
import type { RoundsResult } from './rounds.ts';
import type { StreamsResult, StreamsTime } from './streams.ts';
import { trendOf, type Trend } from './trend.ts';
import type { Reading } from './watched-router.ts';

export interface SoakResult {
  readonly commit: string;
  readonly startedAt: string;
  readonly machine: Machine;
  readonly rounds: RoundsResult | undefined;
  readonly streams: StreamsResult | undefined;
}

interface Row {
  readonly name: string;
  readonly of: (reading: Reading) => number;
  /** Trends of what is counted, or bounded and full at once, say nothing. */
  readonly hasTrend?: true;
}

const inMb =
  (of: (reading: Reading) => number) =>
  (reading: Reading): number =>
    of(reading) / 1e6;

const rows: readonly Row[] = [
  { name: 'heap, MB', of: inMb(({ heapBytes }) => heapBytes), hasTrend: true },
  { name: 'buffers, MB', of: inMb(({ externalBytes }) => externalBytes), hasTrend: true },
  { name: 'resident, MB', of: inMb(({ rssBytes }) => rssBytes), hasTrend: true },
  { name: 'file descriptors', of: ({ fds }) => fds, hasTrend: true },
  { name: 'timers', of: ({ timers }) => timers, hasTrend: true },
  { name: 'series of metrics', of: ({ metricSeries }) => metricSeries },
  { name: 'conversations', of: ({ sessions }) => sessions },
  { name: 'index of prompts, MB', of: inMb(({ prefixBytes }) => prefixBytes) },
  { name: 'answers in the cache', of: ({ cacheEntries }) => cacheEntries },
  { name: 'store, MB', of: inMb(({ storeBytes }) => storeBytes) },
  { name: 'its journal, MB', of: inMb(({ walBytes }) => walBytes) },
  { name: 'children', of: ({ children }) => children },
  { name: 'requests so far', of: ({ requests }) => requests },
];

export function reportOf({ commit, startedAt, machine, rounds, streams }: SoakResult): string {
  const head = `# Soak

Commit ${commit}, ${startedAt.slice(0, 16).replace('T', ' ')} UTC. ${machine.cpu}, ${machine.cores} cores; Linux ${machine.kernel}; Node ${machine.node}; load average before: ${machine.load1m.toFixed(2)}.
`;
  return [
    head,
    ...(rounds === undefined ? [] : [reportRounds(rounds)]),
    ...(streams === undefined ? [] : [reportStreams(streams)]),
  ].join('\n');
}

function reportRounds({ busy, idle, broken, outcomes, chaos }: RoundsResult): string {
  const minutes = Math.round((idle.at(-1)?.atS ?? 0) / 60);
  const settled = idle.slice(Math.floor(idle.length / 2));
  const lines = rows.map(({ name, of, hasTrend }) => {
    const trend =
      hasTrend && settled.length >= 3
        ? showTrend(trendOf(settled.map((each) => ({ atS: each.atS, value: of(each) }))))
        : '';
    const points = [idle[0], settled[0], idle.at(-1)].map((each) =>
      each === undefined ? '' : show(of(each)),
    );
    return `| ${[name, ...points, trend].join(' | ')} |`;
  });
  const ends = Object.entries(outcomes)
    .filter(([, count]) => count > 0)
    .map(([outcome, count]) => `${count} \`${outcome}\``)
    .join(', ');
  const peak = (of: (reading: Reading) => number): number => Math.max(...busy.map(of));
  return `## The long run

${minutes} minutes in ${idle.length} rounds. Requests by how they ended: ${ends}. Meanwhile ${chaos.reloads} reloads, ${chaos.breaks} engines that died and came back, ${chaos.kills} models killed. Busiest moments: ${peak(({ inFlight }) => inFlight)} requests in flight, ${peak(({ queued }) => queued)} queued, ${peak(({ children }) => children)} children, ${peak(({ fds }) => fds)} file descriptors.

In the pauses, after a collection of garbage:

| | first | middle | last | growth per hour since the middle |
|---|---:|---:|---:|---:|
${lines.join('\n')}

${showBroken(broken)}
`;
}

function reportStreams({ streams, intervalMs, times, broken }: StreamsResult): string {
  const lines = times.map((time, index) => {
    const cells = [
      perStream(time, ({ rssBytes }) => rssBytes),
      perStream(time, ({ heapBytes }) => heapBytes),
    ];
    const { open, after, silenceMs, goneMs } = time;
    const left = `${after.inFlight} requests, ${after.fds - time.before.fds} file descriptors`;
    return `| ${[index + 1, ...cells, perStream(time, ({ externalBytes }) => externalBytes), show(open.lagMs), show(silenceMs.p50), show(silenceMs.max), goneMs, left].join(' | ')} |`;
  });
  return `## ${streams} open streams

An event each ${intervalMs} ms in every stream. Each row opens all of them in the same router, waits, and leaves all at once; only the first one finds a process that never was as large.

| time | KB each, resident | of that heap | of that buffers | event loop late, ms at most | longest silence, ms, median | of all | engine free after, ms | left behind |
|---:|---:|---:|---:|---:|---:|---:|---:|---|
${lines.join('\n')}

${showBroken(broken)}
`;
}

function perStream({ before, open }: StreamsTime, of: (reading: Reading) => number): string {
  return show((of(open) - of(before)) / open.inFlight / 1000);
}

function showTrend({ perHour, uncertainty }: Trend): string {
  return `${show(perHour)} ± ${show(uncertainty)}`;
}

function show(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(Math.abs(value) < 10 ? 2 : 1);
}

function showBroken(broken: readonly string[]): string {
  if (broken.length === 0)
    return 'Every rule held: slots add up, and in each pause nothing was in flight, queued or left running.';
  return `Rules that did not hold:\n\n${broken.map((line) => `- ${line}`).join('\n')}`;
}
