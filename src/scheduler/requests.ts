/**
 * Every request from its arrival to its end, by id: waiting, granted, rejected or gone. Owns who is known; where one may go
 * is for placement, who is next for serving.ts.
 */
import { TurnoverMap } from '../base/turnover-map.ts';
import type { RequestId } from '../domain/ids.ts';
import type { RequestFacts } from '../domain/request-facts.ts';
import type { Ageing } from './ageing.ts';
import type { Answers } from './answers.ts';
import type { RejectReason } from './effects.ts';
import { Entry } from './entry.ts';
import type { SchedulerEvent } from './events.ts';
import type { Fleet } from './fleet.ts';
import type { Permits } from './permits.ts';
import type { Choice, Placement } from './placement.ts';
import { backendWorthAwaiting } from './prompt-patience.ts';
import type { Queue } from './queue.ts';
import { hasAlternative, judge, mayWait } from './servability.ts';
import type { Sessions } from './sessions.ts';
import type { SchedulerSettings } from './settings.ts';
import type { Timetable } from './timetable.ts';
import { compareTurns } from './turn.ts';
import type { WaitingRoom } from './waiting-room.ts';

export interface RequestsOptions {
  readonly settings: SchedulerSettings;
  readonly fleet: Fleet;
  readonly queue: Queue;
  readonly room: WaitingRoom;
  readonly timetable: Timetable;
  readonly placement: Placement;
  readonly permits: Permits;
  readonly sessions: Sessions;
  readonly ageing: Ageing;
  readonly answers: Answers;
}

export class Requests {
  readonly #fleet: Fleet;
  readonly #queue: Queue;
  readonly #room: WaitingRoom;
  readonly #timetable: Timetable;
  readonly #placement: Placement;
  readonly #permits: Permits;
  readonly #sessions: Sessions;
  readonly #ageing: Ageing;
  readonly #answers: Answers;
  readonly #known = new TurnoverMap<Entry>();
  #settings: SchedulerSettings;
  #arrivals = 0;
  #isDraining = false;

  constructor(options: RequestsOptions) {
    this.#settings = options.settings;
    this.#fleet = options.fleet;
    this.#queue = options.queue;
    this.#room = options.room;
    this.#timetable = options.timetable;
    this.#placement = options.placement;
    this.#permits = options.permits;
    this.#sessions = options.sessions;
    this.#ageing = options.ageing;
    this.#answers = options.answers;
  }

  get size(): number {
    return this.#known.size;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  configure(settings: SchedulerSettings): void {
    this.#settings = settings;
  }

  /** From now on arrivals are rejected. */
  startDraining(): void {
    this.#isDraining = true;
  }

  get(id: RequestId): Entry | undefined {
    return this.#known.get(id);
  }

