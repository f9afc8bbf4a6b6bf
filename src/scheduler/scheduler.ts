/**
 * The one owner of queue, permits and placement. `handle` is the only way in, `Effects` the only way out; the same
 * events and the same seed give the same effects. Knows no timers, no clock and no network.
 */
import type { Random } from '../base/random.ts';
import { TurnoverMap } from '../base/turnover-map.ts';
import type { BackendId, RequestId } from '../domain/ids.ts';
import type { RequestFacts } from '../domain/request-facts.ts';
import { readAffinity, type AffinityReading } from './affinity.ts';
import { Ageing } from './ageing.ts';
import { Agenda } from './agenda.ts';
import { Answers } from './answers.ts';
import { Claims } from './claims.ts';
import type { CandidateTrace } from './decision.ts';
import type { Effects, RejectReason } from './effects.ts';
import { Entry, type Lane } from './entry.ts';
import type { SchedulerEvent } from './events.ts';
import { Fleet, type FleetChange } from './fleet.ts';
import type { Ledger } from './ledger.ts';
import { nextTurnOn } from './next-turn.ts';
import { Permits } from './permits.ts';
import { Placement, type Choice } from './placement.ts';
import { Processes } from './processes.ts';
import { PromptCaches } from './prompt-caches.ts';
import { Queue } from './queue.ts';
import type { ServedModel } from './served-model.ts';
import { hasAlternative, judge, mayWait, strandedBy } from './servability.ts';
import { Sessions } from './sessions.ts';
import type { SchedulerSettings } from './settings.ts';
import { takeSnapshot, type SchedulerSnapshot } from './snapshot.ts';
import { Swaps } from './swaps.ts';
import { Timetable } from './timetable.ts';
import { compareTurns } from './turn.ts';

export interface SchedulerOptions {
  readonly settings: SchedulerSettings;
  readonly effects: Effects;
  readonly random: Random;
}

export class Scheduler {
  readonly #fleet = new Fleet();
  readonly #agenda = new Agenda();
  readonly #ageing = new Ageing();
  readonly #queue: Queue;
  readonly #sessions: Sessions;
  readonly #prompts: PromptCaches;
  readonly #placement: Placement;
  readonly #claims: Claims;
  readonly #timetable: Timetable;
  readonly #permits: Permits;
  readonly #processes: Processes;
  readonly #swaps: Swaps;
  readonly #answers: Answers;
  /** Everybody from arrival to end, waiting or granted. */
  readonly #requests = new TurnoverMap<Entry>();
  #settings: SchedulerSettings;
  #nowMs = -Infinity;
  #arrivals = 0;
  #isDraining = false;
  #isHandling = false;

