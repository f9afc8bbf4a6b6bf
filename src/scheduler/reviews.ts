/**
 * Looks again at those who wait, when their time has come or when who can be served at all has changed: rejects those who
 * wait in vain, lets others age, claim a backend or wait for a load. Grants nothing.
 */
import type { Ageing } from './ageing.ts';
import type { Agenda } from './agenda.ts';
import type { Claims } from './claims.ts';
import type { Entry, Lane } from './entry.ts';
import type { Fleet } from './fleet.ts';
import type { Queue } from './queue.ts';
import type { Requests } from './requests.ts';
import { judge, mayWait } from './servability.ts';
import type { SchedulerSettings } from './settings.ts';
import type { Swaps } from './swaps.ts';
import type { Timetable } from './timetable.ts';

export interface ReviewsOptions {
  readonly settings: SchedulerSettings;
  readonly fleet: Fleet;
  readonly agenda: Agenda;
  readonly queue: Queue;
  readonly requests: Requests;
  readonly timetable: Timetable;
  readonly claims: Claims;
  readonly swaps: Swaps;
  readonly ageing: Ageing;
}

export class Reviews {
  readonly #fleet: Fleet;
  readonly #agenda: Agenda;
  readonly #queue: Queue;
  readonly #requests: Requests;
  readonly #timetable: Timetable;
  readonly #claims: Claims;
  readonly #swaps: Swaps;
  readonly #ageing: Ageing;
  #settings: SchedulerSettings;

  constructor(options: ReviewsOptions) {
    this.#settings = options.settings;
    this.#fleet = options.fleet;
    this.#agenda = options.agenda;
    this.#queue = options.queue;
    this.#requests = options.requests;
    this.#timetable = options.timetable;
    this.#claims = options.claims;
    this.#swaps = options.swaps;
    this.#ageing = options.ageing;
  }

  configure(settings: SchedulerSettings): void {
    this.#settings = settings;
  }

  /** The shape of the fleet changed: looks at each lane, though at nobody in it but the first, for what is possible now. */
  reviewLanes(nowMs: number): void {
    for (const lane of this.#queue.lanes.toArray()) {
      const { first } = lane.entries;
      if (first === undefined) continue;
      const verdict = judge(first, lane.model, this.#fleet);
      if (!mayWait(verdict)) {
        for (const entry of lane.entries.toArray()) this.#requests.reject(entry, verdict, nowMs);
        continue;
      }
      if (verdict === 'dead') lane.deadFromMs ??= nowMs;
      else lane.deadFromMs = undefined;
      lane.isCold = verdict === 'cold';
      this.#timetable.armLane(lane, nowMs);
      this.#swaps.watch(lane);
      // No alarm is set for what is due already.
      if (verdict === 'dead' && this.#settings.deadWaitMs <= 0) this.expireLane(lane, nowMs);
    }
    this.reviewClaims(nowMs);
  }

  /** What can be claimed has changed at large. */
  reviewClaims(nowMs: number): void {
    for (const ledger of this.#claims.review(nowMs)) this.#agenda.addLedger(ledger);
  }

  /** The alarm of an entry went off. */
  expireEntry(entry: Entry, nowMs: number): void {
    const { lane } = entry;
    if (lane === undefined) return;
    if (nowMs >= entry.awaitedUntilMs) return this.#requests.endPatience(entry, nowMs);
    if (nowMs >= this.#timetable.timeoutMs(entry)) {
      return this.#requests.reject(entry, 'queueTimeout', nowMs);
    }
    if (nowMs >= this.#timetable.deadEndMs(entry, lane)) {
      return this.#requests.reject(entry, 'noBackend', nowMs);
    }
    if (nowMs >= this.#timetable.ageingMs(entry)) this.#age(entry, lane, nowMs);
    this.#timetable.armEntry(entry, lane);
  }

  /** The alarm of a lane went off. */
  expireLane(lane: Lane, nowMs: number): void {
    if (lane.deadFromMs !== undefined) {
      for (const entry of lane.entries.toArray()) {
        if (nowMs >= this.#timetable.deadEndMs(entry, lane)) {
          this.#requests.reject(entry, 'noBackend', nowMs);
        }
      }
    }
    if (lane.entries.size === 0) return;
    if (nowMs >= this.#timetable.patienceEndMs(lane)) this.#claims.starve(lane, nowMs);
    if (lane.isCold) this.#agenda.swaps = true;
    this.#timetable.armLane(lane, nowMs);
  }

  #age(entry: Entry, lane: Lane, nowMs: number): void {
    if (this.#ageing.wasPassed(entry.priorityClass, entry.ageingFromMs)) {
      this.#queue.promote(entry, entry.priorityClass - 1);
      // With its better turn it may pass a claim.
      if (lane.entries.first === entry) this.#agenda.models.add(lane.model);
      if (lane.isCold) this.#agenda.swaps = true;
    }
    entry.ageingFromMs = nowMs;
  }
}
