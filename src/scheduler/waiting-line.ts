/**
 * Those who wait for a load, in the order of their turns: how many there are, and by when each of them is due. That is when its
 * model would be ready if no idle process were kept, and later by a share of that wait. Estimates; decides nothing.
 */
import type { Lane } from './entry.ts';
import type { Waiting } from './habits.ts';
import type { Ledger } from './ledger.ts';
import { canUse } from './servability.ts';
import type { ServedModel } from './served-model.ts';
import { hostOf } from './swap.ts';
import type { Swap } from './swap.ts';

interface Waiter {
  readonly lane: Lane;
  readonly ledger: Ledger;
  readonly fromMs: number;
  readonly dueMs: number;
}

export interface WaitingLineUpdate {
  /** In the order of their turns. */
  readonly lanes: readonly Lane[];
  /** By target. */
  readonly swaps: ReadonlyMap<Ledger, Swap>;
  /** By how much of its wait somebody may be served later for the sake of what is kept. */
  readonly share: number;
  readonly nowMs: number;
}

export class WaitingLine {
  #waiters: readonly Waiter[] = [];

  /** Whoever is new gets a time that stays, until somebody of the lane has been served. */
  update({ lanes, swaps, share, nowMs }: WaitingLineUpdate): void {
    const before = new Map(this.#waiters.map((waiter) => [waiter.lane, waiter]));
    const freeFromMs = new Map<string | undefined, number>();
    this.#waiters = lanes.flatMap((lane) => {
      const ledger = processFor(lane);
      const habits = ledger?.book?.habits;
      if (ledger === undefined || habits === undefined) return [];
      const startMs = swaps.get(ledger)?.startedMs ?? freeFromMs.get(hostOf(ledger)) ?? nowMs;
      const readyMs = Math.max(nowMs, startMs + (habits.loadMs ?? 0));
      freeFromMs.set(hostOf(ledger), readyMs + habits.workMs);
      const fromMs = lane.hungryFromMs;
      const known = before.get(lane);
      if (known?.fromMs === fromMs) return [known];
      // Nothing is kept at the cost of one whose load nobody has seen.
      const dueMs = habits.loadMs === undefined ? fromMs : readyMs + share * (readyMs - fromMs);
      return [{ lane, ledger, fromMs, dueMs }];
    });
  }

  /** Who waits for a load on this host. */
  waitingOn(host: string | undefined): Waiting {
    let requests = 0;
    const models = new Set<ServedModel>();
    for (const { lane } of this.#on(host)) {
      requests += lane.entries.size;
      models.add(lane.model);
    }
    return { requests, models: models.size };
  }

  /** When this host has to begin with the next load, so that everybody's model is ready when it is due. */
  nextStartMs(host: string | undefined): number {
    let startMs = Infinity;
    let aheadMs = 0;
    for (const { ledger, dueMs } of this.#on(host)) {
      const { loadMs = 0, workMs = 0 } = ledger.book?.habits ?? {};
      startMs = Math.min(startMs, dueMs - aheadMs - loadMs);
      aheadMs += loadMs + workMs;
    }
    return startMs;
  }

  #on(host: string | undefined): readonly Waiter[] {
    return this.#waiters.filter(({ ledger }) => hostOf(ledger) === host);
  }
}

/** The first process that can serve a lane, whatever it is doing. */
function processFor({ entries: { first }, model }: Lane): Ledger | undefined {
  if (first === undefined) return undefined;
  return model.seats.find((seat) => seat.ledger.book !== undefined && canUse(seat, first))?.ledger;
}
