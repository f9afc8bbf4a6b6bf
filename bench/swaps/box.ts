/** One machine that holds one or some models at a time: the real scheduler in virtual time before processes that load and stop. */
import { Heap, type HeapItem } from '../../src/base/heap.ts';
import { createRandom } from '../../src/base/random.ts';
import type { BackendState, BackendView } from '../../src/domain/backend-view.ts';
import { localHost } from '../../src/domain/backend-view.ts';
import type { Grant } from '../../src/scheduler/effects.ts';
import type { ResidencyPlanner } from '../../src/scheduler/residency/planner.ts';
import { Scheduler } from '../../src/scheduler/scheduler.ts';
import type { SchedulerSettings } from '../../src/scheduler/settings.ts';
import type { Workload } from './workloads.ts';

export interface BoxOptions {
  readonly settings: SchedulerSettings;
  readonly loadMs: number;
  readonly stopMs: number;
  readonly slots: number;
  /** The planner is told of those first that were not used for longest. */
  readonly isByLastUse?: boolean;
}

export interface BoxResult {
  readonly loads: number;
  /** From arrival to start, of each request, shortest first. */
  readonly waitsMs: readonly number[];
  /** Until the last answer. */
  readonly totalMs: number;
}

interface Happening extends HeapItem {
  readonly atMs: number;
  readonly seq: number;
  readonly happen: () => void;
}

interface Running {
  readonly workMs: number;
  readonly arrivedMs: number;
  readonly model: string;
  readonly onEnd: () => void;
}

export function runBox(workload: Workload, options: BoxOptions): BoxResult {
  return new Box(workload, options).run();
}

