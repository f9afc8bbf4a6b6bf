/**
 * The slots of one loaded model and the queue in front of them. Owns which request holds which slot, what each slot has
 * cached, and the one timer that moves all requests forward. Knows nothing of HTTP or of texts beyond their prefixes.
 */
import type { TimerHandle, Timers } from '../timers.ts';
import { batchTokens } from './options.ts';
import { commonPrefix, RamCache } from './prompt-cache.ts';
import type { PoolCounters, SlotJob, SlotReading, SlotRun } from './slot-job.ts';
import { tokensIn } from './tokens.ts';

/** Timer ticks closer than this are merged: tokens of many streams leave together. */
const tickMsMin = 4;
const tickMsMax = 50;
/** Tokens one slot may emit in one tick, so that a very fast model does not block the program. */
const tokensPerTickMax = 256;
/** An idle slot is preferred to the least recently used one when it shares this much (`--slot-prompt-similarity`). */
const similarityMin = 0.1;

interface Slot {
  readonly id: number;
  cached: string;
  usedAt: number;
  job: SlotJob | undefined;
  /** Of the running job, else of the last one. */
  run: SlotRun | undefined;
  params: Readonly<Record<string, unknown>> | undefined;
  /** Tokens earned and not yet spent. */
  credit: number;
  firstTokenMs: number;
  startedMs: number;
}

export interface SlotPoolOptions {
  readonly slots: number;
  readonly promptTokensPerS: number;
  readonly tokensPerS: number;
  /** With k busy slots each runs at k^-sharing of its speed. */
  readonly sharing: number;
  readonly timers: Timers;
  /** Called when the last request has left. */
  idle(): void;
}

export class SlotPool {
  readonly counters: PoolCounters = {
    promptTokens: 0,
    cachedTokens: 0,
    promptMs: 0,
    predictedTokens: 0,
    predictedMs: 0,
    requests: 0,
    tokensMax: 0,
  };
  readonly #options: SlotPoolOptions;
  readonly #slots: Slot[];
  readonly #ram = new RamCache();
  #queue: SlotJob[] = [];
  #timer: TimerHandle | undefined;
  #lastTickMs = 0;
  #tasks = 0;
  #closed = false;

