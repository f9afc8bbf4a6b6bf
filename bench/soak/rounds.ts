/**
 * The long run: rounds of use with everything that goes wrong in a fleet, each followed by a pause in which all has to be as
 * it was before. What grows from pause to pause is kept by somebody who should not.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '../../src/base/random.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import { Fleet, keys, names } from './fleet.ts';
import { startUsers } from './users.ts';
import { WatchedRouter, type Reading } from './watched-router.ts';

export interface RoundsOptions {
  readonly folder: string;
  readonly minutes: number;
  readonly ratePerS: number;
  readonly say: (line: string) => void;
  /** Pictures of the heap are written after the third and the last round; they hold the program still for seconds. */
  readonly withSnapshots: boolean;
}

export interface RoundsResult {
  /** Every ten seconds, in the middle of things. */
  readonly busy: readonly Reading[];
  /** One per round, when nobody wants anything. */
  readonly idle: readonly Reading[];
  /** Rules that did not hold. */
  readonly broken: readonly string[];
  /** How requests ended, as the router counts them. */
  readonly outcomes: Readonly<Partial<Record<Outcome, number>>>;
  readonly chaos: Readonly<Record<'reloads' | 'breaks' | 'kills', number>>;
}

const seed = 41;
const roundS = 110;
const readEveryS = 10;
const reloadEveryS = 20;
const breakEveryS = 30;
const brokenS = 4;
const killEveryS = 45;
const settleMsMax = 30_000;

/** Runs for about `minutes`, whole rounds. */
export async function runRounds(options: RoundsOptions): Promise<RoundsResult> {
  const { folder, minutes, say } = options;
  const fleet = await Fleet.start(seed);
  const router = await WatchedRouter.start({ folder, config: fleet.config(folder), adminKey: keys.admin });
  const result = {
    busy: [] as Reading[],
    idle: [] as Reading[],
    broken: [] as string[],
    outcomes: {},
    chaos: { reloads: 0, breaks: 0, kills: 0 },
  };
  const run = { ...options, fleet, router, result };
  const untilMs = performance.now() + minutes * 60_000;
  try {
    for (let round = 1; performance.now() < untilMs; round += 1) {
      await useForARound(run, round);
      await settle(run, round);
      const isLast = performance.now() >= untilMs;
      if (options.withSnapshots && (round === 3 || isLast)) {
        await router.inspector.writeHeapSnapshot(join(folder, `round-${round}.heapsnapshot`));
      }
    }
    result.outcomes = (await router.status()).requests.by_outcome;
    result.broken.push(...router.errors.slice(0, 20).map((line) => `logged: ${line}`));
  } finally {
    await router.close();
    await fleet.close();
  }
  say(`${result.idle.length} rounds, ${JSON.stringify(result.outcomes)}, ${JSON.stringify(result.chaos)}`);
  return result;
}

type Run = RoundsOptions & {
  readonly fleet: Fleet;
  readonly router: WatchedRouter;
  readonly result: {
    readonly busy: Reading[];
    readonly idle: Reading[];
    readonly broken: string[];
    outcomes: RoundsResult['outcomes'];
    readonly chaos: Record<'reloads' | 'breaks' | 'kills', number>;
  };
};

async function useForARound(run: Run, round: number): Promise<void> {
  const { fleet, router, result, ratePerS } = run;
  const users = startUsers({ url: router.url, ratePerS, seed: seed + round });
  const random = createRandom(seed * round);
  const isDue = (second: number, every: number, phase = 0): boolean => second % every === phase;
  const startedMs = performance.now();
  for (let second = 1; second <= roundS; second += 1) {
    await sleep(Math.max(0, startedMs + second * 1000 - performance.now()));
    if (isDue(second, reloadEveryS)) reload(run);
    if (isDue(second, breakEveryS)) {
      result.chaos.breaks += 1;
      await fleet.breakOne();
    }
    if (isDue(second, breakEveryS, brokenS)) await fleet.repair();
    if (isDue(second, killEveryS)) result.chaos.kills += killOne(router.children(), random.next());
    if (isDue(second, readEveryS, 7)) {
      const reading = await router.read();
      result.busy.push(reading);
      if (reading.wrongSlots.length > 0) {
        result.broken.push(`${reading.atS} s: ${reading.wrongSlots.join('; ')}`);
      }
    }
  }
  users.stop();
  const deadlineMs = performance.now() + settleMsMax;
  while (users.out > 0 && performance.now() < deadlineMs) await sleep(100);
  if (users.out > 0) result.broken.push(`round ${round}: ${users.out} requests never ended`);
  await users.close();
}

function reload({ fleet, router, result, folder }: Run): void {
  fleet.change();
  result.chaos.reloads += 1;
  router.reload(fleet.config(folder));
}

/** Returns how many. */
function killOne(pids: readonly number[], chance: number): number {
  const pid = pids[Math.floor(chance * pids.length)];
  if (pid === undefined) return 0;
  process.kill(pid, 'SIGKILL');
  return 1;
}

/** Puts the fleet right, waits until nothing is left of the round, and reads what there is then. */
async function settle(run: Run, round: number): Promise<void> {
  const { fleet, router, result, say } = run;
  await fleet.repair();
  // Always the same configuration, so that pauses can be compared.
  while (result.chaos.reloads % 2 === 1) reload(run);
  const deadlineMs = performance.now() + settleMsMax;
  let left = ['not looked'];
  while (left.length > 0 && performance.now() < deadlineMs) {
    await router.get('/api/models/unload', { method: 'POST' });
    await sleep(500);
    left = await leftOf(router);
  }
  for (const what of left)
    result.broken.push(`round ${round}: ${what} after ${settleMsMax / 1000} s of peace`);
  const reading = await router.read();
  result.idle.push(reading);
  const { rssBytes, heapBytes, externalBytes, fds, timers, storeBytes, walBytes, requests } = reading;
  const mb = (bytes: number): string => (bytes / 1e6).toFixed(2);
  say(
    `round ${round}: heap ${mb(heapBytes)} MB, external ${mb(externalBytes)} MB, rss ${mb(rssBytes)} MB, ${fds} fds, ` +
      `${timers} timers, store ${mb(storeBytes)} + ${mb(walBytes)} MB, ${requests} requests`,
  );
}

/** What should not be there when nobody wants anything. */
async function leftOf(router: WatchedRouter): Promise<string[]> {
  const { requests, queue, backends } = await router.status();
  const local = new Set<string>(names.swapped);
  return [
    ...(requests.in_flight > 0 ? [`${requests.in_flight} requests in flight`] : []),
    ...(queue.depth > 0 ? [`${queue.depth} requests queued`] : []),
    ...backends.flatMap(({ id, state, slots: { own, lingering, foreign, free, total } }) => {
      if (own + lingering + foreign > 0 || (!local.has(id) && free !== total)) {
        return [`slots of ${id} are taken (${own} own, ${lingering} lingering, ${foreign} foreign)`];
      }
      return local.has(id) || state === 'live' ? [] : [`${id} is ${state}`];
    }),
    ...(router.children().length > 0 ? [`${router.children().length} children`] : []),
  ];
}
