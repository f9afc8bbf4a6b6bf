/**
 * What one scheduler event costs with a large fleet and a long queue. Prints median and 99th percentile in microseconds
 * per kind of event: `node bench/scheduler/main.ts [--backends 1000] [--queued 100000] [--events 20000]`.
 */
import { parseArgs } from 'node:util';
import { createRandom } from '../../src/base/random.ts';
import type { BackendView } from '../../src/domain/backend-view.ts';
import { presets } from '../../src/scheduler/presets.ts';
import { Scheduler } from '../../src/scheduler/scheduler.ts';
import type { SchedulerSettings } from '../../src/scheduler/settings.ts';

const { values } = parseArgs({
  options: {
    backends: { type: 'string', default: '1000' },
    queued: { type: 'string', default: '100000' },
    events: { type: 'string', default: '20000' },
  },
});
const backendCount = Number(values.backends);
const queuedCount = Number(values.queued);
const eventCount = Number(values.events);
const slotsPerBackend = 4;
const modelCount = 20;
const flowCount = 200;

class Fleet {
  readonly scheduler: Scheduler;
  readonly running: string[] = [];
  readonly #random = createRandom(7);
  nowMs = 0;
  #arrivals = 0;
  #waiting = new Set<string>();

  constructor(preset: keyof typeof presets) {
    const { ordering, scorers, picker, modelAffinityBonusMs } = presets[preset];
    const settings: SchedulerSettings = {
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
      decisionCandidatesMax: 8,
    };
    this.scheduler = new Scheduler({
      settings,
      random: createRandom(1),
      effects: {
        grant: ({ id }) => {
          this.#waiting.delete(id);
          this.running.push(id);
        },
        reject: ({ id, reason }) => {
          throw new Error(`${id} was rejected: ${reason}`);
        },
        wakeAt() {},
        load() {},
        unload() {},
      },
    });
    for (let index = 0; index < backendCount; index += 1) {
      this.scheduler.handle({ type: 'backendChanged', view: this.view(index, 0, 0), nowMs: 0 });
    }
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  view(index: number, busy: number, probeStartedMs: number): BackendView {
    const names = Array.from({ length: modelCount }, (_, model) => `model-${model}`);
    return {
      id: `backend-${index}`,
      state: 'live',
      models: new Map(names.map((name) => [name, name])),
      loaded: new Set(names.slice(0, 4)),
      slotsTotal: slotsPerBackend,
      slots: { busy, probeStartedMs },
      modelsMax: undefined,
      weight: 1,
      priority: 0,
      contextTokens: new Map(names.map((name) => [name, 32_768])),
      epoch: 0,
    };
  }

  arrive(): void {
    const id = `request-${this.#arrivals}`;
    this.#arrivals += 1;
    this.#waiting.add(id);
    this.scheduler.handle({
      type: 'requestArrived',
      nowMs: this.nowMs,
      request: {
        id,
        model: `model-${this.below(modelCount)}`,
        flow: `flow-${this.below(flowCount)}`,
        priority: 1,
        session: `session-${this.below(5000)}`,
        tokensEstimated: this.below(8000),
        slotless: false,
      },
    });
  }

  finishOne(): void {
    const at = this.below(this.running.length);
    const id = this.running[at];
    const last = this.running.pop();
    if (id === undefined || last === undefined) throw new Error('Nothing runs');
    if (last !== id) this.running[at] = last;
    this.scheduler.handle({ type: 'requestFinished', id, lingers: false, nowMs: this.nowMs });
  }

  cancelOne(): void {
    const id = `request-${this.#arrivals - 1 - this.below(queuedCount >> 1)}`;
    this.#waiting.delete(id);
    this.scheduler.handle({ type: 'requestCancelled', id, nowMs: this.nowMs });
  }

  below(limit: number): number {
    return Math.floor(this.#random.next() * limit);
  }
}

function measure(name: string, run: () => void, prepare: () => void = () => {}): void {
  const times = new Float64Array(eventCount);
  for (let index = 0; index < eventCount; index += 1) {
    prepare();
    const startMs = performance.now();
    run();
    times[index] = (performance.now() - startMs) * 1000;
  }
  times.sort();
  const at = (share: number): string => (times[Math.floor(share * (eventCount - 1))] ?? 0).toFixed(2);
  console.log(`  ${name.padEnd(44)} median ${at(0.5).padStart(8)} µs   p99 ${at(0.99).padStart(8)} µs`);
}

for (const preset of ['llamacpp-ha', 'default'] as const) {
  console.log(`${preset}: ${backendCount} backends with ${slotsPerBackend} slots, ${modelCount} models`);
  const fleet = new Fleet(preset);
  measure(
    'arrival, fleet idle',
    () => fleet.arrive(),
    () => {
      if (fleet.running.length > 100) fleet.finishOne();
    },
  );
  while (fleet.waiting < queuedCount) fleet.arrive();
  console.log(`  ${fleet.running.length} running, ${fleet.waiting} waiting`);
  const tick = (): void => {
    fleet.nowMs += 0.2;
  };
  measure('arrival, fleet full', () => fleet.arrive(), tick);
  measure('finish, next one granted', () => fleet.finishOne(), tick);
  measure('cancel', () => fleet.cancelOne(), tick);
  const views = Array.from({ length: eventCount }, (_, index) =>
    fleet.view(index % backendCount, slotsPerBackend, fleet.nowMs + index),
  );
  let next = 0;
  measure('slot reading, nothing freed', () => {
    const view = views[next];
    next += 1;
    if (view !== undefined) fleet.scheduler.handle({ type: 'backendChanged', view, nowMs: fleet.nowMs });
  });
  measure('position of a waiting request', () => fleet.scheduler.positionOf(`request-${queuedCount}`));
}
