import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  toRequestSpans,
  type RequestTrace,
  type TracedAttempt,
  type TracedRequest,
} from './request-spans.ts';
import { spanAttributes, type Span } from './span.ts';

const epochMs = 1_700_000_000_000;
const context = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), sampled: true, traceState: '' };
const request: TracedRequest = {
  id: 'r1',
  route: 'chat-completions',
  method: 'POST',
  path: '/v1/chat/completions',
  flow: 'alice',
  model: 'qwen',
  requested: 'nick',
  backend: 'gpu',
  stream: true,
  attempts: [{ backend: 'gpu', failure: undefined }],
  startedMs: 1000,
  startedEpochMs: epochMs,
  queuedAtMs: 1010,
  grantedAtMs: 1500,
  headAtMs: 1600,
  firstByteAtMs: 1700,
  finishedAtMs: 2700,
  status: 200,
  outcome: 'completed',
  errorCode: undefined,
  bytesIn: 1,
  bytesOut: 1,
  usage: { inputTokens: 4, outputTokens: 9, cachedTokens: 3 },
  repairs: [],
  requestHeaders: [],
};
const attempt: TracedAttempt = {
  spanId: 'c'.repeat(16),
  number: 1,
  grantedAtMs: 1500,
  sentAtMs: 1550,
  endedAtMs: undefined,
};
const backend = { engine: 'vllm', url: new URL('https://gpu.lan/v1') };

function spansOf(changes: Partial<TracedRequest>, trace: Partial<RequestTrace> = {}): Span[] {
  const whole: RequestTrace = {
    context,
    parentSpanId: undefined,
    attempts: [attempt],
    load: undefined,
    ...trace,
  };
  return toRequestSpans({ ...request, ...changes }, whole, (id) => (id === 'gpu' ? backend : undefined));
}

const times = (spans: readonly Span[]): unknown[] =>
  spans.map(({ name, startEpochMs, endEpochMs }) => [name, startEpochMs - epochMs, endEpochMs - epochMs]);

describe('spans of a request', () => {
  test('cover its phases without gaps', () => {
    expect(times(spansOf({}))).toEqual([
      ['chat nick', 0, 1700],
      ['read', 0, 10],
      ['queue', 10, 500],
      ['chat nick', 500, 1700],
      ['connect', 500, 550],
      ['first byte', 550, 700],
      ['stream', 700, 1700],
    ]);
  });

  test('name the engine, the model asked for and the one that answered', () => {
    const call = spansOf({}).find(({ kind }) => kind === 'client');
    expect(call?.attributes).toMatchObject({
      'gen_ai.provider.name': 'vllm',
      'gen_ai.request.model': 'nick',
      'gen_ai.response.model': 'qwen',
      'gen_ai.response.time_to_first_chunk': 0.2,
      'gen_ai.usage.cache_read.input_tokens': 3,
      'server.address': 'gpu.lan',
      'server.port': 443,
    });
  });

  test('of one that was refused are the request and its wait', () => {
    const refused = { backend: undefined, grantedAtMs: undefined, firstByteAtMs: undefined, attempts: [] };
    const spans = spansOf(
      { ...refused, status: 503, outcome: 'evicted_timeout', errorCode: 'queue_timeout' },
      { attempts: [] },
    );
    expect(times(spans)).toEqual([
      ['chat nick', 0, 1700],
      ['read', 0, 10],
      ['queue', 10, 1700],
    ]);
    expect([spans[0]?.failed, spans[0]?.attributes['error.type']]).toEqual([true, 'queue_timeout']);
  });

  test('have one try and one wait for each backend that failed it', () => {
    const attempts = [
      { ...attempt, sentAtMs: undefined, grantedAtMs: 1100, endedAtMs: 1200 },
      { ...attempt, spanId: 'd'.repeat(16), number: 2 },
    ];
    const records = [
      { backend: 'gone', failure: 'status 503' },
      { backend: 'gpu', failure: undefined },
    ];
    const spans = spansOf({ attempts: records }, { attempts });
    const waits = spans.filter(({ name }) => name === 'queue');
    expect(times(waits)).toEqual([
      ['queue', 10, 100],
      ['queue', 200, 500],
    ]);
    const calls = spans.filter(({ kind }) => kind === 'client');
    expect(calls.map(({ failed, attributes }) => [failed, attributes['error.type']])).toEqual([
      [true, '503'],
      [false, undefined],
    ]);
    expect(calls[0]?.attributes['gen_ai.usage.output_tokens']).toBeUndefined();
  });

  test.each([
    ['ECONNRESET', 'ECONNRESET'],
    ['the answer said: whatever', '_OTHER'],
  ])('turn the failure %s into the error type %s', (failure, errorType) => {
    const broken = { attempts: [{ backend: 'gpu', failure }], outcome: 'failed_midstream' } as const;
    const call = spansOf(broken).find(({ kind }) => kind === 'client');
    expect(call?.attributes['error.type']).toBe(errorType);
  });

  test('are no failure when the client itself was at fault by a 4xx of the engine', () => {
    expect(spansOf({ outcome: 'passed_through_error', status: 400 })[0]?.failed).toBe(false);
    expect(spansOf({ outcome: 'passed_through_error', status: 500 })[0]?.failed).toBe(true);
  });

  test('have a name of bounded length', () => {
    expect(spansOf({ requested: 'x'.repeat(5000) })[0]?.name.length).toBe(256);
  });
});

test('page about traces lists each attribute with its type, and no other', () => {
  const page = readFileSync('docs/tracing.md', 'utf8');
  const listed = [...page.matchAll(/^\| `([a-z_.]+)` +\| (string|int|double|boolean) +\|$/gm)];
  expect(Object.fromEntries(listed.map(([, name, type]) => [name, type]))).toEqual(spanAttributes);
});
