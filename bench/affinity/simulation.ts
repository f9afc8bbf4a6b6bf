/**
 * The real scheduler between a trace and simulated engines, in virtual time. With an endless cache what is missed is missed by
 * placement alone.
 */
import { Heap, type HeapItem } from '../../src/base/heap.ts';
import { createRandom } from '../../src/base/random.ts';
import type { BackendView } from '../../src/domain/backend-view.ts';
import type { PromptChain } from '../../src/domain/prompt-chain.ts';
import type { Grant } from '../../src/scheduler/effects.ts';
import { Scheduler } from '../../src/scheduler/scheduler.ts';
import type { SchedulerSettings, WeightedPolicy } from '../../src/scheduler/settings.ts';
import { endlessCache, type CacheKind, type PromptCache } from './engine.ts';
import { tokensPerBlock, type TracedRequest } from './trace.ts';

export interface SimulatedPolicy {
  readonly name: string;
  readonly scorers: readonly WeightedPolicy[];
  readonly loadFactor: number;
  /** How much earlier somebody may have come whom a request with a better cached prompt passes. */
  readonly bonusMs: number;
  /** How long a request waits for the backend that has its prompt. */
  readonly patienceMs: number;
}

export interface SimulatedFleet {
  readonly backends: number;
  readonly slots: number;
  /** How much faster than in the trace requests come. */
  readonly speed: number;
  readonly cache: CacheKind;
}

export interface SimulationResult {
  readonly policy: string;
  readonly cachedShare: number;
  /** With every prompt cached everywhere at once. */
  readonly oracleShare: number;
  readonly requestsMaxToMean: number;
  /** Time that slots were in use. */
  readonly workMaxToMean: number;
  readonly firstTokenMsMean: number;
  readonly firstTokenMsP99: number;
}

/** Of one GPU and a model of about 8 billion weights. */
const promptTokensPerMs = 8;
const msPerOutputToken = 15;
const bytesPerToken = 4;
/** Among whom the openings of the trace are shared out: it names none. */
const clients = 20;

interface Happening extends HeapItem {
  readonly atMs: number;
  readonly seq: number;
  readonly happen: () => void;
}

export function simulate(
  trace: readonly TracedRequest[],
  policy: SimulatedPolicy,
  fleet: SimulatedFleet,
): SimulationResult {
  return new Simulation(trace, policy, fleet).run();
}

class Engine {
  readonly cache: PromptCache;
  requests = 0;
  workMs = 0;

  constructor(cache: PromptCache) {
    this.cache = cache;
  }
}

