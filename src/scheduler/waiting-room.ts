/**
 * Coming and going in the queue, with all that hangs on it: alarms, claims, lanes that have to be loaded. Owns none of these
 * and decides about nobody; sees to it that whoever leaves, leaves nothing behind.
 */
import type { Agenda } from './agenda.ts';
import type { Claims } from './claims.ts';
import type { Entry, Lane } from './entry.ts';
import type { Fleet } from './fleet.ts';
import type { Queue } from './queue.ts';
import type { ServedModel } from './served-model.ts';
import type { SchedulerSettings } from './settings.ts';
import type { Swaps } from './swaps.ts';
import type { Timetable } from './timetable.ts';

export interface WaitingRoomOptions {
  readonly fleet: Fleet;
  readonly agenda: Agenda;
  readonly queue: Queue;
  readonly claims: Claims;
  readonly timetable: Timetable;
  readonly swaps: Swaps;
}

export class WaitingRoom {
  readonly #fleet: Fleet;
  readonly #agenda: Agenda;
  readonly #queue: Queue;
  readonly #claims: Claims;
  readonly #timetable: Timetable;
  readonly #swaps: Swaps;

  constructor(options: WaitingRoomOptions) {
    this.#fleet = options.fleet;
    this.#agenda = options.agenda;
    this.#queue = options.queue;
    this.#claims = options.claims;
    this.#timetable = options.timetable;
    this.#swaps = options.swaps;
  }

  /** `lane` may be a new one that nobody knows yet. */
  enter(entry: Entry, lane: Lane, nowMs: number): void {
    this.#queue.add(entry, lane);
    this.#timetable.armEntry(entry, lane);
    if (lane.entries.size > 1) return this.#swaps.grew(lane);
    this.#timetable.armLane(lane, nowMs);
    this.#swaps.watch(lane);
  }

  /** Takes an entry out, if it waits, and tidies up behind it. `isServed`: it was granted. */
  leave(entry: Entry, isServed: boolean, nowMs: number): void {
    this.#timetable.clear(entry);
    this.#swaps.settle(entry);
    const lane = this.#queue.remove(entry, isServed);
    if (lane === undefined) return;
    if (lane.entries.size === 0) {
      this.#retire(lane);
      this.#fleet.forgetIfUnused(lane.model);
    } else if (isServed) {
      const wasStarving = this.#claims.isStarving(lane);
      lane.hungryFromMs = nowMs;
      this.#agenda.addLedger(this.#claims.satisfy(lane));
      if (wasStarving) this.#timetable.armLane(lane, nowMs);
    } else {
      // The next one in the lane may have a later turn, so that the claim stops fewer of the others.
      this.#agenda.addLedger(lane.claim);
    }
  }

  /** A backend must not drain for a model that may not start anyway. */
  suspendClaims(model: ServedModel): void {
    for (const lane of model.lanes.values()) this.#agenda.addLedger(this.#claims.suspend(lane));
  }

  /** Sorts those who wait for a model into lanes again. */
  sortAgain(model: ServedModel, nowMs: number): void {
    for (const entry of this.#takeOut(model)) this.enter(entry, this.#queue.laneFor(entry, model), nowMs);
  }

  /** Gives everybody a new turn, by arrival. */
  reorder(ordering: SchedulerSettings['ordering'], nowMs: number): void {
    const waiting = this.#takeOut(undefined);
    this.#queue.setOrdering(ordering);
    for (const entry of waiting) {
      entry.tag = this.#queue.tagFor(entry);
      this.enter(entry, this.#queue.laneFor(entry, this.#fleet.model(entry.request.model)), nowMs);
    }
  }

  #takeOut(model: ServedModel | undefined): readonly Entry[] {
    for (const lane of this.#queue.lanes) {
      if (model === undefined || lane.model === model) this.#retire(lane);
    }
    return this.#queue.takeOut(model);
  }

  #retire(lane: Lane): void {
    this.#timetable.clear(lane);
    this.#swaps.forget(lane);
    this.#agenda.addLedger(this.#claims.satisfy(lane));
  }
}
