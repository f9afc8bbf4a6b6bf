import { describe, expect, test } from 'vitest';

import type { Timers } from '../timers.ts';
import type { SlotJob, SlotRun } from './slot-job.ts';
import { SlotPool } from './slot-pool.ts';

/** Time that moves only when told to, millisecond by millisecond. */
function createManualTimers(): Timers & { advance(ms: number): void } {
  let nowMs = 0;
  let tasks: { task: () => void; atMs: number }[] = [];
  return {
    nowMs: () => nowMs,
    epochMs: () => nowMs,
    set(task, delayMs) {
      const entry = { task, atMs: nowMs + delayMs };
      tasks.push(entry);
      return entry;
    },
    clear(handle) {
      tasks = tasks.filter((entry) => entry !== handle);
    },
    advance(ms) {
      for (let step = 0; step <= ms; step += 1) {
        const due = tasks.filter(({ atMs }) => atMs <= nowMs);
        tasks = tasks.filter(({ atMs }) => atMs > nowMs);
        for (const { task } of due) task();
        if (step < ms) nowMs += 1;
      }
    },
  };
}

interface Seen {
  readonly job: SlotJob;
  startedMs: number | undefined;
  readonly tokensMs: number[];
  run: SlotRun | undefined;
  progress: number[];
  abandoned: boolean;
}

function createPool(options: { slots?: number; sharing?: number } = {}) {
  const timers = createManualTimers();
  let idles = 0;
  const pool = new SlotPool({
    slots: options.slots ?? 2,
    promptTokensPerS: 1000,
    tokensPerS: 100,
    sharing: options.sharing ?? 0,
    timers,
    idle: () => (idles += 1),
  });

  function enqueue(prompt: string, job: Partial<SlotJob> & { tokens?: number } = {}): Seen {
    const { tokens = 5, ...overrides } = job;
    const seen: Seen = {
      startedMs: undefined,
      tokensMs: [],
      run: undefined,
      progress: [],
      abandoned: false,
      job: {
        prompt,
        promptTokens: prompt.length / 4,
        usesCache: true,
        slotWanted: undefined,
        params: {},
        tokensMax: tokens,
        started(run) {
          seen.startedMs = timers.nowMs();
          seen.run = run;
        },
        promptProgressed(run) {
          seen.progress.push(run.promptDone);
          return true;
        },
        tokenDue() {
          seen.tokensMs.push(timers.nowMs());
          return seen.tokensMs.length < tokens;
        },
        generatedText: () => ' word'.repeat(seen.tokensMs.length),
        abandoned() {
          seen.abandoned = true;
        },
        ...overrides,
      },
    };
    pool.enqueue(seen.job);
    return seen;
  }

  return { pool, timers, enqueue, idles: () => idles };
}

const fourHundred = 'x'.repeat(400);

