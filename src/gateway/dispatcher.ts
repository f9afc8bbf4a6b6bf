/**
 * Drives the scheduler: feeds it events one at a time, keeps its one timer, and hands its answers to whoever waits for
 * them. Takes no decision of its own.
 */
import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import { TurnoverMap } from '../base/turnover-map.ts';
import type { BackendView } from '../domain/backend-view.ts';
import type { BackendId, RequestId } from '../domain/ids.ts';
import type { PromptReport } from '../domain/prompt-chain.ts';
import type { RequestFacts } from '../domain/request-facts.ts';
import type { AffinityReading } from '../scheduler/affinity.ts';
import type { CandidateTrace, Decision } from '../scheduler/decision.ts';
import type { Effects } from '../scheduler/effects.ts';
import type { SchedulerEvent } from '../scheduler/events.ts';
import { Scheduler } from '../scheduler/scheduler.ts';
import type { SchedulerSettings } from '../scheduler/settings.ts';
import type { SchedulerSnapshot } from '../scheduler/snapshot.ts';
import type { LoadForesight } from '../scheduler/swap.ts';
import type { Placer, Waiter } from './placer.ts';

/** Whoever runs the processes that the scheduler decides about. */
export type Supply = Pick<Effects, 'load' | 'unload'>;

export interface DispatcherOptions {
  readonly settings: SchedulerSettings;
  readonly clock: Clock;
  readonly random: Random;
  /** Starts and stops processes. Called from inside the scheduler: must answer later, never at once. */
  readonly supply: Supply;
  /** Told of every placement, for the decision log. */
  readonly onDecision: (decision: Decision) => void;
}

/** A timer set for longer than this fires early, which is harmless. Node's own limit is 2^31 - 1. */
const timerMsMax = 3_600_000;

/** Places in the queue are read at most so often, and so many. */
const positionsMsMin = 500;
const positionsMax = 1000;

export class Dispatcher implements Placer {
  readonly #scheduler: Scheduler;
  readonly #clock: Clock;
  readonly #waiters = new TurnoverMap<Waiter>();
  readonly #pending: SchedulerEvent[] = [];
  #handling = false;
  #timer: NodeJS.Timeout | undefined;
  #timerAtMs = 0;
  #wantedAtMs = Number.POSITIVE_INFINITY;
  #positions: ReadonlyMap<RequestId, number> = new Map();
  #positionsAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: DispatcherOptions) {
    this.#clock = options.clock;
    this.#scheduler = new Scheduler({
      settings: options.settings,
      random: options.random,
      effects: {
        grant: (grant) => {
          options.onDecision(grant.decision);
          this.#waiters.get(grant.id)?.granted(grant);
        },
        reject: (rejection) => {
          const waiter = this.#waiters.get(rejection.id);
          this.#waiters.delete(rejection.id);
          waiter?.rejected(rejection);
        },
        wakeAt: (atMs) => this.#wakeAt(atMs),
        load: (id, generation) => options.supply.load(id, generation),
        unload: (id, reason) => options.supply.unload(id, reason),
      },
    });
  }

  arrive(request: RequestFacts, waiter: Waiter): void {
    this.#waiters.set(request.id, waiter);
    this.#post({ type: 'requestArrived', request, nowMs: this.#clock.nowMs() });
  }

  cancel(id: RequestId): void {
    this.#waiters.delete(id);
    this.#post({ type: 'requestCancelled', id, nowMs: this.#clock.nowMs() });
  }

  finish(id: RequestId, lingers: boolean, prompt?: PromptReport): void {
    this.#waiters.delete(id);
    this.#post({ type: 'requestFinished', id, lingers, prompt, nowMs: this.#clock.nowMs() });
  }

  retry(id: RequestId): void {
    this.#post({ type: 'requestRetried', id, nowMs: this.#clock.nowMs() });
  }

  backendChanged(view: BackendView): void {
    this.#post({ type: 'backendChanged', view, nowMs: this.#clock.nowMs() });
  }

  backendRemoved(id: BackendId): void {
    this.#post({ type: 'backendRemoved', id, nowMs: this.#clock.nowMs() });
  }

  /** Somebody wants a process stopped: see the event of that name. */
  requestUnload(id: BackendId): void {
    this.#post({ type: 'unloadRequested', id, nowMs: this.#clock.nowMs() });
  }

  /** A process is to be replaced: see the event of that name. */
  requestReplacement(id: BackendId): void {
    this.#post({ type: 'replacementRequested', id, nowMs: this.#clock.nowMs() });
  }

  configure(settings: SchedulerSettings): void {
    this.#post({ type: 'configChanged', settings, nowMs: this.#clock.nowMs() });
  }

  /** New arrivals are rejected from now on; what waits is still served. */
  drain(): void {
    this.#post({ type: 'drainStarted', nowMs: this.#clock.nowMs() });
  }

  snapshot(queuedMax: number): SchedulerSnapshot {
    return this.#scheduler.snapshot({ nowMs: this.#clock.nowMs(), queuedMax });
  }

  /** Where conversations and prompts are believed to be at home; at most so many conversations. */
  affinity(sessionsMax: number): AffinityReading {
    return this.#scheduler.readAffinity({ nowMs: this.#clock.nowMs(), sessionsMax });
  }

  /** How backends would be rated if the request came now, the best first. */
  explain(request: RequestFacts): readonly CandidateTrace[] {
    return this.#scheduler.explain(request, this.#clock.nowMs());
  }

  /** What a load of a process by hand would do now; undefined = there is no such process. */
  foreseeLoad(id: BackendId): LoadForesight | undefined {
    return this.#scheduler.foreseeLoad(id, this.#clock.nowMs());
  }

  /** Place in the queue, 1 = next, up to half a second old; undefined: waits not, or far behind. */
  position(id: RequestId): number | undefined {
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#positionsAtMs >= positionsMsMin) {
      this.#positionsAtMs = nowMs;
      const { queued } = this.snapshot(positionsMax);
      this.#positions = new Map(queued.map((entry) => [entry.id, entry.position]));
    }
    return this.#positions.get(id);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** An effect may cause the next event before `handle` has returned; it waits its turn. */
  #post(event: SchedulerEvent): void {
    this.#pending.push(event);
    if (this.#handling) return;
    this.#handling = true;
    try {
      for (let next = this.#pending.shift(); next !== undefined; next = this.#pending.shift()) {
        this.#scheduler.handle(next);
      }
    } finally {
      this.#handling = false;
    }
  }

  /** A timer that is due earlier than needed stays: setting one per request costs more than a spare wake-up. */
  #wakeAt(atMs: number): void {
    this.#wantedAtMs = atMs;
    if (this.#timer !== undefined && this.#timerAtMs <= atMs) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (atMs === Number.POSITIVE_INFINITY) return;
    const nowMs = this.#clock.nowMs();
    this.#timerAtMs = Math.min(Math.max(nowMs, atMs), nowMs + timerMsMax);
    this.#timer = setTimeout(() => this.#woken(), Math.ceil(this.#timerAtMs - nowMs));
  }

  #woken(): void {
    this.#timer = undefined;
    const nowMs = this.#clock.nowMs();
    if (nowMs < this.#wantedAtMs) this.#wakeAt(this.#wantedAtMs);
    else this.#post({ type: 'timePassed', nowMs });
  }
}
