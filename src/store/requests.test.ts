import { describe, expect, test } from 'vitest';
import type { RequestRecord } from './request-record.ts';
import { createRequestTable, outputTokensSoFar } from './requests.ts';
import type { CancelReason, RequestEnd, RequestHead } from './requests.ts';

const completed: RequestEnd = { outcome: 'completed', status: 200, errorCode: undefined };
const failed: RequestEnd = { outcome: 'failed_midstream', status: 200, errorCode: 'backend_reset' };

function head(id: string): RequestHead {
  return { id, route: 'chat-completions', method: 'POST', path: '/v1/chat/completions', flow: 'alice' };
}

function setUp(recentMax = 10) {
  let nowMs = 1000;
  const clock = { nowMs: () => nowMs, epochMs: () => 1_700_000_000_000 + nowMs };
  const table = createRequestTable({ recentMax, clock });
  return {
    table,
    advance: (ms: number) => {
      nowMs += ms;
    },
    open: (id: string) => table.open(head(id), () => {}),
  };
}

describe('request table', () => {
  test('opens a record with its head, its time and nothing else', () => {
    const { open } = setUp();
    const record = open('r1');
    expect(record).toMatchObject({
      ...head('r1'),
      startedMs: 1000,
      startedEpochMs: 1_700_000_001_000,
      phase: 'reading',
    });
    expect(record.model).toBeUndefined();
    expect(record.attempts).toEqual([]);
  });

  test('counts the chunks of a stream as tokens, but not those of an ensemble, which others have made', () => {
    const { open } = setUp();
    const plain = Object.assign(open('r1'), { stream: true, chunksOut: 5 });
    const outer = Object.assign(open('r2'), { stream: true, chunksOut: 7, ensemble: 'panel' });
    expect([plain, outer].map(outputTokensSoFar)).toEqual([5, 0]);
  });

  test('moves a request from the running to the recent ones when it finishes', () => {
    const { table, open, advance } = setUp();
    const first = open('r1');
    open('r2');
    expect([...table.inFlight()].map(({ id }) => id)).toEqual(['r1', 'r2']);
    advance(250);
    expect(table.finish(first, failed)).toBe(true);
    expect(first).toMatchObject({ phase: 'finished', finishedAtMs: 1250, ...failed });
    expect([...table.inFlight()].map(({ id }) => id)).toEqual(['r2']);
    expect(table.recent(5)).toEqual([first]);
    expect(table.get('r1')).toBe(first);
    expect(table.inFlightCount).toBe(1);
  });

  test('ends a request once, whoever asks again', () => {
    const { table, open } = setUp();
    const record = open('r1');
    table.finish(record, completed);
    expect(table.finish(record, failed)).toBe(false);
    expect(record.outcome).toBe('completed');
    expect(table.totals()).toMatchObject({ opened: 1, finished: 1 });
  });

  test('forgets the oldest finished requests beyond its size', () => {
    const { table, open } = setUp(2);
    for (const id of ['r1', 'r2', 'r3']) table.finish(open(id), completed);
    expect(table.recent(10).map(({ id }) => id)).toEqual(['r3', 'r2']);
    expect(table.get('r1')).toBeUndefined();
  });

  test('counts outcomes', () => {
    const { table, open } = setUp();
    table.finish(open('r1'), completed);
    table.finish(open('r2'), completed);
    table.finish(open('r3'), failed);
    const { byOutcome } = table.totals();
    expect(byOutcome.completed).toBe(2);
    expect(byOutcome.failed_midstream).toBe(1);
    expect(byOutcome.internal).toBe(0);
  });

  test('cancels a running request once, and none that is unknown or over', () => {
    const { table, open } = setUp();
    const reasons: CancelReason[] = [];
    const record = table.open(head('r1'), (reason) => reasons.push(reason));
    expect(table.cancel('r1', 'operator')).toBe(true);
    expect(table.cancel('r1', 'shutdown')).toBe(false);
    expect(reasons).toEqual(['operator']);
    table.finish(record, { outcome: 'cancelled_queued', status: 499, errorCode: 'cancelled' });
    expect(table.cancel('r1', 'operator')).toBe(false);
    expect(table.cancel('no-such', 'operator')).toBe(false);
    table.finish(open('r2'), completed);
    expect(table.cancel('r2', 'operator')).toBe(false);
  });

  test('allows a cancellation to finish the request synchronously', () => {
    const { table } = setUp();
    const record: RequestRecord = table.open(head('r1'), () => {
      table.finish(record, { outcome: 'cancelled_waiting', status: 499, errorCode: 'cancelled' });
    });
    expect(table.cancel('r1', 'operator')).toBe(true);
    expect(table.inFlightCount).toBe(0);
  });

  test('tells listeners what happened, in order, until they leave', () => {
    const { table, open } = setUp();
    const seen: string[] = [];
    const leave = table.subscribe({
      opened: ({ id }) => seen.push(`opened ${id}`),
      changed: ({ id, phase }) => seen.push(`${id} ${phase}`),
      finished: ({ id, outcome }) => seen.push(`${id} ${outcome}`),
    });
    const record = open('r1');
    record.phase = 'queued';
    table.changed(record);
    table.finish(record, completed);
    leave();
    open('r2');
    expect(seen).toEqual(['opened r1', 'r1 queued', 'r1 completed']);
  });
});

