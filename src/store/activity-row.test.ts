import { describe, expect, test } from 'vitest';
import { isRemembered, toActivityRow } from './activity-row.ts';
import type { EngineTimings, RequestRecord, TokenUsage } from './request-record.ts';
import { createRequestTable } from './requests.ts';

function record(changes: Partial<RequestRecord> = {}): RequestRecord {
  const clock = { nowMs: () => 1000, epochMs: () => 1_700_000_000_000 };
  const table = createRequestTable({ recentMax: 1, clock });
  const head = { id: 'r', route: 'chat-completions', method: 'POST', path: '/v1/x', flow: 'f' } as const;
  return Object.assign(
    table.open(head, () => {}),
    { finishedAtMs: 1600, outcome: 'completed', status: 200 },
    changes,
  );
}

const row = (changes: Partial<RequestRecord>) =>
  toActivityRow(record(changes), { loadMs: 0, metadata: { selector: 's' } });
const usage: TokenUsage = { inputTokens: 100, outputTokens: 20, cachedTokens: 40, estimated: false };
const timings: EngineTimings = {
  promptTokens: 60,
  promptMs: 200,
  cachedTokens: 40,
  predictedTokens: 20,
  predictedMs: 1250,
  promptRate: 300,
  predictedRate: 16,
  draftTokens: 20,
  draftTokensAccepted: 14,
};

describe('MET-1: a row', () => {
  test("has the usage's tokens, and says what is unknown", () => {
    expect(row({ usage })).toMatchObject({
      inputTokens: 100,
      outputTokens: 20,
      cacheTokens: 40,
      promptRate: -1,
      outputRate: -1,
      draftTokens: -1,
      draftTokensAccepted: -1,
      durationMs: 600,
    });
    expect(row({ usage: { ...usage, cachedTokens: 0, cacheUnknown: true } }).cacheTokens).toBe(-1);
    expect(row({})).toMatchObject({ inputTokens: 0, outputTokens: 0, cacheTokens: -1 });
  });

  test('prefers what the engine measured: a duration of 1450 ms from 200 and 1250', () => {
    expect(row({ usage, timings })).toMatchObject({
      inputTokens: 60,
      outputTokens: 20,
      promptRate: 300,
      outputRate: 16,
      draftTokens: 20,
      draftTokensAccepted: 14,
      durationMs: 1450,
    });
  });

  test('tells waiting, prompt and generation apart', () => {
    const times = { queuedAtMs: 1010, grantedAtMs: 1110, firstByteAtMs: 1310 };
    expect(row(times)).toMatchObject({ queuedMs: 100, promptMs: 200, generationMs: 290 });
    expect(row({ queuedAtMs: 1010 })).toMatchObject({ queuedMs: 590, promptMs: 0, generationMs: 0 });
  });

  test('MET-2: has the metadata, and a message of at most 500 characters', () => {
    const { errorMessage, metadata } = row({ errorMessage: 'x'.repeat(900) });
    expect([errorMessage.length, errorMessage.endsWith('...'), metadata]).toEqual([
      503,
      true,
      { selector: 's' },
    ]);
  });
});

test.each<[Partial<RequestRecord>, boolean]>([
  [{}, true],
  [{ outcome: 'cancelled_queued' }, true],
  [{ method: 'GET' }, false],
  [{ route: 'other' }, false],
  [{ outcome: 'rejected_unauthorized' }, false],
])('SRV-12: a request with %j is remembered: %s', (changes, expected) => {
  expect(isRemembered(record(changes))).toBe(expected);
});
