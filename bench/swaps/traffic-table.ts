/** What contestants make of kinds of traffic, several cases of each taken together. */
import { runBox, type BoxOptions } from './box.ts';
import { settingsFor, type Contestant } from './contestants.ts';
import { mean, quantile, row, seconds } from './numbers.ts';
import type { Traffic } from './workloads.ts';

export interface TrafficTableOptions {
  readonly traffics: readonly Traffic[];
  readonly contestantsFor: (traffic: Traffic) => readonly Contestant[];
  readonly box: Omit<BoxOptions, 'settings'>;
  /** Numbers of the cases. */
  readonly runs: readonly number[];
}

export function trafficTable({ traffics, contestantsFor, box, runs }: TrafficTableOptions): string {
  const rows = traffics.flatMap((traffic) =>
    contestantsFor(traffic).map((contestant) => {
      const results = runs.map((run) => {
        const workload = traffic.draw(run);
        const { isByLastUse = false } = contestant;
        return runBox(workload, { ...box, settings: settingsFor(contestant, workload), isByLastUse });
      });
      const waitsMs = results.flatMap((result) => result.waitsMs).toSorted((one, other) => one - other);
      return row([
        traffic.name,
        contestant.name,
        (waitsMs.length / runs.length).toFixed(0),
        mean(results.map(({ loads }) => loads)).toFixed(0),
        seconds(mean(waitsMs)),
        ...[0.5, 0.99, 0.999, 1].map((share) => seconds(quantile(waitsMs, share))),
        `${(mean(results.map(({ totalMs }) => totalMs)) / 60_000).toFixed(0)} min`,
      ]);
    }),
  );
  return [
    '| traffic | settings | requests | loads | wait, mean | p50 | p99 | p99.9 | longest | until the last answer |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}