  constructor(options: SlotPoolOptions) {
    this.#options = options;
    this.#slots = Array.from({ length: options.slots }, (_, id) => ({
      id,
      cached: '',
      usedAt: 0,
      job: undefined,
      run: undefined,
      params: undefined,
      credit: 0,
      firstTokenMs: 0,
      startedMs: 0,
    }));
  }

  get busy(): number {
    return this.#slots.filter((slot) => slot.job !== undefined).length;
  }

  get queued(): number {
    return this.#queue.length;
  }

  enqueue(job: SlotJob): void {
    if (this.#closed) {
      this.#options.timers.set(() => job.abandoned(), 0);
      return;
    }
    this.#queue.push(job);
    if (this.#timer !== undefined && this.busy < this.#slots.length) {
      this.#options.timers.clear(this.#timer);
      this.#timer = undefined;
    }
    this.#schedule(0);
  }

  read(): SlotReading[] {
    return this.#slots.map((slot) => ({
      id: slot.id,
      busy: slot.job !== undefined,
      cachedTokens: tokensIn(slot.cached.length),
      run: slot.run,
      params: slot.params,
      tokensMax: slot.job?.tokensMax ?? -1,
    }));
  }

  /** Abandons whatever runs or waits. */
  close(): void {
    this.#closed = true;
    this.#options.timers.clear(this.#timer);
    const left = [...this.#slots.flatMap((slot) => slot.job ?? []), ...this.#queue];
    this.#queue = [];
    for (const slot of this.#slots) slot.job = undefined;
    for (const job of left) job.abandoned();
  }

  #schedule(delayMs: number): void {
    if (this.#timer !== undefined || this.#closed) return;
    if (this.busy === 0) this.#lastTickMs = this.#options.timers.nowMs();
    this.#timer = this.#options.timers.set(() => this.#tick(), delayMs);
  }

  #tick(): void {
    this.#timer = undefined;
    const nowMs = this.#options.timers.nowMs();
    const elapsedMs = nowMs - this.#lastTickMs;
    this.#lastTickMs = nowMs;
    const share = Math.max(1, this.busy) ** -this.#options.sharing;
    for (const slot of this.#slots) this.#earn(slot, { seconds: (elapsedMs / 1000) * share, nowMs });
    this.#emit(nowMs);
    this.#startQueued(nowMs);
    const dueMs = this.#nextDueMs();
    if (dueMs === undefined) this.#options.idle();
    else this.#schedule(Math.min(tickMsMax, Math.max(tickMsMin, dueMs)));
  }

  #earn(slot: Slot, tick: { readonly seconds: number; readonly nowMs: number }): void {
    const { job, run } = slot;
    if (job === undefined || run === undefined) return;
    let { seconds } = tick;
    if (prefills(slot)) {
      const left = this.#advancePrompt(slot, run, tick);
      if (left === undefined) return;
      seconds = left;
      slot.firstTokenMs = tick.nowMs;
      slot.credit = 1;
    }
    slot.credit = Math.min(tokensPerTickMax, slot.credit + seconds * this.#options.tokensPerS);
  }

  /** Spends what the slots earned, a token of each in turn, as a batch of one decoding step does. */
  #emit(nowMs: number): void {
    for (let round = 0; round < tokensPerTickMax; round += 1) {
      const due = this.#slots.filter((slot) => slot.credit >= 1 && slot.job !== undefined && !prefills(slot));
      if (due.length === 0) return;
      for (const slot of due) this.#emitToken(slot, nowMs);
    }
  }

  #emitToken(slot: Slot, nowMs: number): void {
    const { job, run } = slot;
    if (job === undefined || run === undefined) return;
    slot.credit -= 1;
    run.predictedN += 1;
    run.predictedMs = nowMs - slot.firstTokenMs;
    if (!job.tokenDue(run)) this.#release(slot);
  }

  /** Seconds left over when the prompt is done; undefined while it is not, or when the job gave up. */
  #advancePrompt(slot: Slot, run: SlotRun, tick: { seconds: number; nowMs: number }): number | undefined {
    slot.credit += tick.seconds * this.#options.promptTokensPerS;
    const total = run.cacheN + run.promptN;
    while (run.promptDone < total) {
      const batch = Math.min(batchTokens, total - run.promptDone);
      if (slot.credit < batch) return undefined;
      slot.credit -= batch;
      run.promptDone += batch;
      run.promptMs = tick.nowMs - slot.startedMs;
      if (slot.job?.promptProgressed(run) !== true) {
        this.#release(slot);
        return undefined;
      }
    }
    return Math.min(tick.seconds, slot.credit / this.#options.promptTokensPerS);
  }

  #startQueued(nowMs: number): void {
    let free = this.#slots.length - this.busy;
    if (free === 0 || this.#queue.length === 0) return;
    this.#queue = this.#queue.filter((job) => {
      const slot = free === 0 ? undefined : this.#freeSlot(job);
      if (slot === undefined) return true;
      free -= 1;
      this.#start(slot, job, nowMs);
      return false;
    });
  }

  #freeSlot(job: SlotJob): Slot | undefined {
    const pinned = job.slotWanted === undefined ? undefined : this.#slots[job.slotWanted];
    if (pinned !== undefined) return pinned.job === undefined ? pinned : undefined;
    let best: Slot | undefined;
    let bestPrefix = job.prompt.length * similarityMin;
    let oldest: Slot | undefined;
    for (const slot of this.#slots) {
      if (slot.job !== undefined) continue;
      if (oldest === undefined || slot.usedAt < oldest.usedAt) oldest = slot;
      const prefix = commonPrefix(slot.cached, job.prompt);
      if (prefix <= bestPrefix) continue;
      best = slot;
      bestPrefix = prefix;
    }
    return best ?? oldest;
  }

  #start(slot: Slot, job: SlotJob, nowMs: number): void {
    const inSlot = commonPrefix(slot.cached, job.prompt);
    if (inSlot < slot.cached.length) this.#ram.add(slot.cached);
    const known = job.usesCache ? Math.max(inSlot, this.#ram.longestPrefix(job.prompt)) : 0;
    // At least one token is always evaluated.
    const cacheN = Math.max(0, Math.min(tokensIn(known), job.promptTokens - 1));
    this.#tasks += 1;
    slot.job = job;
    slot.cached = job.prompt;
    slot.usedAt = this.#tasks;
    slot.credit = 0;
    slot.startedMs = nowMs;
    slot.run = {
      slot: slot.id,
      task: this.#tasks - 1,
      cacheN,
      promptN: job.promptTokens - cacheN,
      promptMs: 0,
      promptDone: cacheN,
      predictedN: 0,
      predictedMs: 0,
    };
    slot.params = job.params;
    job.started(slot.run);
  }

  #release(slot: Slot): void {
    const { job, run } = slot;
    if (job === undefined || run === undefined) return;
    slot.job = undefined;
    slot.cached = job.prompt + job.generatedText();
    const { counters } = this;
    counters.requests += 1;
    counters.promptTokens += run.promptN;
    counters.cachedTokens += run.cacheN;
    counters.promptMs += run.promptMs;
    counters.predictedTokens += run.predictedN;
    counters.predictedMs += run.predictedMs;
    counters.tokensMax = Math.max(counters.tokensMax, run.cacheN + run.promptN + run.predictedN);
  }

  /** Time to the next token or batch of any slot; undefined when nothing runs. */
  #nextDueMs(): number | undefined {
    const share = Math.max(1, this.busy) ** -this.#options.sharing;
    let due: number | undefined;
    for (const slot of this.#slots) {
      const { job, run, credit } = slot;
      if (job === undefined || run === undefined) continue;
      const prefilling = prefills(slot);
      const wanted = prefilling ? Math.min(batchTokens, run.cacheN + run.promptN - run.promptDone) : 1;
      const perS = (prefilling ? this.#options.promptTokensPerS : this.#options.tokensPerS) * share;
      const slotDue = ((wanted - credit) / perS) * 1000;
      if (due === undefined || slotDue < due) due = slotDue;
    }
    return due;
  }
}

/** Whether the slot is still in the prompt, where credit counts prompt tokens. */
function prefills({ run }: Slot): boolean {
  return run !== undefined && run.promptDone < run.cacheN + run.promptN;
}