  /** Throws when the settings name a policy that does not exist. */
  constructor({ settings, effects, random }: SchedulerOptions) {
    const fleet = this.#fleet;
    fleet.configure(settings);
    this.#settings = settings;
    this.#queue = new Queue(settings.ordering);
    this.#sessions = new Sessions(settings);
    this.#prompts = new PromptCaches(settings);
    const affinities = { sessions: this.#sessions, prompts: this.#prompts };
    this.#placement = new Placement({ settings, fleet, ...affinities, random });
    this.#claims = new Claims(this.#placement);
    this.#timetable = new Timetable({ settings, fleet, claims: this.#claims, effects });
    const shared = { fleet, agenda: this.#agenda, timetable: this.#timetable };
    this.#permits = new Permits({ ...shared, settings, prompts: this.#prompts });
    this.#processes = new Processes({ ...shared, effects });
    this.#swaps = new Swaps({ ...shared, settings, processes: this.#processes });
    this.#answers = new Answers({ effects, queue: this.#queue, permits: this.#permits });
  }

  /** Throws on a request id that is in use, on settings that name no policy, and when called from inside an effect. */
  handle(event: SchedulerEvent): void {
    if (this.#isHandling) throw new Error('Scheduler.handle was called from inside one of its effects');
    this.#isHandling = true;
    try {
      this.#nowMs = Math.max(this.#nowMs, event.nowMs);
      // Whoever left must not be granted or rejected by what is due at the same time.
      if (event.type === 'requestCancelled') this.#cancel(event.id);
      this.#expire();
      this.#settle();
      this.#apply(event);
      this.#settle();
      this.#timetable.askForWakeUp(event.type === 'timePassed');
    } finally {
      this.#isHandling = false;
    }
  }

  snapshot(options: { readonly nowMs: number; readonly queuedMax: number }): SchedulerSnapshot {
    this.#sessions.prune(options.nowMs);
    return takeSnapshot({
      ...options,
      fleet: this.#fleet,
      queue: this.#queue,
      claims: this.#claims,
      swaps: this.#swaps,
      alarms: this.#timetable.size,
      requests: this.#requests.size,
      sessions: this.#sessions.size,
      draining: this.#isDraining,
    });
  }

  readAffinity(options: { readonly nowMs: number; readonly sessionsMax: number }): AffinityReading {
    return readAffinity({ sessions: this.#sessions, prompts: this.#prompts }, options);
  }

  /** How the live backends would be rated if the request came now, the best first; changes nothing. */
  explain(request: RequestFacts, nowMs: number): readonly CandidateTrace[] {
    const entry = new Entry(request, this.#arrivals, nowMs);
    return this.#placement.explain(entry, this.#fleet.ledgers, nowMs);
  }

  /** The place in the queue, 1 = next in order; undefined when it does not wait. Costs a search in each lane. */
  positionOf(
    id: RequestId,
    nowMs: number = this.#nowMs,
  ): { readonly position: number; readonly waitedMs: number } | undefined {
    const entry = this.#requests.get(id);
    if (entry?.lane === undefined) return undefined;
    return { position: this.#queue.countBefore(entry) + 1, waitedMs: nowMs - entry.arrivedMs };
  }

  #apply(event: SchedulerEvent): void {
    switch (event.type) {
      case 'requestArrived':
        return this.#arrive(event.request);
      case 'requestFinished':
        return this.#finish(event);
      case 'requestRetried':
        return this.#retry(event.id);
      case 'backendChanged':
        return this.#followFleet(this.#fleet.apply(event.view));
      case 'backendRemoved':
        return this.#followFleet(this.#fleet.remove(event.id));
      case 'unloadRequested':
        return this.#stopProcess(event.id, true);
      case 'replacementRequested':
        return this.#stopProcess(event.id, false);
      case 'configChanged':
        return this.#configure(event.settings);
      case 'requestCancelled':
      case 'timePassed':
        return;
      case 'drainStarted':
        this.#isDraining = true;
    }
  }

  #arrive(request: RequestFacts): void {
    if (this.#requests.has(request.id)) throw new Error(`Request id '${request.id}' is in use`);
    const entry = new Entry(request, this.#arrivals, this.#nowMs);
    this.#arrivals += 1;
    if (this.#isDraining) return this.#reject(entry, 'draining');
    if (this.#permits.isFull(request.model)) return this.#reject(entry, 'modelBusy');
    entry.tag = this.#queue.tagFor(entry);
    this.#requests.set(request.id, entry);
    this.#enter(entry);
  }

  #cancel(id: RequestId): void {
    const entry = this.#requests.get(id);
    if (entry === undefined) return;
    this.#requests.delete(id);
    this.#leave(entry, false);
    this.#permits.release(entry, { lingers: false }, this.#nowMs);
  }

  #finish(end: Extract<SchedulerEvent, { readonly type: 'requestFinished' }>): void {
    const entry = this.#requests.get(end.id);
    if (entry?.permit === undefined) return;
    this.#requests.delete(end.id);
    this.#permits.release(entry, end, this.#nowMs);
  }

  #retry(id: RequestId): void {
    const entry = this.#requests.get(id);
    if (entry?.permit === undefined) return;
    entry.failedOn = new Set([...entry.failedOn, entry.permit.ledger.id]);
    this.#permits.release(entry, { lingers: false }, this.#nowMs);
    const model = this.#fleet.model(entry.request.model);
    if (hasAlternative(entry, model, this.#fleet)) this.#enter(entry);
    else this.#reject(entry, 'exhausted');
  }

  #followFleet(change: FleetChange | undefined): void {
    if (change === undefined) return;
    const { ledger, shape, contexts, reset, over } = change;
    this.#permits.lingeringEnded(ledger, over, this.#nowMs);
    if (reset) ledger.sticky = undefined;
    this.#prompts.follow(ledger, reset);
    this.#timetable.armLedger(ledger);
    for (const model of contexts) this.#sortAgain(model);
    if (ledger.book !== undefined) this.#followProcess(change);
    if (shape) this.#review();
    this.#agenda.addLedger(ledger);
  }

  #followProcess({ ledger, phaseBefore, loadFailed }: FleetChange): void {
    this.#processes.follow(ledger, phaseBefore, this.#nowMs);
    if (loadFailed) this.#rejectWaiters(ledger, 'loadFailed');
    this.#swaps.follow(ledger, this.#nowMs);
  }

  /** `isWish`: for good, so that who waits for it alone is turned away; else its successor serves them. */
  #stopProcess(id: BackendId, isWish: boolean): void {
    const ledger = this.#fleet.ledger(id);
    if (ledger?.book === undefined || !ledger.present) return;
    if (isWish) {
      this.#rejectWaiters(ledger, 'unloaded');
      this.#swaps.drop(ledger);
    }
    const waitMs = isWish ? (ledger.view.process?.unloadTimeoutMs ?? 0) : Infinity;
    if (ledger.book.phase === 'starting') this.#processes.unload(ledger, 'requested');
    else this.#processes.release(ledger, this.#nowMs, waitMs);
  }

  /** Turns away who waits for this backend and has no other to wait for. */
  #rejectWaiters(ledger: Ledger, reason: 'loadFailed' | 'unloaded'): void {
    for (const entry of strandedBy(ledger, this.#fleet)) this.#reject(entry, reason);
  }

  #configure(settings: SchedulerSettings): void {
    // Bad settings throw in the first one, before anything has changed.
    const parts = [this.#placement, this.#fleet, this.#prompts, this.#timetable, this.#permits, this.#swaps];
    for (const part of parts) part.configure(settings);
    this.#sessions.configure(settings, this.#nowMs);
    const isReordered = settings.ordering !== this.#settings.ordering;
    this.#settings = settings;
    if (isReordered) this.#reorder();
    for (const lane of this.#queue.lanes) {
      for (const entry of lane.entries) this.#timetable.armEntry(entry, lane);
    }
    this.#review();
    for (const ledger of this.#fleet.ledgers) {
      if (settings.stickyDelayMs <= 0) ledger.sticky = undefined;
      this.#timetable.armLedger(ledger);
      this.#agenda.addLedger(ledger);
    }
  }

  /** Finds a place for an entry that does not wait: at once, in the queue, or nowhere. */
  #enter(entry: Entry): void {
    const model = this.#fleet.model(entry.request.model);
    const head = this.#queue.laneOf(entry, model)?.entries.first;
    // Nobody who waits is placeable, so neither is whoever comes after them and may go to the same places only.
    if (head === undefined || compareTurns(entry, head) < 0) {
      const choice = this.#placement.place(entry, model, this.#nowMs);
      if (choice !== undefined) return this.#grant(entry, choice, 0);
    }
    const lane = this.#queue.laneFor(entry, model);
    if (head === undefined) {
      const verdict = judge(entry, model, this.#fleet);
      if (!mayWait(verdict)) return this.#reject(entry, verdict);
      if (verdict === 'dead') lane.deadFromMs = this.#nowMs;
      lane.isCold = verdict === 'cold';
    }
    if (entry.attempt === 0 && this.#queue.size >= this.#settings.queueMax) {
      return this.#reject(entry, 'queueFull');
    }
    if (this.#nowMs >= this.#timetable.timeoutMs(entry)) return this.#reject(entry, 'queueTimeout');
    this.#wait(entry, lane);
  }

  #wait(entry: Entry, lane: Lane): void {
    this.#queue.add(entry, lane);
    this.#timetable.armEntry(entry, lane);
    if (lane.entries.size > 1) return;
    this.#timetable.armLane(lane, this.#nowMs);
    this.#swaps.watch(lane);
  }

  #grant(entry: Entry, choice: Choice, overtook: number): void {
    const { request } = entry;
    const { seat } = choice;
    this.#leave(entry, true);
    this.#permits.take(entry, seat, this.#nowMs);
    if (!request.slotless) {
      this.#sessions.remember(request, seat.ledger.id, this.#nowMs);
      this.#ageing.record(request.priority, this.#nowMs);
      const model = this.#fleet.model(request.model);
      if (this.#permits.isAtLimit(model)) this.#suspendClaims(model);
    }
    this.#answers.grant(entry, choice, { overtook, nowMs: this.#nowMs });
  }

  #reject(entry: Entry, reason: RejectReason): void {
    this.#leave(entry, false);
    this.#requests.delete(entry.request.id);
    const model = this.#fleet.model(entry.request.model);
    this.#fleet.forgetIfUnused(model);
    this.#answers.reject(entry, reason, { model, nowMs: this.#nowMs });
  }

  /** Takes an entry out of the queue, if it is there, and tidies up behind it. */
  #leave(entry: Entry, isServed: boolean): void {
    this.#timetable.clear(entry);
    this.#swaps.settle(entry);
    const lane = this.#queue.remove(entry, isServed);
    if (lane === undefined) return;
    if (lane.entries.size === 0) {
      this.#retire(lane);
      this.#fleet.forgetIfUnused(lane.model);
    } else if (isServed) {
      const wasStarving = this.#claims.isStarving(lane);
      lane.hungryFromMs = this.#nowMs;
      this.#agenda.addLedger(this.#claims.satisfy(lane));
      if (wasStarving) this.#timetable.armLane(lane, this.#nowMs);
    } else {
      // The next one in the lane may have a later turn, so that the claim stops fewer of the others.
      this.#agenda.addLedger(lane.claim);
    }
  }

  #retire(lane: Lane): void {
    this.#timetable.clear(lane);
    this.#swaps.forget(lane);
    this.#agenda.addLedger(this.#claims.satisfy(lane));
  }

  /** A backend must not drain for a model that may not start anyway. */
  #suspendClaims(model: ServedModel): void {
    for (const lane of model.lanes.values()) this.#agenda.addLedger(this.#claims.suspend(lane));
  }

  #expire(): void {
    for (;;) {
      const owner = this.#timetable.takeDue(this.#nowMs);
      if (owner === undefined) return;
      switch (owner.kind) {
        case 'entry':
          this.#expireEntry(owner);
          break;
        case 'lane':
          this.#expireLane(owner);
          break;
        case 'backend':
          this.#permits.expire(owner, this.#nowMs);
          this.#processes.expire(owner, this.#nowMs);
      }
    }
  }

  #expireEntry(entry: Entry): void {
    const { lane } = entry;
    if (lane === undefined) return;
    if (this.#nowMs >= this.#timetable.timeoutMs(entry)) return this.#reject(entry, 'queueTimeout');
    if (this.#nowMs >= this.#timetable.deadEndMs(entry, lane)) return this.#reject(entry, 'noBackend');
    if (this.#nowMs >= this.#timetable.ageingMs(entry)) {
      if (this.#ageing.wasPassed(entry.priorityClass, entry.ageingFromMs)) {
        this.#queue.promote(entry, entry.priorityClass - 1);
        // With its better turn it may pass a claim.
        if (lane.entries.first === entry) this.#agenda.models.add(lane.model);
        if (lane.isCold) this.#agenda.swaps = true;
      }
      entry.ageingFromMs = this.#nowMs;
    }
    this.#timetable.armEntry(entry, lane);
  }

  #expireLane(lane: Lane): void {
    if (lane.deadFromMs !== undefined) {
      for (const entry of lane.entries.toArray()) {
        if (this.#nowMs >= this.#timetable.deadEndMs(entry, lane)) this.#reject(entry, 'noBackend');
      }
    }
    if (lane.entries.size === 0) return;
    if (this.#nowMs >= this.#timetable.patienceEndMs(lane)) this.#claims.starve(lane, this.#nowMs);
    if (lane.isCold) this.#agenda.swaps = true;
    this.#timetable.armLane(lane, this.#nowMs);
  }

  /** Grants, loads and unloads until nothing more is possible. */
  #settle(): void {
    for (;;) {
      this.#fillAndServe();
      if (this.#agenda.shape) {
        this.#agenda.shape = false;
        this.#review();
      } else if (this.#agenda.swaps) {
        this.#agenda.swaps = false;
        this.#swaps.advance(this.#nowMs);
      } else return;
    }
  }

  /** Grants until nobody who waits is placeable. */
  #fillAndServe(): void {
    const { ledgers, models } = this.#agenda;
    while (!this.#agenda.isEmpty) {
      const isAlone = ledgers.size === 1 && models.size === 0;
      for (const ledger of ledgers) {
        ledgers.delete(ledger);
        this.#fill(ledger, isAlone);
      }
      for (const model of models) {
        models.delete(model);
        this.#serve(model);
      }
    }
  }

  /** Gives what room a backend has to those whose turn it is. `isAlone`: nothing else changed. */
  #fill(ledger: Ledger, isAlone: boolean): void {
    if (this.#queue.slotless > 0 && ledger.isHealthy) {
      for (const name of ledger.seats.keys()) this.#serve(this.#fleet.model(name));
    }
    const context = {
      queue: this.#queue,
      placement: this.#placement,
      settings: this.#settings,
      nowMs: this.#nowMs,
    };
    while (ledger.ready && this.#queue.size > 0) {
      const next = nextTurnOn(ledger, context);
      if (next === undefined) break;
      const { entry, seat, overtaken } = next;
      const model = this.#fleet.model(entry.request.model);
      // When nothing changed elsewhere, it can go nowhere else.
      const choice = isAlone
        ? this.#placement.choose([seat], entry, model, this.#nowMs)
        : this.#placement.place(entry, model, this.#nowMs);
      if (choice === undefined) break;
      for (const passed of overtaken) passed.overtaken += 1;
      this.#grant(entry, choice, overtaken.length);
    }
    this.#claims.offer(ledger, this.#nowMs);
  }

