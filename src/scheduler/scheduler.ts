/**
 * The one owner of queue, permits and placement. `handle` is the only way in, `Effects` the only way out; the same
 * events and the same seed give the same effects. Knows no timers, no clock and no network.
 */
import type { BackendId, RequestId } from '../domain/ids.ts';
import type { RequestFacts } from '../domain/request-facts.ts';
import { readAffinity, type AffinityReading } from './affinity.ts';
import type { CandidateTrace } from './decision.ts';
import type { SchedulerEvent } from './events.ts';
import { assemble, type Parts, type SchedulerOptions } from './parts.ts';
import type { SchedulerSettings } from './settings.ts';
import { takeSnapshot, type SchedulerSnapshot } from './snapshot.ts';
import type { LoadForesight } from './swap.ts';

export class Scheduler {
  readonly #parts: Parts;
  #settings: SchedulerSettings;
  #nowMs = -Infinity;
  #isHandling = false;

  /** Throws when the settings name a policy that does not exist. */
  constructor(options: SchedulerOptions) {
    this.#parts = assemble(options);
    this.#settings = options.settings;
  }

  /** Throws on a request id that is in use, on settings that name no policy, and when called from inside an effect. */
  handle(event: SchedulerEvent): void {
    if (this.#isHandling) throw new Error('Scheduler.handle was called from inside one of its effects');
    this.#isHandling = true;
    const { requests, serving, timetable } = this.#parts;
    try {
      const nowMs = Math.max(this.#nowMs, event.nowMs);
      this.#nowMs = nowMs;
      // Whoever left must not be granted or rejected by what is due at the same time.
      if (event.type === 'requestCancelled') requests.cancel(event.id, nowMs);
      this.#expire(nowMs);
      serving.settle(nowMs);
      this.#apply(event, nowMs);
      serving.settle(nowMs);
      timetable.askForWakeUp(event.type === 'timePassed');
    } finally {
      this.#isHandling = false;
    }
  }

  snapshot(options: { readonly nowMs: number; readonly queuedMax: number }): SchedulerSnapshot {
    const { fleet, queue, claims, swaps, timetable, requests, sessions } = this.#parts;
    sessions.prune(options.nowMs);
    return takeSnapshot({
      ...options,
      fleet,
      queue,
      claims,
      swaps,
      alarms: timetable.size,
      requests: requests.size,
      sessions: sessions.size,
      draining: requests.isDraining,
    });
  }

  readAffinity(options: { readonly nowMs: number; readonly sessionsMax: number }): AffinityReading {
    return readAffinity(this.#parts, options);
  }

  /** How the live backends would be rated if the request came now, the best first; changes nothing. */
  explain(request: RequestFacts, nowMs: number): readonly CandidateTrace[] {
    const { fleet, requests, placement } = this.#parts;
    const entry = requests.imagine(request, nowMs);
    return placement.explain(entry, fleet.ledgers, nowMs);
  }

  /** What a load of a process by hand would do now; undefined = there is no such process. Changes nothing. */
  foreseeLoad(id: BackendId, nowMs: number): LoadForesight | undefined {
    const ledger = this.#parts.fleet.ledger(id);
    return ledger?.book === undefined ? undefined : this.#parts.swaps.foresee(ledger, nowMs);
  }

  /** The place in the queue, 1 = next in order; undefined when it does not wait. Costs a search in each lane. */
  positionOf(
    id: RequestId,
    nowMs: number = this.#nowMs,
  ): { readonly position: number; readonly waitedMs: number } | undefined {
    const { queue, requests } = this.#parts;
    const entry = requests.get(id);
    if (entry?.lane === undefined) return undefined;
    return { position: queue.countBefore(entry) + 1, waitedMs: nowMs - entry.arrivedMs };
  }

  #apply(event: SchedulerEvent, nowMs: number): void {
    const { requests, news, fleet } = this.#parts;
    switch (event.type) {
      case 'requestArrived':
        return requests.arrive(event.request, nowMs);
      case 'requestFinished':
        return requests.finish(event, nowMs);
      case 'requestRetried':
        return requests.retry(event.id, nowMs);
      case 'backendChanged':
        return news.follow(fleet.apply(event.view), nowMs);
      case 'backendRemoved':
        return news.follow(fleet.remove(event.id), nowMs);
      case 'unloadRequested':
        return news.stopProcess(event.id, true, nowMs);
      case 'replacementRequested':
        return news.stopProcess(event.id, false, nowMs);
      case 'configChanged':
        return this.#configure(event.settings, nowMs);
      case 'requestCancelled':
      case 'timePassed':
        return;
      case 'drainStarted':
        requests.startDraining();
    }
  }

  #configure(settings: SchedulerSettings, nowMs: number): void {
    const { fleet, agenda, queue, timetable, room, reviews, sessions } = this.#parts;
    const { placement, prompts, permits, swaps, requests, serving } = this.#parts;
    // Bad settings throw in the first one, before anything has changed.
    const others = [fleet, prompts, timetable, permits, swaps, requests, reviews, serving];
    for (const part of [placement, ...others]) part.configure(settings);
    sessions.configure(settings, nowMs);
    const isReordered = settings.ordering !== this.#settings.ordering;
    this.#settings = settings;
    if (isReordered) room.reorder(settings.ordering, nowMs);
    for (const lane of queue.lanes) {
      for (const entry of lane.entries) timetable.armEntry(entry, lane);
    }
    reviews.reviewLanes(nowMs);
    for (const ledger of fleet.ledgers) {
      if (settings.stickyDelayMs <= 0) ledger.sticky = undefined;
      timetable.armLedger(ledger);
      agenda.addLedger(ledger);
    }
  }

  /** Deals with everything whose time has come. */
  #expire(nowMs: number): void {
    const { timetable, reviews, permits, processes } = this.#parts;
    for (;;) {
      const owner = timetable.takeDue(nowMs);
      if (owner === undefined) return;
      switch (owner.kind) {
        case 'entry':
          reviews.expireEntry(owner, nowMs);
          break;
        case 'lane':
          reviews.expireLane(owner, nowMs);
          break;
        case 'backend':
          permits.expire(owner, nowMs);
          processes.expire(owner, nowMs);
      }
    }
  }
}