describe('SlotPool', () => {
  test('spends prompt and token time at the given speeds', () => {
    const { timers, enqueue } = createPool();
    const seen = enqueue(fourHundred, { tokens: 11 });
    timers.advance(400);
    expect(seen.tokensMs).toHaveLength(11);
    // 100 prompt tokens at 1000/s, then 10 intervals of 10 ms, each at most one tick late.
    expect(seen.tokensMs[0]).toBeGreaterThanOrEqual(100);
    expect(seen.tokensMs[0]).toBeLessThanOrEqual(110);
    expect(seen.tokensMs.at(-1)! - seen.tokensMs[0]!).toBeGreaterThanOrEqual(95);
    expect(seen.tokensMs.at(-1)! - seen.tokensMs[0]!).toBeLessThanOrEqual(110);
    expect(seen.run).toMatchObject({ cacheN: 0, promptN: 100, predictedN: 11 });
  });

  test('slows down when several slots are busy', () => {
    const alone = createPool({ slots: 4, sharing: 0.5 });
    const one = alone.enqueue('abcd', { tokens: 1000 });
    alone.timers.advance(1000);
    const shared = createPool({ slots: 4, sharing: 0.5 });
    const four = ['a', 'b', 'c', 'd'].map((letter) => shared.enqueue(letter.repeat(4), { tokens: 1000 }));
    shared.timers.advance(1000);
    expect(four[0]!.tokensMs.length / one.tokensMs.length).toBeCloseTo(0.5, 1);
  });

  test('keeps the order of arrival when all slots are busy', () => {
    const { pool, timers, enqueue } = createPool({ slots: 1 });
    const all = ['aaaa', 'bbbb', 'cccc'].map((prompt) => enqueue(prompt));
    timers.advance(1);
    expect([pool.busy, pool.queued]).toEqual([1, 2]);
    timers.advance(500);
    const starts = all.map(({ startedMs }) => startedMs!);
    expect(starts).toEqual([...starts].sort((one, other) => one - other));
    expect([pool.busy, pool.queued]).toEqual([0, 0]);
  });

  test('finds the prefix of an earlier prompt and its answer again', () => {
    const { timers, enqueue } = createPool();
    enqueue(fourHundred);
    timers.advance(500);
    const again = enqueue(fourHundred);
    timers.advance(500);
    const longer = enqueue(`${fourHundred}${' word'.repeat(5)}${'y'.repeat(15)}`);
    timers.advance(500);
    const uncached = enqueue(fourHundred, { usesCache: false });
    timers.advance(500);
    expect(again.run).toMatchObject({ cacheN: 99, promptN: 1 });
    expect(longer.run).toMatchObject({ cacheN: 106, promptN: 4 });
    expect(uncached.run).toMatchObject({ cacheN: 0, promptN: 100 });
  });

  test('remembers prompts that lost their slot', () => {
    const { timers, enqueue } = createPool({ slots: 1 });
    enqueue(fourHundred);
    enqueue('z'.repeat(400));
    const back = enqueue(fourHundred);
    timers.advance(1000);
    expect(back.run?.cacheN).toBe(99);
  });

  test('does not share a prefix between prompts that run at the same time', () => {
    const { timers, enqueue } = createPool();
    const pair = [enqueue(fourHundred), enqueue(fourHundred)];
    timers.advance(1000);
    expect(pair.map(({ run }) => run?.cacheN)).toEqual([0, 0]);
  });

  test('makes a pinned request wait for its slot though another is free', () => {
    const { timers, enqueue } = createPool();
    const first = enqueue(fourHundred);
    timers.advance(1);
    const pinned = enqueue('abcd', { slotWanted: first.run!.slot });
    timers.advance(50);
    expect(pinned.startedMs).toBeUndefined();
    timers.advance(500);
    expect(pinned.run?.slot).toBe(first.run!.slot);
  });

  test('reports the prompt batch by batch and gives up when told to', () => {
    const { pool, timers, enqueue } = createPool();
    const long = 'q'.repeat(4 * 5000);
    const patient = enqueue(long);
    timers.advance(6000);
    expect(patient.progress).toEqual([2048, 4096, 5000]);
    const gone = enqueue(`r${long}`, { promptProgressed: () => false });
    timers.advance(6000);
    expect(gone.tokensMs).toEqual([]);
    expect(pool.busy).toBe(0);
  });

  test('abandons what runs and what waits when it is closed', () => {
    const { pool, timers, enqueue } = createPool({ slots: 1 });
    const seen = [enqueue('aaaa', { tokens: 1000 }), enqueue('bbbb')];
    timers.advance(20);
    pool.close();
    seen.push(enqueue('cccc'));
    timers.advance(20);
    expect(seen.map(({ abandoned }) => abandoned)).toEqual([true, true, true]);
  });

  test('says when it is idle and then sets no timer', () => {
    const { timers, enqueue, idles } = createPool();
    enqueue('aaaa');
    timers.advance(500);
    expect(idles()).toBe(1);
  });
});
