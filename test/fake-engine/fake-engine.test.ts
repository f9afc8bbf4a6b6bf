import http from 'node:http';
import net from 'node:net';
import { gunzipSync } from 'node:zlib';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import type { FakeEngineOptions } from './fake-engine.ts';
import type { Fault } from './fault.ts';
import { spawnFakeEngine, startFakeEngine, type LocalFakeEngine } from './start.ts';

const path = '/v1/chat/completions';
const options: FakeEngineOptions = {
  models: [{ id: 'tiny', contextTokens: 4096, promptTokensPerS: 1e6, tokensPerS: 2000 }],
};
const question = { messages: [{ role: 'user', content: 'hi' }], max_tokens: 6, ignore_eos: true, seed: 1 };
const stream = { ...question, stream: true };

let fake: LocalFakeEngine;

beforeEach(async () => {
  fake = await startFakeEngine(options);
});
afterEach(() => fake.close());

interface Received {
  readonly bytes: Buffer;
  /** Sizes of what arrived at once. */
  readonly chunks: readonly number[];
  readonly end: 'fin' | 'rst' | 'open';
  /** From the last byte of the request. */
  readonly firstByteMs: number;
}

/** Sends one request over a socket of its own and reads until the other side ends, or until `until` was read. */
function exchangeRaw(
  body: unknown,
  { until, requestPath = path }: { until?: string; requestPath?: string } = {},
): Promise<Received> {
  return new Promise((resolve) => {
    const socket = net.connect(fake.port, '127.0.0.1');
    const text = JSON.stringify(body);
    const startMs = performance.now();
    const parts: Buffer[] = [];
    let firstByteMs = Infinity;
    function finish(end: Received['end']): void {
      socket.destroy();
      resolve({ bytes: Buffer.concat(parts), chunks: parts.map((part) => part.length), end, firstByteMs });
    }
    socket.on('data', (chunk: Buffer) => {
      firstByteMs = Math.min(firstByteMs, performance.now() - startMs);
      parts.push(chunk);
      if (until !== undefined && Buffer.concat(parts).includes(until)) finish('open');
    });
    socket.on('end', () => finish('fin'));
    socket.on('error', () => finish('rst'));
    socket.write(
      `POST ${requestPath} HTTP/1.1\r\nHost: x\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
    );
  });
}

async function ask(body: unknown, requestPath = path): Promise<Response> {
  return fetch(fake.url + requestPath, { method: 'POST', body: JSON.stringify(body) });
}

async function lastLogged() {
  const { requests } = await fake.report();
  return requests.at(-1)!;
}

/** Polls until it holds, at most 5 s. */
async function eventually(holds: () => Promise<boolean>): Promise<void> {
  for (let n = 0; n < 500; n += 1) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('never held');
}

describe('a fake engine without faults', () => {
  test('logs head, body and every byte of the answer', async () => {
    const received = await exchangeRaw(stream);
    const logged = await lastLogged();
    expect(received.end).toBe('fin');
    expect(Buffer.from(logged.responseBase64, 'base64').equals(received.bytes)).toBe(true);
    expect(logged.rawHead).toBe(
      `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${JSON.stringify(stream).length}\r\n\r\n`,
    );
    expect(logged.headers).toEqual(['Host', 'x', 'Content-Length', String(JSON.stringify(stream).length)]);
    expect(JSON.parse(logged.body)).toEqual(stream);
    expect(logged.clientLeftEpochMs).toBeUndefined();
  });

  test('notes when a client left, and how many requests ran at once', async () => {
    const endless = { ...stream, max_tokens: 3000 };
    await Promise.all([
      exchangeRaw(endless, { until: '"content"' }),
      exchangeRaw(endless, { until: '"content"' }),
      exchangeRaw(endless, { until: '"content"' }),
    ]);
    await eventually(async () => (await fake.report()).concurrency === 0);
    const { requests, concurrencyMax } = await fake.report();
    expect(concurrencyMax).toBe(3);
    expect(requests.map(({ clientLeftEpochMs }) => typeof clientLeftEpochMs)).toEqual([
      'number',
      'number',
      'number',
    ]);
  });

  test('numbers requests on the same connection', async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    for (let n = 0; n < 2; n += 1) {
      await new Promise((resolve) => {
        http.get(`${fake.url}/health`, { agent }, (response) => response.resume().on('end', resolve));
      });
    }
    agent.destroy();
    const { requests } = await fake.report();
    expect(requests.map(({ connection, requestOnConnection }) => [connection, requestOnConnection])).toEqual([
      [0, 0],
      [0, 1],
    ]);
  });
});

describe('an answer fault', () => {
  test('status answers with the given status, body and headers, so many times', async () => {
    await fake.fault({
      kind: 'status',
      status: 429,
      body: '{"a":1}',
      headers: { 'Retry-After': '7' },
      times: 1,
    });
    const refused = await ask(question);
    expect([refused.status, refused.headers.get('retry-after'), await refused.text()]).toEqual([
      429,
      '7',
      '{"a":1}',
    ]);
    expect((await ask(question)).status).toBe(200);
  });

  test('malformed breaks the JSON off', async () => {
    await fake.fault({ kind: 'malformed' });
    const answer = await ask(question);
    expect(answer.status).toBe(200);
    await expect(answer.json()).rejects.toThrow(SyntaxError);
  });

  test('flaky follows its pattern on its path', async () => {
    await fake.fault({ kind: 'flaky', path: '/health', pattern: '110' });
    const seen: number[] = [];
    for (let n = 0; n < 6; n += 1) seen.push((await fetch(`${fake.url}/health`)).status);
    expect(seen).toEqual([200, 200, 503, 200, 200, 503]);
    expect((await fetch(`${fake.url}/slots`)).status).toBe(200);
  });

  test('errorFrame puts an error event into the stream and leaves out the end mark', async () => {
    await fake.fault({ kind: 'errorFrame', afterEvents: 3 });
    const frames = (await (await ask(stream)).text()).split('\n\n').filter(Boolean);
    expect(frames).toHaveLength(4);
    expect(frames[3]).toBe(
      'data: {"error":{"code":500,"message":"Context size has been exceeded.","type":"server_error"}}',
    );
  });

  test('rawTail ends the stream cleanly with text that is no event', async () => {
    await fake.fault({ kind: 'rawTail', afterEvents: 2 });
    const text = await (await ask(stream)).text();
    expect(text.endsWith('\n\nproxy error: Failed to read connection')).toBe(true);
    expect(text).not.toContain('[DONE]');
  });

  test('noDone leaves only the end mark out', async () => {
    await fake.fault({ kind: 'noDone', times: 1 });
    const without = await (await ask(stream)).text();
    expect(without).not.toContain('[DONE]');
    expect(without).toContain('"finish_reason":"length"');
    expect(await (await ask(stream)).text()).toContain('data: [DONE]');
  });

  test('gzip compresses the body', async () => {
    await fake.fault({ kind: 'gzip' });
    const answer = await ask(question);
    expect(answer.headers.get('content-encoding')).toBe('gzip');
    expect(await answer.json()).toMatchObject({ object: 'chat.completion' });
    const sent = Buffer.from((await lastLogged()).responseBase64, 'base64');
    const body = gunzipSync(sent.subarray(sent.indexOf('\r\n\r\n') + 4)).toString();
    expect(JSON.parse(body)).toMatchObject({ object: 'chat.completion' });
  });

  test('loading answers 503 for its time', async () => {
    await fake.fault({ kind: 'loading', ms: 200 });
    const answer = await fetch(`${fake.url}/health`);
    expect([answer.status, await answer.text()]).toEqual([
      503,
      '{"error":{"message":"Loading model","type":"unavailable_error","code":503}}',
    ]);
    await eventually(async () => (await fetch(`${fake.url}/health`)).ok);
  });
});

describe('a wire fault', () => {
  test('delayHead holds back the whole answer', async () => {
    await fake.fault({ kind: 'delayHead', ms: 150 });
    expect((await exchangeRaw(stream)).firstByteMs).toBeGreaterThanOrEqual(145);
  });

  test('delayBody lets the head pass', async () => {
    await fake.fault({ kind: 'delayBody', ms: 3000 });
    const { bytes, firstByteMs } = await exchangeRaw(stream, { until: '\r\n\r\n' });
    expect(firstByteMs).toBeLessThan(1000);
    expect(bytes.toString().endsWith('\r\n\r\n')).toBe(true);
  });

  test('hang reads the request and never answers', async () => {
    await fake.fault({ kind: 'hang', path: '/slots' });
    const aborted = fetch(`${fake.url}/slots`, { signal: AbortSignal.timeout(200) });
    await expect(aborted).rejects.toThrow('timeout');
    expect((await fetch(`${fake.url}/health`)).status).toBe(200);
    expect((await lastLogged()).path).toBe('/health');
  });

  test.each([
    ['fin', 'fin'],
    ['halfClose', 'fin'],
    ['rst', 'rst'],
  ] as const)('drop by %s breaks the stream after so many events', async (how, end) => {
    await fake.fault({ kind: 'drop', how, afterEvents: 3 });
    const received = await exchangeRaw({ ...stream, max_tokens: 500 });
    expect(received.end).toBe(end);
    expect(received.bytes.toString().split('\n\n')).toHaveLength(4);
    expect(received.bytes.toString().endsWith('\n\n')).toBe(true);
    expect((await lastLogged()).clientLeftEpochMs).toBeUndefined();
  });

  test('drop counts bytes of the body', async () => {
    await fake.fault({ kind: 'drop', how: 'fin', afterBytes: 10 });
    const { bytes } = await exchangeRaw(stream);
    expect(bytes.length - (bytes.indexOf('\r\n\r\n') + 4)).toBe(10);
  });

  test('drop after no events breaks right after the head', async () => {
    await fake.fault({ kind: 'drop', how: 'rst', afterEvents: 0 });
    const { bytes, end } = await exchangeRaw(stream);
    expect(end).toBe('rst');
    expect(bytes.toString().endsWith('\r\n\r\n')).toBe(true);
  });

  test('reset breaks the connection at its beginning, or after the request', async () => {
    await fake.fault({ kind: 'reset', at: 'accept', times: 1 });
    await fake.fault({ kind: 'reset', at: 'request', times: 1 });
    const first = await exchangeRaw(question, { until: '}}' });
    const second = await exchangeRaw(question, { until: '}}' });
    const third = await exchangeRaw(question, { until: '}}' });
    expect([first.end, second.end, third.end]).toEqual(['rst', 'rst', 'open']);
    expect((await fake.report()).requests).toHaveLength(2);
  });

  test('reset on reuse hits the second request of a connection only', async () => {
    await fake.fault({ kind: 'reset', at: 'reuse', times: 1 });
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const get = () =>
      new Promise<string>((resolve) => {
        http
          .get(`${fake.url}/health`, { agent }, (response) =>
            response.resume().on('end', () => resolve('ok')),
          )
          .on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
      });
    expect([await get(), await get(), await get()]).toEqual(['ok', 'ECONNRESET', 'ok']);
    agent.destroy();
  });

  test('split sends byte by byte and changes none', async () => {
    await fake.fault({ kind: 'split' });
    const { bytes, chunks } = await exchangeRaw({ ...stream, max_tokens: 1 });
    expect(Buffer.from((await lastLogged()).responseBase64, 'base64').equals(bytes)).toBe(true);
    expect(bytes.toString()).toContain('data: [DONE]');
    expect(chunks.length).toBeGreaterThan(bytes.length / 10);
  });

  test('splitUtf8 cuts inside characters', async () => {
    await fake.close();
    fake = await startFakeEngine({ ...options, text: 'mixed' });
    await fake.fault({ kind: 'splitUtf8' });
    const parts: Buffer[] = [];
    await new Promise<void>((resolve) => {
      const request = http.request(fake.url + path, { method: 'POST' }, (response) => {
        response.on('data', (chunk: Buffer) => parts.push(chunk));
        response.on('end', () => resolve());
      });
      request.end(JSON.stringify({ ...stream, max_tokens: 60 }));
    });
    const cutInside = parts.filter((part) => (part.at(-1) ?? 0) >= 0xc0);
    expect(cutInside.length).toBeGreaterThan(0);
    expect(Buffer.concat(parts).toString()).toMatch(/[\u4e00-\u9fff]|\p{Emoji_Presentation}/u);
  });

  test('wrongLength falsifies the header', async () => {
    await fake.fault({ kind: 'wrongLength', delta: 100 });
    const { bytes } = await exchangeRaw(question, { until: '}}' });
    const text = bytes.toString();
    const promised = Number(/Content-Length: (\d+)/.exec(text)?.[1]);
    expect(promised - (text.length - (text.indexOf('\r\n\r\n') + 4))).toBe(100);
  });

  test('hugeHeader makes the head too large for most readers', async () => {
    await fake.fault({ kind: 'hugeHeader', bytes: 100_000 });
    await expect(ask(question)).rejects.toThrow('fetch failed');
  });

  test('garbage is no HTTP', async () => {
    await fake.fault({ kind: 'garbage', times: 1 });
    await expect(ask(question)).rejects.toThrow('fetch failed');
    expect((await ask(question)).status).toBe(200);
  });

  test('refuse closes the listener for its time', async () => {
    await fake.fault({ kind: 'refuse', ms: 300 });
    const refused = await new Promise<string>((resolve) => {
      net
        .connect(fake.port, '127.0.0.1')
        .on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''))
        .on('connect', () => resolve('connected'));
    });
    expect(refused).toBe('ECONNREFUSED');
    await eventually(async () =>
      fetch(`${fake.url}/health`).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
  });
});

describe('a spawned fake engine', () => {
  test('is controlled over HTTP and dies at once', async () => {
    const child = await spawnFakeEngine(options);
    try {
      const fault: Fault = { kind: 'status', status: 418, times: 1 };
      await child.fault(fault);
      expect((await fetch(`${child.url}/health`)).status).toBe(418);
      expect((await fetch(`${child.url}/__requests`)).status).toBe(200);
      expect((await child.report()).requests.map(({ faults }) => faults)).toEqual([['status']]);
      await child.reset();
      expect((await child.report()).requests).toEqual([]);
      await expect(child.fault({ kind: 'nonsense' } as unknown as Fault)).rejects.toThrow(
        'unknown fault kind',
      );
      await child.kill9();
      await expect(fetch(`${child.url}/health`)).rejects.toThrow('fetch failed');
    } finally {
      await child.kill9();
    }
  });
});
