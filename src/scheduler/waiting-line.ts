/**
 * Those who wait for a load, in the order of their turns: how many there are, and by when each of them is due. That is when its
 * model would be ready if no idle process were kept, and later by a share of that wait. Estimates; decides nothing.
 */
import type { Lane } from './entry.ts';
import type { Waiting } from './habits.ts';
import type { Ledger } from './ledger.ts';
import { canUse } from './servability.ts';
import { hostOf } from './swap.ts';
import type { Swap } from './swap.ts';

export interface WaitingLineUpdate {
  /** In the order of their turns. */
  readonly lanes: readonly Lane[];
  /** By target. */
  readonly swaps: ReadonlyMap<Ledger, Swap>;
  /** All processes there are. */
  readonly processes: Iterable<Ledger>;
  /** By how much of its wait somebody may be served later for the sake of what is kept. */
  readonly share: number;
  readonly nowMs: number;
}

interface Waiter {
  readonly lane: Lane;
  readonly host: string | undefined;
  readonly fromMs: number;
  readonly dueMs: number;
  /** From when its model would be ready, with nothing kept from now on, until it is due. */
  readonly spareMs: number;
}

export class WaitingLine {
  #waiters: readonly Waiter[] = [];

  /** Whoever is new gets a due time that stays, until somebody of the lane has been served. */
  update({ lanes, swaps, processes, share, nowMs }: WaitingLineUpdate): void {
    const before = new Map(this.#waiters.map((waiter) => [waiter.lane, waiter]));
    const places = countPlaces(processes);
    const rounds = new Map<string | undefined, Rounds>();
    this.#waiters = lanes.flatMap((lane) => {
      const ledger = processFor(lane);
      const habits = ledger?.book?.habits;
      if (ledger === undefined || habits === undefined) return [];
      const host = hostOf(ledger);
      const round = rounds.get(host) ?? new Rounds(places.get(host), nowMs);
      rounds.set(host, round);
      const { loadMs } = habits;
      const startMs = swaps.get(ledger)?.startedMs ?? round.nextStartMs;
      const readyMs = Math.max(nowMs, startMs + (loadMs ?? 0));
      round.take(readyMs + habits.workMs);
      const fromMs = lane.hungryFromMs;
      const known = before.get(lane);
      // Nothing is kept at the cost of one whose load nobody has seen.
      const newDueMs = loadMs === undefined ? -Infinity : readyMs + share * (readyMs - fromMs);
      const dueMs = known?.fromMs === fromMs ? known.dueMs : newDueMs;
      return [{ lane, host, fromMs, dueMs, spareMs: dueMs - readyMs }];
    });
  }

  /** Who waits for a load on this host. */
  waitingOn(host: string | undefined): Waiting {
    const lanes = this.#on(host).map(({ lane }) => lane);
    return {
      requests: lanes.reduce((sum, { entries }) => sum + entries.size, 0),
      models: new Set(lanes.map(({ model }) => model)).size,
    };
  }

  /** For how long this host can put off its next load, so that everybody's model is ready when it is due; below 0: not at all. */
  spareMs(host: string | undefined): number {
    return Math.min(...this.#on(host).map(({ spareMs }) => spareMs));
  }

  #on(host: string | undefined): readonly Waiter[] {
    return this.#waiters.filter((waiter) => waiter.host === host);
  }
}

/** Loads one after the other in each of some places. */
class Rounds {
  readonly #freeFromMs: number[];

  constructor(places = 1, fromMs: number) {
    this.#freeFromMs = Array.from({ length: places }, () => fromMs);
  }

  get nextStartMs(): number {
    return Math.min(...this.#freeFromMs);
  }

  /** Takes the place that is free first. */
  take(untilMs: number): void {
    this.#freeFromMs[this.#freeFromMs.indexOf(this.nextStartMs)] = untilMs;
  }
}

function countPlaces(processes: Iterable<Ledger>): ReadonlyMap<string | undefined, number> {
  const places = new Map<string | undefined, number>();
  for (const ledger of processes) {
    if (ledger.book?.phase === 'stopped') continue;
    places.set(hostOf(ledger), (places.get(hostOf(ledger)) ?? 0) + 1);
  }
  return places;
}

/** The first process that can serve a lane, whatever it is doing. */
function processFor({ entries: { first }, model }: Lane): Ledger | undefined {
  if (first === undefined) return undefined;
  return model.seats.find((seat) => seat.ledger.book !== undefined && canUse(seat, first))?.ledger;
}