describe('traffic of the request table', () => {
  test('sums requests, failures and tokens per model and backend', () => {
    const { table, open, advance } = setUp();
    for (const end of [completed, failed]) {
      const record = open(`r-${end.outcome}`);
      record.model = 'qwen';
      record.backend = 'gpu-1';
      record.usage = { inputTokens: 100, outputTokens: 20, cachedTokens: 60, estimated: false };
      advance(500);
      table.finish(record, end);
    }
    const sums = { requests: 2, failures: 1, inputTokens: 200, outputTokens: 40, cachedTokens: 120 };
    const traffic = table.traffic();
    expect(traffic.total).toMatchObject(sums);
    expect(traffic.byModel.get('qwen')).toMatchObject(sums);
    expect(traffic.byBackend.get('gpu-1')).toMatchObject(sums);
  });

  test('keeps no statistics of models that no backend ever took', () => {
    const { table, open } = setUp();
    for (let index = 0; index < 50; index += 1) {
      const record = open(`r${index}`);
      record.model = `invented-${index}`;
      table.finish(record, { outcome: 'rejected_other', status: 404, errorCode: 'model_not_found' });
    }
    expect(table.traffic().byModel.size).toBe(0);
    expect(table.traffic().total.requests).toBe(50);
  });

  test('shows the tokens of a running stream, and counts none twice at its end', () => {
    const { table, open, advance } = setUp();
    const record = open('r1');
    record.model = 'qwen';
    record.backend = 'gpu-1';
    record.stream = true;
    let passed = 0;
    for (let second = 0; second < 120; second += 1) {
      record.chunksOut += 50;
      advance(1000);
      table.countProgress();
      passed += 50;
    }
    const running = table.traffic().byBackend.get('gpu-1');
    expect(running?.outputTokensPerSecond).toBeGreaterThan(48);
    expect(running?.outputTokensPerSecond).toBeLessThan(53);
    const before = table.traffic().total.outputTokensPerSecond;
    record.usage = { inputTokens: 10, outputTokens: passed, cachedTokens: 0, estimated: false };
    table.finish(record, completed);
    expect(table.traffic().total.outputTokensPerSecond).toBeCloseTo(before, 6);
    expect(table.traffic().total.outputTokens).toBe(passed);
  });

  test('has rates of backends that add up to the total, whenever each began', () => {
    const { table, open, advance } = setUp();
    for (let index = 0; index < 30; index += 1) {
      const record = open(`r${index}`);
      record.backend = index < 25 ? 'early' : 'late';
      record.usage = { inputTokens: 1, outputTokens: 50, cachedTokens: 0, estimated: false };
      advance(700);
      table.finish(record, completed);
    }
    const { total, byBackend } = table.traffic();
    const parts = [...byBackend.values()];
    const sum = (read: (part: (typeof parts)[number]) => number) =>
      parts.reduce((all, part) => all + read(part), 0);
    expect(sum((part) => part.outputTokensPerSecond)).toBeCloseTo(total.outputTokensPerSecond, 6);
    expect(sum((part) => part.requestsPerMinute)).toBeCloseTo(total.requestsPerMinute, 6);
  });

  test('bounds how many models it keeps apart', () => {
    const { table, open } = setUp();
    for (let index = 0; index < 1100; index += 1) {
      const record = open(`r${index}`);
      record.model = `model-${index}`;
      record.backend = 'gpu-1';
      table.finish(record, completed);
    }
    const { byModel } = table.traffic();
    expect(byModel.size).toBe(1000);
    expect(byModel.has('model-1099')).toBe(true);
    expect(byModel.has('model-0')).toBe(false);
  });
});