class Simulation {
  readonly #trace: readonly TracedRequest[];
  readonly #policy: SimulatedPolicy;
  readonly #fleet: SimulatedFleet;
  readonly #scheduler: Scheduler;
  readonly #engines = new Map<string, Engine>();
  readonly #agenda = new Heap<Happening>(
    (one, other) => one.atMs < other.atMs || (one.atMs === other.atMs && one.seq < other.seq),
  );
  readonly #firstTokens: number[] = [];
  #happenings = 0;
  #nowMs = 0;
  #cachedTokens = 0;

  constructor(trace: readonly TracedRequest[], policy: SimulatedPolicy, fleet: SimulatedFleet) {
    this.#trace = trace;
    this.#policy = policy;
    this.#fleet = fleet;
    this.#scheduler = new Scheduler({
      settings: settingsOf(policy),
      random: createRandom(1),
      effects: {
        grant: (grant) => this.#later(this.#nowMs, () => this.#start(grant)),
        reject: ({ id, reason }) => {
          throw new Error(`${id} was rejected: ${reason}`);
        },
        wakeAt: (atMs) => this.#wakeAt(atMs),
        load: () => {},
        unload: () => {},
      },
    });
  }

  run(): SimulationResult {
    for (let index = 0; index < this.#fleet.backends; index += 1) {
      const { slots, cache } = this.#fleet;
      const view = viewOf(`b${index}`, slots, cache === endlessCache);
      this.#engines.set(view.id, new Engine(cache.create(slots)));
      this.#scheduler.handle({ type: 'backendChanged', view, nowMs: 0 });
    }
    this.#trace.forEach((request, index) => {
      this.#later(request.atMs / this.#fleet.speed, () => this.#arrive(request, index));
    });
    for (let next = this.#agenda.pop(); next !== undefined; next = this.#agenda.pop()) {
      this.#nowMs = next.atMs;
      next.happen();
    }
    return this.#result();
  }

  #arrive(traced: TracedRequest, index: number): void {
    this.#scheduler.handle({
      type: 'requestArrived',
      nowMs: this.#nowMs,
      request: {
        id: String(index),
        model: 'm',
        flow: String((traced.blocks[1] ?? 0) % clients),
        priority: 1,
        // What a fingerprint of the opening would tell: the first blocks, system text and first turn.
        session: traced.blocks.slice(0, 2).join(),
        tokensEstimated: 0,
        slotless: false,
        prompt: chainOf(traced),
      },
    });
  }

  #start({ id, backend }: Grant): void {
    const traced = this.#trace[Number(id)];
    const engine = this.#engines.get(backend);
    if (traced === undefined || engine === undefined) throw new Error(`No request ${id} on ${backend}`);
    const known = engine.cache.start(traced.blocks);
    const cachedTokens = Math.min(traced.inputTokens, known * tokensPerBlock);
    const promptMs = (traced.inputTokens - cachedTokens) / promptTokensPerMs;
    const totalMs = promptMs + traced.outputTokens * msPerOutputToken;
    engine.requests += 1;
    engine.workMs += totalMs;
    this.#cachedTokens += cachedTokens;
    this.#firstTokens.push(this.#nowMs + promptMs - traced.atMs / this.#fleet.speed);
    this.#later(this.#nowMs + promptMs, () => engine.cache.read(traced.blocks));
    this.#later(this.#nowMs + totalMs, () => {
      engine.cache.end(traced.blocks);
      const prompt = { tokens: traced.inputTokens, cachedTokens };
      this.#scheduler.handle({ type: 'requestFinished', id, lingers: false, prompt, nowMs: this.#nowMs });
    });
  }

  #wakeAt(atMs: number): void {
    if (atMs === Infinity) return;
    this.#later(atMs, () => this.#scheduler.handle({ type: 'timePassed', nowMs: this.#nowMs }));
  }

  #later(atMs: number, happen: () => void): void {
    this.#happenings += 1;
    this.#agenda.push({ atMs, seq: this.#happenings, happen, heapIndex: -1 });
  }

  #result(): SimulationResult {
    const engines = [...this.#engines.values()];
    const promptTokens = this.#trace.reduce((sum, { inputTokens }) => sum + inputTokens, 0);
    const firstTokens = this.#firstTokens.toSorted((one, other) => one - other);
    return {
      policy: this.#policy.name,
      cachedShare: this.#cachedTokens / promptTokens,
      oracleShare: oracleTokens(this.#trace) / promptTokens,
      requestsMaxToMean: maxToMean(engines.map(({ requests }) => requests)),
      workMaxToMean: maxToMean(engines.map(({ workMs }) => workMs)),
      firstTokenMsMean: firstTokens.reduce((sum, ms) => sum + ms, 0) / firstTokens.length,
      firstTokenMsP99: firstTokens[Math.floor(firstTokens.length * 0.99)] ?? 0,
    };
  }
}

function settingsOf({ scorers, loadFactor, bonusMs, patienceMs }: SimulatedPolicy): SchedulerSettings {
  return {
    ordering: 'fair',
    scorers,
    picker: 'max-score',
    modelAffinityBonusMs: 0,
    queueMax: Infinity,
    slotsAreSoft: false,
    queueTimeoutMs: Infinity,
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
    sessionsMax: 100_000,
    promptBytesMax: 64 * 1024 ** 2,
    promptLoadFactor: loadFactor,
    promptBonusMs: bonusMs,
    promptPatienceMs: patienceMs,
    namesSlots: false,
    lingerMsMax: 60_000,
    decisionCandidatesMax: 1,
  };
}

function viewOf(id: string, slotsTotal: number, sharesPrompts: boolean): BackendView {
  return {
    id,
    state: 'live',
    models: new Map([['m', 'm']]),
    loaded: new Set(['m']),
    slotsTotal,
    slots: undefined,
    modelsMax: undefined,
    weight: 1,
    priority: 0,
    contextTokens: new Map(),
    epoch: 0,
    sharesPrompts,
  };
}

function chainOf({ blocks, inputTokens }: TracedRequest): PromptChain {
  const hashes = new Uint32Array(blocks.length * 2);
  const ends = new Uint32Array(blocks.length);
  blocks.forEach((block, at) => {
    hashes[2 * at] = Math.imul(block + 1, 0x9e3779b1);
    hashes[2 * at + 1] = block;
    ends[at] = bytesPerToken * Math.min(inputTokens, (at + 1) * tokensPerBlock);
  });
  return { hashes, ends, bytes: bytesPerToken * inputTokens };
}

function oracleTokens(trace: readonly TracedRequest[]): number {
  const known = new Set<number>();
  let tokens = 0;
  for (const { blocks, inputTokens } of trace) {
    const missing = blocks.findIndex((block) => !known.has(block));
    tokens += Math.min(inputTokens, (missing === -1 ? blocks.length : missing) * tokensPerBlock);
    for (const block of blocks) known.add(block);
  }
  return tokens;
}

function maxToMean(counts: readonly number[]): number {
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return Math.max(...counts) / mean;
}