class Box {
  readonly #workload: Workload;
  readonly #options: BoxOptions;
  readonly #scheduler: Scheduler;
  readonly #generations = new Map<string, number>();
  /** Requests at work, by model. */
  readonly #busy = new Map<string, number>();
  /** Granted, and waiting for a slot inside their engine. */
  readonly #engineQueue: string[] = [];
  readonly #requests = new Map<string, Running>();
  readonly #lastUseMs = new Map<string, number>();
  readonly #agenda = new Heap<Happening>(
    (one, other) => one.atMs < other.atMs || (one.atMs === other.atMs && one.seq < other.seq),
  );
  readonly #waitsMs: number[] = [];
  #happenings = 0;
  #nowMs = 0;
  #asked = 0;
  #loads = 0;
  #endMs = 0;

  constructor(workload: Workload, options: BoxOptions) {
    this.#workload = workload;
    this.#options = options;
    this.#scheduler = new Scheduler({
      settings: options.isByLastUse === true ? this.#byLastUse(options.settings) : options.settings,
      random: createRandom(1),
      effects: {
        grant: (grant) => this.#after(0, () => this.#send(grant)),
        reject: ({ id, reason }) => {
          throw new Error(`${id} was rejected: ${reason}`);
        },
        wakeAt: (atMs) => {
          if (atMs === Infinity) return;
          this.#after(atMs - this.#nowMs, () => {
            this.#scheduler.handle({ type: 'timePassed', nowMs: this.#nowMs });
          });
        },
        load: (model, generation) => this.#load(model, generation),
        unload: (model) => this.#after(0, () => this.#stop(model)),
      },
    });
  }

  run(): BoxResult {
    for (const model of this.#workload.models) this.#tell(model, 'stopped');
    for (const { asks } of this.#workload.clients) this.#ask(asks, 0);
    for (let next = this.#agenda.pop(); next !== undefined; next = this.#agenda.pop()) {
      this.#nowMs = next.atMs;
      next.happen();
    }
    return {
      loads: this.#loads,
      waitsMs: this.#waitsMs.toSorted((one, other) => one - other),
      totalMs: this.#endMs,
    };
  }

  #ask(asks: Workload['clients'][number]['asks'], at: number): void {
    const ask = asks[at];
    if (ask === undefined) return;
    this.#after(ask.pauseMs, () => {
      const id = String(this.#asked++);
      this.#requests.set(id, { ...ask, arrivedMs: this.#nowMs, onEnd: () => this.#ask(asks, at + 1) });
      this.#scheduler.handle({
        type: 'requestArrived',
        nowMs: this.#nowMs,
        request: {
          id,
          model: ask.model,
          flow: id,
          priority: 1,
          session: undefined,
          tokensEstimated: 0,
          slotless: false,
        },
      });
    });
  }

  /** Where slots are soft it may have to wait in the engine. */
  #send({ id }: Grant): void {
    const request = this.#requests.get(id);
    if (request === undefined) throw new Error(`No request ${id}`);
    if (this.#free(request.model) > 0) this.#start(id, request);
    else this.#engineQueue.push(id);
  }

  #start(id: string, request: Running): void {
    this.#busy.set(request.model, (this.#busy.get(request.model) ?? 0) + 1);
    this.#waitsMs.push(this.#nowMs - request.arrivedMs);
    this.#after(request.workMs, () => {
      this.#endMs = this.#nowMs;
      this.#requests.delete(id);
      this.#busy.set(request.model, (this.#busy.get(request.model) ?? 0) - 1);
      this.#lastUseMs.set(request.model, this.#nowMs);
      const next = this.#engineQueue.findIndex((other) => this.#requests.get(other)?.model === request.model);
      const [nextId] = next < 0 ? [] : this.#engineQueue.splice(next, 1);
      const nextRequest = this.#requests.get(nextId ?? '');
      if (nextId !== undefined && nextRequest !== undefined) this.#start(nextId, nextRequest);
      this.#scheduler.handle({ type: 'requestFinished', id, lingers: false, nowMs: this.#nowMs });
      request.onEnd();
    });
  }

  #byLastUse(settings: SchedulerSettings): SchedulerSettings {
    const restedMs = (model: string): number =>
      (this.#busy.get(model) ?? 0) > 0 ? -1 : this.#nowMs - (this.#lastUseMs.get(model) ?? 0);
    const residency = Array.from(settings.residency, ([host, planner]): [string, ResidencyPlanner] => {
      const evictionFor: ResidencyPlanner['evictionFor'] = (target, running, engaged) =>
        planner.evictionFor(
          target,
          running.toSorted((one, other) => restedMs(other) - restedMs(one)),
          engaged,
        );
      return [host, { ...planner, evictionFor }];
    });
    return { ...settings, residency: new Map(residency) };
  }

  #free(model: string): number {
    return this.#options.slots - (this.#busy.get(model) ?? 0);
  }

  #load(model: string, generation: number): void {
    this.#loads += 1;
    this.#generations.set(model, generation);
    this.#after(0, () => this.#tell(model, 'starting'));
    this.#after(this.#options.loadMs, () => this.#tell(model, 'live'));
  }

  #stop(model: string): void {
    this.#tell(model, 'stopping');
    this.#after(this.#options.stopMs, () => this.#tell(model, 'stopped'));
  }

  #tell(model: string, state: BackendState): void {
    const generation = this.#generations.get(model) ?? 0;
    const view = viewOf({ model, state, generation, slots: this.#options.slots });
    this.#scheduler.handle({ type: 'backendChanged', view, nowMs: this.#nowMs });
  }

  #after(delayMs: number, happen: () => void): void {
    this.#happenings += 1;
    const atMs = this.#nowMs + Math.max(0, delayMs);
    this.#agenda.push({ atMs, seq: this.#happenings, happen, heapIndex: -1 });
  }
}

function viewOf(options: {
  model: string;
  state: BackendState;
  generation: number;
  slots: number;
}): BackendView {
  const { model, state, generation, slots } = options;
  return {
    id: model,
    state,
    models: new Map([[model, model]]),
    loaded: new Set(state === 'live' ? [model] : []),
    slotsTotal: slots,
    slots: undefined,
    modelsMax: undefined,
    weight: 1,
    priority: 0,
    contextTokens: new Map(),
    epoch: 0,
    process: { host: localHost, generation, ttlMs: 0, unloadTimeoutMs: 10_000, failure: undefined },
  };
}
