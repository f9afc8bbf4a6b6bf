import { describe, expect, test } from 'vitest';
import type { FinishedRequest } from './finished-request.ts';
import { createLog, createRequestLog, requestLine } from './log.ts';

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
});

describe('log', () => {
  test.each([
    ['completed', 'info'],
    ['cancelled_streaming', 'info'],
    ['failed_midstream', 'warn'],
    ['failed_before_first_byte', 'warn'],
    ['internal', 'error'],
  ] as const)('writes a request with outcome %s at level %s', (outcome, level) => {
    const { lines, destination } = capture();
    createRequestLog(createLog({ config: settings, terminal: false, destination }))({ ...request, outcome });
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level, outcome });
  });

  test('keeps keys out, at every depth at which they are logged', () => {
    const { lines, destination } = capture();
    const log = createLog({ config: settings, terminal: false, destination });
    log.info({ authorization: 'Bearer hush', apiKey: 'hush' }, 'flat');
    log.info({
      headers: { authorization: 'Bearer hush', 'x-api-key': 'hush', 'api-key': 'hush', cookie: 'hush' },
    });
    log.info({ config: { apiKeys: ['hush'], backends: { a: { apiKey: 'hush', url: 'http://a' } } } });
    expect(lines).toHaveLength(3);
    expect(lines.join('')).not.toContain('hush');
    expect(lines.join('')).toContain('http://a');
  });

  test('keeps out what people write, in the body of any API', () => {
    const { lines, destination } = capture();
    const log = createLog({ config: settings, terminal: false, destination });
    const message = { role: 'user', content: 'hush' };
    log.error({ messages: [message] }, 'flat');
    log.error({ request: { model: 'qwen', messages: [message], system: 'hush' } });
    log.error({ request: { prompt: 'hush', input: ['hush'], instructions: 'hush' } });
    log.error({ err: { message: 'bad', body: 'hush', choice: { message } } });
    expect(lines).toHaveLength(4);
    expect(lines.join('')).not.toContain('hush');
    expect(lines.join('')).toContain('qwen');
  });

  test('changes its level at run time', () => {
    const { lines, destination } = capture();
    const log = createLog({ config: { ...settings, level: 'error' }, terminal: false, destination });
    const logRequest = createRequestLog(log);
    logRequest(request);
    log.level = 'info';
    logRequest(request);
    expect(lines).toHaveLength(1);
  });

  test('is readable on a terminal and JSON elsewhere when the format is auto', () => {
    const onTerminal = capture();
    const elsewhere = capture();
    const config = { ...settings, format: 'auto' } as const;
    createLog({ config, terminal: true, destination: onTerminal.destination }).info(
      { backend: 'gpu-1' },
      'Ready',
    );
    createLog({ config, terminal: false, destination: elsewhere.destination }).info(
      { backend: 'gpu-1' },
      'Ready',
    );
    expect(onTerminal.lines.join('')).toContain('Ready');
    expect(() => JSON.parse(onTerminal.lines[0] ?? '')).toThrow(SyntaxError);
    expect(JSON.parse(elsewhere.lines[0] ?? '')).toMatchObject({ backend: 'gpu-1', msg: 'Ready' });
  });
});

describe('LOG-1: the time of a line', () => {
  test('has the form that is asked for now, in JSON and in readable lines', () => {
    let format = 'rfc3339';
    const timeFormat = (): string => format;
    const json = capture();
    const readable = capture();
    const logs = [
      createLog({ config: settings, terminal: false, timeFormat, destination: json.destination }),
      createLog({
        config: { ...settings, format: 'pretty' },
        terminal: false,
        timeFormat,
        destination: readable.destination,
      }),
    ];
    for (const log of logs) log.info('one');
    format = 'Kitchen';
    for (const log of logs) log.info('two');
    format = 'no such form';
    for (const log of logs) log.info('three');
    const times = json.lines.map((line) => (JSON.parse(line) as { time: string }).time);
    expect(times).toEqual([
      expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)$/),
      expect.stringMatching(/^\d{1,2}:\d\d[AP]M$/),
      expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    ]);
    expect(readable.lines).toEqual([
      expect.stringMatching(/^\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S*\] INFO: one\n$/),
      expect.stringMatching(/^\[\d{1,2}:\d\d[AP]M\] INFO: two\n$/),
      expect.stringMatching(/^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: three\n$/),
    ]);
  });
});