  /** Grants whoever of a model is placeable anywhere. */
  #serve(model: ServedModel): void {
    const stuck = new Set<Lane>();
    for (;;) {
      const first = model.firstWaiting(stuck);
      if (first?.lane === undefined) break;
      const choice = this.#placement.place(first, model, this.#nowMs);
      if (choice === undefined) stuck.add(first.lane);
      else this.#grant(first, choice, 0);
    }
    if (stuck.size > 0) this.#reviewClaims();
  }

  /** The shape of the fleet changed: looks at each lane, though at nobody in it but the first, for what is possible now. */
  #review(): void {
    for (const lane of this.#queue.lanes.toArray()) {
      const { first } = lane.entries;
      if (first === undefined) continue;
      const verdict = judge(first, lane.model, this.#fleet);
      if (!mayWait(verdict)) {
        for (const entry of lane.entries.toArray()) this.#reject(entry, verdict);
        continue;
      }
      if (verdict === 'dead') lane.deadFromMs ??= this.#nowMs;
      else lane.deadFromMs = undefined;
      lane.isCold = verdict === 'cold';
      this.#timetable.armLane(lane, this.#nowMs);
      this.#swaps.watch(lane);
      // No alarm is set for what is due already.
      if (verdict === 'dead' && this.#settings.deadWaitMs <= 0) this.#expireLane(lane);
    }
    this.#reviewClaims();
  }

  #reviewClaims(): void {
    for (const ledger of this.#claims.review(this.#nowMs)) this.#agenda.addLedger(ledger);
  }

  /** Gives everybody a new turn in the settings' ordering, by arrival. */
  #reorder(): void {
    const waiting = this.#takeOut(undefined);
    this.#queue.setOrdering(this.#settings.ordering);
    for (const entry of waiting) {
      entry.tag = this.#queue.tagFor(entry);
      this.#wait(entry, this.#queue.laneFor(entry, this.#fleet.model(entry.request.model)));
    }
  }

  /** Sorts those who wait for a model into lanes again. */
  #sortAgain(model: ServedModel): void {
    for (const entry of this.#takeOut(model)) this.#wait(entry, this.#queue.laneFor(entry, model));
  }

  #takeOut(model: ServedModel | undefined): readonly Entry[] {
    for (const lane of this.#queue.lanes) {
      if (model === undefined || lane.model === model) this.#retire(lane);
    }
    return this.#queue.takeOut(model);
  }
}
