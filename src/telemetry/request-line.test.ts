import { describe, expect, test } from 'vitest';
import type { FinishedRequest } from './finished-request.ts';
import { createLog } from './log.ts';
import { createRequestLog, requestLine } from './request-line.ts';

const request: FinishedRequest = {
  id: 'r1',
  route: 'chat-completions',
  method: 'POST',
  path: '/v1/chat/completions',
  flow: 'alice',
  model: 'qwen',
  backend: 'gpu-2',
  stream: true,
  attempts: [
    { backend: 'gpu-1', failure: 'ECONNREFUSED' },
    { backend: 'gpu-2', failure: undefined },
  ],
  startedMs: 1000,
  queuedAtMs: 1002.4,
  grantedAtMs: 1502.4,
  headAtMs: 1600.4,
  firstByteAtMs: 1700,
  finishedAtMs: 3000.4,
  status: 200,
  outcome: 'completed',
  errorCode: undefined,
  bytesIn: 900,
  bytesOut: 12_000,
  usage: { inputTokens: 400, outputTokens: 90, cachedTokens: 380 },
  repairs: [],
};

const settings = { level: 'info', format: 'json', requests: true } as const;

function capture() {
  const lines: string[] = [];
  return { lines, destination: { write: (line: string) => void lines.push(line) } };
}

describe('request line', () => {
  test('tells the phases in whole milliseconds, tokens and failed attempts', () => {
    expect(requestLine(request)).toMatchObject({
      requestId: 'r1',
      readMs: 2,
      queuedMs: 500,
      headMs: 98,
      firstByteMs: 700,
      answerMs: 1300,
      totalMs: 2000,
      tokensIn: 400,
      tokensOut: 90,
      tokensCached: 380,
      failedAttempts: ['gpu-1: ECONNREFUSED'],
    });
  });

  test('says what was put right', () => {
    const repairs = [{ repair: 'trimContext', messages: 12 }, { repair: 'dropTools' }];
    expect(requestLine({ ...request, repairs }).repaired).toEqual(['trimContext(12)', 'dropTools']);
  });

  test('leaves out what never happened', () => {
    const { lines, destination } = capture();
    const log = createLog({ config: settings, terminal: false, destination });
    createRequestLog(log)({
      ...request,
      model: undefined,
      backend: undefined,
      attempts: [],
      queuedAtMs: undefined,
      grantedAtMs: undefined,
      headAtMs: undefined,
      firstByteAtMs: undefined,
      usage: undefined,
      status: 401,
      outcome: 'rejected_unauthorized',
      errorCode: 'unauthorized',
    });
    const line = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
    expect(line).toMatchObject({
      level: 'info',
      msg: 'request',
      status: 401,
      code: 'unauthorized',
      totalMs: 2000,
    });
    for (const absent of ['model', 'queuedMs', 'headMs', 'firstByteMs', 'tokensIn', 'failedAttempts']) {
      expect(line).not.toHaveProperty(absent);
    }
  });

  test('counts the whole wait of a request that never got a slot', () => {
    const waited = requestLine({
      ...request,
      grantedAtMs: undefined,
      headAtMs: undefined,
      finishedAtMs: 4002.4,
    });
    expect(waited.queuedMs).toBe(3000);
  });

  test.each([
    ['completed', 'info'],
    ['cancelled_streaming', 'info'],
    ['failed_midstream', 'warn'],
    ['failed_before_first_byte', 'warn'],
    ['internal', 'error'],
  ] as const)('with outcome %s has level %s', (outcome, level) => {
    const { lines, destination } = capture();
    createRequestLog(createLog({ config: settings, terminal: false, destination }))({ ...request, outcome });
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level, outcome });
  });
});
