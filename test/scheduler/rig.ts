/** A scheduler with a clock moved by hand, a fleet that is easy to describe, and everything it did written down. */
import { createRandom } from '../../src/base/random.ts';
import type { BackendView } from '../../src/domain/backend-view.ts';
import type { BackendId, ModelName, RequestId } from '../../src/domain/ids.ts';
import type { PromptReport } from '../../src/domain/prompt-chain.ts';
import type { RequestFacts } from '../../src/domain/request-facts.ts';
import type { Effects, Grant, Rejection } from '../../src/scheduler/effects.ts';
import type { SchedulerEvent } from '../../src/scheduler/events.ts';
import { presets } from '../../src/scheduler/presets.ts';
import { Scheduler } from '../../src/scheduler/scheduler.ts';
import type { SchedulerSettings } from '../../src/scheduler/settings.ts';
import type { SchedulerSnapshot } from '../../src/scheduler/snapshot.ts';

export const fifoSettings: SchedulerSettings = {
  ...presets['llamacpp-ha'],
  queueMax: 1000,
  slotsAreSoft: false,
  queueTimeoutMs: 300_000,
  deadWaitMs: 15_000,
  priorityAgeingMs: Infinity,
  overtakenMax: 100,
  stickyDelayMs: 0,
  modelLimits: new Map(),
  admissionLimits: new Map(),
  residency: new Map(),
  swapPatienceMs: Infinity,
  swapHold: 0,
  sessionTtlMs: 600_000,
  sessionsMax: 100,
  promptBytesMax: 16 * 1024,
  promptLoadFactor: 1.25,
  promptBonusMs: 0,
  promptPatienceMs: 0,
  namesSlots: false,
  lingerMsMax: 60_000,
  decisionCandidatesMax: 8,
};

export function facts(id: RequestId, fields: Partial<RequestFacts> = {}): RequestFacts {
  return {
    id,
    model: 'm',
    flow: 'flow',
    priority: 1,
    session: undefined,
    tokensEstimated: 0,
    slotless: false,
    ...fields,
  };
}

export type ViewFields = Omit<Partial<BackendView>, 'models' | 'loaded' | 'contextTokens'> & {
  readonly models?: readonly ModelName[] | ReadonlyMap<ModelName, ModelName>;
  readonly loaded?: readonly ModelName[];
  readonly contextTokens?: Readonly<Record<ModelName, number>>;
};

export function view(id: BackendId, fields: ViewFields = {}): BackendView {
  const { models = ['m'], loaded, contextTokens = {}, ...rest } = fields;
  return {
    id,
    state: 'live',
    models:
      models instanceof Map ? models : new Map((models as readonly ModelName[]).map((name) => [name, name])),
    loaded: new Set(loaded ?? []),
    slotsTotal: 1,
    slots: undefined,
    modelsMax: undefined,
    weight: 1,
    priority: 0,
    contextTokens: new Map(Object.entries(contextTokens)),
    epoch: 0,
    ...rest,
  };
}

type WithoutTime<Event> = Event extends unknown ? Omit<Event, 'nowMs'> : never;

/** Plain words: `a→b1` = granted, `a✗queueFull` = rejected. */
export class Rig {
  readonly scheduler: Scheduler;
  readonly grants: Grant[] = [];
  readonly rejections: Rejection[] = [];
  readonly log: string[] = [];
  /** Told of loads and unloads, when somebody plays the processes. */
  supply: Pick<Effects, 'load' | 'unload'> | undefined;
  nowMs = 0;
  wakeMs = Infinity;
  #seen = 0;

  constructor(settings: Partial<SchedulerSettings> = {}, seed = 1) {
    const effects: Effects = {
      grant: (grant) => {
        this.grants.push(grant);
        this.log.push(`${grant.id}→${grant.backend}`);
      },
      reject: (rejection) => {
        this.rejections.push(rejection);
        this.log.push(`${rejection.id}✗${rejection.reason}`);
      },
      wakeAt: (atMs) => {
        this.wakeMs = atMs;
      },
      load: (backend, generation) => {
        this.log.push(`load ${backend} ${generation}`);
        this.supply?.load(backend, generation);
      },
      unload: (backend, reason) => {
        this.log.push(`unload ${backend} ${reason}`);
        this.supply?.unload(backend, reason);
      },
    };
    this.scheduler = new Scheduler({
      settings: { ...fifoSettings, ...settings },
      effects,
      random: createRandom(seed),
    });
  }

  /** What happened since the last call. */
  news(): string {
    const news = this.log.slice(this.#seen).join(' ');
    this.#seen = this.log.length;
    return news;
  }

  handle(event: WithoutTime<SchedulerEvent>): string {
    this.scheduler.handle({ ...event, nowMs: this.nowMs });
    return this.news();
  }

  arrive(id: RequestId, fields: Partial<RequestFacts> = {}): string {
    return this.handle({ type: 'requestArrived', request: facts(id, fields) });
  }

  finish(id: RequestId, options: { lingers?: boolean; prompt?: PromptReport } = {}): string {
    return this.handle({ type: 'requestFinished', id, lingers: false, ...options });
  }

  retry(id: RequestId): string {
    return this.handle({ type: 'requestRetried', id });
  }

  cancel(id: RequestId): string {
    return this.handle({ type: 'requestCancelled', id });
  }

  backend(id: BackendId, fields: ViewFields = {}): string {
    return this.handle({ type: 'backendChanged', view: view(id, fields) });
  }

  remove(id: BackendId): string {
    return this.handle({ type: 'backendRemoved', id });
  }

  configure(settings: Partial<SchedulerSettings>): string {
    return this.handle({ type: 'configChanged', settings: { ...fifoSettings, ...settings } });
  }

  /** Moves the clock, waking the scheduler whenever it asked for it on the way. Returns what happened. */
  pass(ms: number): string {
    const endMs = this.nowMs + ms;
    for (let wakes = 0; this.wakeMs <= endMs; wakes += 1) {
      if (wakes > 10_000) throw new Error('The scheduler asks to be woken without end');
      this.nowMs = Math.max(this.nowMs, this.wakeMs);
      this.wakeMs = Infinity;
      this.scheduler.handle({ type: 'timePassed', nowMs: this.nowMs });
    }
    this.nowMs = endMs;
    return this.news();
  }

  snapshot(): SchedulerSnapshot {
    return this.scheduler.snapshot({ nowMs: this.nowMs, queuedMax: Infinity });
  }

  queued(): string {
    return this.snapshot()
      .queued.map(({ id }) => id)
      .join(' ');
  }
}
