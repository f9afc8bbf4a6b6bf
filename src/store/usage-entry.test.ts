import { describe, expect, test } from 'vitest';
import type { RequestRecord } from './request-record.ts';
import { createRequestTable } from './requests.ts';
import { tryToUsageEntry } from './usage-entry.ts';

function entry(changes: Partial<RequestRecord> = {}) {
  const clock = { nowMs: () => 1000, epochMs: () => 1_700_000_000_000 };
  const table = createRequestTable({ recentMax: 1, clock });
  const head = { id: 'r', route: 'chat-completions', method: 'POST', path: '/v1/x', flow: 'alice' } as const;
  const done = {
    outcome: 'completed',
    status: 200,
    firstByteAtMs: 1100,
    backend: 'one',
    model: 'tiny',
  } as const;
  return tryToUsageEntry(
    Object.assign(
      table.open(head, () => {}),
      done,
      changes,
    ),
  );
}

describe('an entry', () => {
  test('has no tokens where no engine has worked', () => {
    const counts = entry({ backend: undefined, tokensEstimated: 20, stream: true, chunksOut: 3 })?.counts;
    expect(counts).toMatchObject({ requests: 1, inputTokens: 0, outputTokens: 0, estimated: 0 });
  });

  test('has no model where nobody knows the name', () => {
    const unknown = { backend: undefined, model: 'invented', outcome: 'rejected_other' } as const;
    expect(entry({ ...unknown, errorCode: 'model_not_found' })?.key.model).toBe('');
    expect(entry({ ...unknown, errorCode: 'queue_full' })?.key.model).toBe('invented');
  });

  test('is none for a request that an ensemble answers: its own requests have theirs', () => {
    expect(entry({ ensemble: 'panel', backend: undefined, stream: true, chunksOut: 3 })).toBeUndefined();
    expect(entry({ parent: { id: 'outer', purpose: 'answer' } })?.counts.requests).toBe(1);
  });

  test('has what the engine told, under the names of key, backend, model and API', () => {
    const usage = { inputTokens: 9, outputTokens: 5, cachedTokens: 4, reasoningTokens: 3, estimated: false };
    expect(entry({ usage })).toEqual({
      key: { flow: 'alice', backend: 'one', model: 'tiny', dialect: 'openai' },
      counts: {
        inputTokens: 9,
        outputTokens: 5,
        cachedTokens: 4,
        reasoningTokens: 3,
        requests: 1,
        errors: 0,
        estimated: 0,
      },
    });
  });

  test('is flagged where the engine told nothing, and has what can be guessed', () => {
    const silent = { usage: undefined, tokensEstimated: 40, bytesIn: 400, chunksOut: 7 };
    expect(entry({ ...silent, stream: true })?.counts).toMatchObject({
      inputTokens: 40,
      outputTokens: 7,
      estimated: 1,
    });
    expect(entry({ ...silent, stream: false })?.counts.outputTokens).toBe(0);
    expect(entry({ ...silent, route: 'ollama-embeddings' })?.counts.inputTokens).toBe(100);
    expect(entry({ ...silent, route: 'images' })?.counts).toMatchObject({ inputTokens: 0, estimated: 0 });
    const usage = { inputTokens: 0, outputTokens: 6, cachedTokens: 0, estimated: true };
    expect(entry({ ...silent, usage })?.counts).toMatchObject({
      inputTokens: 40,
      outputTokens: 6,
      estimated: 1,
    });
  });

  test.each<[Partial<RequestRecord>, number, number]>([
    [{ outcome: 'failed_midstream', stream: true, chunksOut: 3 }, 1, 3],
    [{ outcome: 'cancelled_streaming', stream: true, chunksOut: 3 }, 0, 3],
    [{ outcome: 'cancelled_waiting', firstByteAtMs: undefined }, 0, 0],
    [{ outcome: 'passed_through_error', status: 400 }, 1, 0],
    [{ outcome: 'rejected_full', status: 429, backend: undefined, firstByteAtMs: undefined }, 1, 0],
  ])('of %j has %i errors and %i output tokens', (changes, errors, outputTokens) => {
    expect(entry(changes)?.counts).toMatchObject({ requests: 1, errors, outputTokens });
  });

  test('of a model that nobody knows has no model, so that callers cannot make up rows', () => {
    const changes = { model: undefined, requested: 'made-up', backend: undefined, status: 404 } as const;
    expect(entry({ ...changes, outcome: 'rejected_other' })?.key).toMatchObject({ model: '', backend: '' });
  });

  test.each<Partial<RequestRecord>>([
    { route: 'tokenize' },
    { route: 'count-tokens' },
    { route: 'other' },
    { method: 'GET' },
    { outcome: 'rejected_unauthorized' },
  ])('is not made of %j', (changes) => {
    expect(entry(changes)).toBeUndefined();
  });
});
