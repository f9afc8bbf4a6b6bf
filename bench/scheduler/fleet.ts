/**
 * A scheduler before a fleet of imagined backends, with traffic at random that is the same each time. Makes events and knows who
 * waits and who runs; its own book-keeping happens in `settle`, so that it need not be timed.
 */
import { createRandom } from '../../src/base/random.ts';
import type { BackendView } from '../../src/domain/backend-view.ts';
import type { SchedulerEvent } from '../../src/scheduler/events.ts';
import { presets, type PresetName } from '../../src/scheduler/presets.ts';
import type { Scheduler } from '../../src/scheduler/scheduler.ts';
import type { SchedulerSettings } from '../../src/scheduler/settings.ts';

export interface FleetSize {
  readonly backends: number;
  /** Each backend serves all of them, and has the first four loaded. */
  readonly models: number;
  /** Requests that wait before anything is measured. */
  readonly queued: number;
  readonly flows: number;
  readonly sessions: number;
}

export const slotsPerBackend = 4;
const loadedModels = 4;

export class Fleet {
  readonly size: FleetSize;
  readonly scheduler: Scheduler;
  nowMs = 0;
  readonly #random = createRandom(7);
  readonly #models: readonly string[];
  readonly #running: string[] = [];
  readonly #waiting = new Set<string>();
  readonly #granted: string[] = [];
  #arrivals = 0;

  constructor(Implementation: typeof Scheduler, preset: PresetName, size: FleetSize) {
    this.size = size;
    this.#models = Array.from({ length: size.models }, (_, index) => `model-${index}`);
    this.scheduler = new Implementation({
      settings: settingsOf(preset),
      random: createRandom(1),
      effects: {
        grant: ({ id }) => this.#granted.push(id),
        reject: ({ id, reason }) => {
          throw new Error(`${id} was rejected: ${reason}`);
        },
        wakeAt() {},
        load() {},
        unload() {},
      },
    });
    for (let index = 0; index < size.backends; index += 1) this.play(this.reading(index, 0));
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  get running(): number {
    return this.#running.length;
  }

  /** Handles an event and notes what came of it. */
  play(event: SchedulerEvent): void {
    this.scheduler.handle(event);
    this.settle();
  }

  /** Notes who was granted. */
  settle(): void {
    for (const id of this.#granted) {
      this.#waiting.delete(id);
      this.#running.push(id);
    }
    this.#granted.length = 0;
  }

  arrival(): SchedulerEvent {
    const id = `request-${this.#arrivals}`;
    this.#arrivals += 1;
    this.#waiting.add(id);
    return {
      type: 'requestArrived',
      nowMs: this.nowMs,
      request: {
        id,
        model: this.#models[this.#below(this.#models.length)],
        flow: `flow-${this.#below(this.size.flows)}`,
        priority: 1,
        session: `session-${this.#below(this.size.sessions)}`,
        tokensEstimated: this.#below(8000),
        slotless: false,
      },
    };
  }

  /** Of one of those that run. */
  end(): SchedulerEvent {
    const at = this.#below(this.#running.length);
    const id = this.#running[at];
    const last = this.#running.pop();
    if (id === undefined || last === undefined) throw new Error('Nothing runs');
    if (last !== id) this.#running[at] = last;
    return { type: 'requestFinished', id, lingers: false, nowMs: this.nowMs };
  }

  /** Of one of those that came last. */
  cancel(): SchedulerEvent {
    const id = `request-${this.#arrivals - 1 - this.#below(this.size.queued >> 1)}`;
    this.#waiting.delete(id);
    return { type: 'requestCancelled', id, nowMs: this.nowMs };
  }

  /** Its slots were read just now. */
  reading(index: number, busy: number): SchedulerEvent {
    return { type: 'backendChanged', view: this.#view(index, busy), nowMs: this.nowMs };
  }

  #view(index: number, busy: number): BackendView {
    return {
      id: `backend-${index}`,
      state: 'live',
      models: new Map(this.#models.map((name) => [name, name])),
      loaded: new Set(this.#models.slice(0, loadedModels)),
      slotsTotal: slotsPerBackend,
      slots: { busy, probeStartedMs: this.nowMs },
      modelsMax: undefined,
      weight: 1,
      priority: 0,
      contextTokens: new Map(this.#models.map((name) => [name, 32_768])),
      epoch: 0,
    };
  }

  #below(limit: number): number {
    return Math.floor(this.#random.next() * limit);
  }
}

function settingsOf(preset: PresetName): SchedulerSettings {
  const { ordering, scorers, picker, modelAffinityBonusMs } = presets[preset];
  return {
    ordering,
    scorers,
    picker,
    modelAffinityBonusMs,
    queueMax: Infinity,
    slotsAreSoft: false,
    queueTimeoutMs: 300_000,
    deadWaitMs: 15_000,
    priorityAgeingMs: 30_000,
    overtakenMax: 100,
    stickyDelayMs: 3000,
    modelLimits: new Map(),
    admissionLimits: new Map(),
    residency: new Map(),
    swapPatienceMs: 60_000,
    swapHold: 0,
    sessionTtlMs: 600_000,
    sessionsMax: 100_000,
    promptBytesMax: 64 * 1024 ** 2,
    promptLoadFactor: 1.25,
    promptBonusMs: 10_000,
    promptPatienceMs: 1000,
    namesSlots: false,
    lingerMsMax: 60_000,
    decisionCandidatesMax: 16,
  };
}