  /** As if it arrived now, known to nobody. */
  imagine(request: RequestFacts, nowMs: number): Entry {
    return new Entry(request, this.#arrivals, nowMs);
  }

  /** Throws when its id is in use. */
  arrive(request: RequestFacts, nowMs: number): void {
    if (this.#known.has(request.id)) throw new Error(`Request id '${request.id}' is in use`);
    const entry = new Entry(request, this.#arrivals, nowMs);
    this.#arrivals += 1;
    if (this.#isDraining && request.continues !== true) return this.reject(entry, 'draining', nowMs);
    if (this.#permits.isFull(request.model)) return this.reject(entry, 'modelBusy', nowMs);
    entry.tag = this.#queue.tagFor(entry);
    this.#known.set(request.id, entry);
    this.#findPlace(entry, nowMs);
  }

  cancel(id: RequestId, nowMs: number): void {
    const entry = this.#known.get(id);
    if (entry === undefined) return;
    this.#known.delete(id);
    this.#room.leave(entry, false, nowMs);
    this.#permits.release(entry, { lingers: false }, nowMs);
  }

  finish(end: Extract<SchedulerEvent, { readonly type: 'requestFinished' }>, nowMs: number): void {
    const entry = this.#known.get(end.id);
    if (entry?.permit === undefined) return;
    this.#known.delete(end.id);
    this.#permits.release(entry, end, nowMs);
  }

  retry(id: RequestId, nowMs: number): void {
    const entry = this.#known.get(id);
    if (entry?.permit === undefined) return;
    entry.failedOn = new Set([...entry.failedOn, entry.permit.ledger.id]);
    this.#permits.release(entry, { lingers: false }, nowMs);
    const model = this.#fleet.model(entry.request.model);
    if (hasAlternative(entry, model, this.#fleet)) this.#findPlace(entry, nowMs);
    else this.reject(entry, 'exhausted', nowMs);
  }

  /** The one backend that a request has waited for had no slot in time: it takes any. */
  endPatience(entry: Entry, nowMs: number): void {
    this.#room.leave(entry, false, nowMs);
    entry.awaitAny();
    this.#findPlace(entry, nowMs);
  }

  /** `overtook`: how many others, whose turn was before, it passed. */
  grant(entry: Entry, choice: Choice, at: { readonly overtook: number; readonly nowMs: number }): void {
    const { nowMs } = at;
    const { request } = entry;
    const { seat } = choice;
    this.#room.leave(entry, true, nowMs);
    entry.awaitAny();
    this.#permits.take(entry, choice, nowMs);
    if (!request.slotless) {
      this.#sessions.remember(request, seat.ledger.id, nowMs);
      this.#ageing.record(request.priority, nowMs);
      if (this.#permits.isAtLimit(choice.model)) this.#room.suspendClaims(choice.model);
    }
    this.#answers.grant(entry, choice, at);
  }

  reject(entry: Entry, reason: RejectReason, nowMs: number): void {
    this.#room.leave(entry, false, nowMs);
    this.#known.delete(entry.request.id);
    const model = this.#fleet.model(entry.request.model);
    this.#fleet.forgetIfUnused(model);
    this.#answers.reject(entry, reason, { model, nowMs });
  }

  /** Lets a new request wait for the backend that has its prompt, where that pays. Returns whether it does. */
  #awaitCached(entry: Entry, choice: Choice, nowMs: number): boolean {
    const settings = this.#settings;
    if (entry.attempt > 0 || entry.hasAwaited || this.#queue.size >= settings.queueMax) return false;
    const context = { placement: this.#placement, settings, nowMs };
    const backend = backendWorthAwaiting(entry, choice, context);
    if (backend === undefined) return false;
    // Somebody whose time is over while another slot is free would be given up for nothing.
    const untilMs = Math.min(nowMs + settings.promptPatienceMs, this.#timetable.timeoutMs(entry));
    entry.awaitOnly(backend, untilMs);
    this.#room.enter(entry, this.#queue.laneFor(entry, choice.model), nowMs);
    return true;
  }

  /** For one that does not wait: at once, in the queue, or nowhere. */
  #findPlace(entry: Entry, nowMs: number): void {
    const model = this.#fleet.model(entry.request.model);
    const others = this.#queue.laneOf(entry, model);
    const head = others?.head;
    // Nobody who waits is placeable, so neither is whoever comes after them and may go to the same places only.
    if (head === undefined || compareTurns(entry, head) < 0) {
      const choice = this.#placement.place(entry, model, nowMs);
      if (choice !== undefined) {
        if (this.#awaitCached(entry, choice, nowMs)) return;
        return this.grant(entry, choice, { overtook: 0, nowMs });
      }
    }
    const lane = others ?? this.#queue.laneFor(entry, model);
    if (head === undefined) {
      const verdict = judge(entry, model, this.#fleet);
      if (!mayWait(verdict)) return this.reject(entry, verdict, nowMs);
      if (verdict === 'dead') lane.deadFromMs = nowMs;
      lane.isCold = verdict === 'cold';
    }
    if (entry.attempt === 0 && this.#queue.size >= this.#settings.queueMax) {
      return this.reject(entry, 'queueFull', nowMs);
    }
    if (nowMs >= this.#timetable.timeoutMs(entry)) return this.reject(entry, 'queueTimeout', nowMs);
    this.#room.enter(entry, lane, nowMs);
  }
}
