/** What pages of other sites can make a browser do to a router, with keys and without. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startFakeEngine, type LocalFakeEngine } from '../fake-engine/start.ts';
import { startRouter, type TestRouter } from '../integration/start-router.ts';
import { sendHead, statusOf } from './send-head.ts';

let engine: LocalFakeEngine;
let open: TestRouter;
let keyed: TestRouter;
beforeAll(async () => {
  engine = await startFakeEngine();
  const backends = { one: { url: engine.url } };
  open = await startRouter({ backends });
  keyed = await startRouter({ backends, apiKeys: ['the-key'] });
  await Promise.all([open.ready(), keyed.ready()]);
});
afterAll(async () => {
  await open[Symbol.asyncDispose]();
  await keyed[Symbol.asyncDispose]();
  await engine.close();
});

/** An empty body, unless there is one. */
const send = (router: TestRouter, line: string, headers: readonly string[], body = ''): Promise<string> =>
  sendHead(router.url, line, [...headers, `Content-Length: ${Buffer.byteLength(body)}`], body);

const openSocket = (router: TestRouter, headers: readonly string[]): Promise<string> =>
  sendHead(router.url, 'GET /socket', [
    ...headers,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
  ]);

const ownHost = (router: TestRouter): string => new URL(router.url).host;

describe('a name that leads here although it is not ours', () => {
  test.each([
    'GET /api/status',
    'GET /v1/models',
    'GET /metrics',
    'GET /logs',
    'GET /props',
    'GET /monitor/data',
  ])('reads nothing of a router without keys: %s', async (line) => {
    const answer = await send(open, line, ['Host: evil.example:8080']);
    expect(statusOf(answer)).toBe(403);
    expect(answer).toContain('"host_refused"');
  });

  test('changes nothing and asks no engine', async () => {
    await engine.reset();
    const origin = ['Host: evil.example', 'Origin: http://evil.example'];
    const body = JSON.stringify({ model: 'tiny', messages: [{ role: 'user', content: 'x' }] });
    expect(statusOf(await send(open, 'POST /v1/chat/completions', origin, body))).toBe(403);
    expect(statusOf(await send(open, 'POST /api/reload', origin))).toBe(403);
    expect(statusOf(await openSocket(open, origin))).toBe(403);
    expect((await engine.report()).requests.filter(({ method }) => method === 'POST')).toEqual([]);
  });

  test('is taken where a key is needed anyhow', async () => {
    const headers = ['Host: llm.example', 'Authorization: Bearer the-key'];
    expect(statusOf(await send(keyed, 'GET /api/status', headers))).toBe(200);
    expect(statusOf(await send(keyed, 'GET /api/status', ['Host: llm.example']))).toBe(401);
  });
});

describe('a page of another origin', () => {
  test('opens no WebSocket of a router without keys', async () => {
    await engine.reset();
    const host = `Host: ${ownHost(open)}`;
    for (const origin of ['http://evil.example', 'null', 'http://127.0.0.1:1']) {
      const answer = await openSocket(open, [host, `Origin: ${origin}`]);
      expect([origin, statusOf(answer)]).toEqual([origin, 403]);
    }
    expect((await engine.report()).requests.filter(({ rawHead }) => /upgrade/i.test(rawHead))).toEqual([]);
    expect(statusOf(await openSocket(open, [host, `Origin: ${open.url}`]))).not.toBe(403);
  });

  test('has no use of the password that a browser remembers, also where it says no more than the origin', async () => {
    const basic = `Authorization: Basic ${Buffer.from('me:the-key').toString('base64')}`;
    const host = `Host: ${ownHost(keyed)}`;
    const body = JSON.stringify({ model: 'tiny', messages: [{ role: 'user', content: 'x' }] });
    const post = (...more: string[]) =>
      send(keyed, 'POST /v1/chat/completions', [host, basic, ...more], body).then(statusOf);
    expect(await post('Origin: http://evil.example')).toBe(401);
    expect(await post('Sec-Fetch-Site: cross-site')).toBe(401);
    expect(await post(`Origin: ${keyed.url}`)).toBe(200);
    expect(statusOf(await openSocket(keyed, [host, basic, 'Origin: http://evil.example']))).toBe(401);
  });

  test.each([
    'POST /api/reload',
    'GET /unload',
    'POST /api/models/unload',
    'DELETE /api/cache',
    'PUT /api/profiles/active',
  ])('changes nothing: %s', async (line) => {
    const headers = [`Host: ${ownHost(open)}`, 'Origin: http://evil.example'];
    expect(statusOf(await send(open, line, headers))).toBe(403);
  });
});
