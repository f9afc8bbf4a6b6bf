/** Who may ask for what, and what those hear who may not. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startFakeEngine, type LocalFakeEngine } from '../fake-engine/start.ts';
import { ask, chat } from './client.ts';
import { connectRaw } from './raw-client.ts';
import { startRouter, until, type TestRouter } from './start-router.ts';

let engine: LocalFakeEngine;
let router: TestRouter;
beforeAll(async () => {
  engine = await startFakeEngine();
  router = await startRouter({
    apiKeys: ['first-key', { name: 'notebook', key: 'second-key' }],
    backends: { one: { url: engine.url } },
  });
  await router.ready();
});
afterAll(async () => {
  await router[Symbol.asyncDispose]();
  await engine.close();
});

const flowOf = async (requestId: unknown): Promise<unknown> => {
  const find = () => router.logLines.find((line) => line['requestId'] === requestId);
  await until(() => find() !== undefined);
  return find()?.['flow'];
};

describe('a key', () => {
  test.each([
    ['authorization', 'Bearer first-key', 'key-1'],
    ['authorization', 'bearer  second-key ', 'notebook'],
    ['x-api-key', 'second-key', 'notebook'],
    ['api-key', 'first-key', 'key-1'],
  ])('in %s as "%s" passes, and the log names it %s', async (header, value, flow) => {
    const answer = await chat(router.url, {}, { headers: { [header]: value } }).answer;
    expect(answer.status).toBe(200);
    expect(await flowOf(answer.headers['x-request-id'])).toBe(flow);
  });

  test('passes when another header carries a placeholder', async () => {
    const headers = { authorization: 'Bearer sk-no-key-required', 'x-api-key': 'first-key' };
    expect((await chat(router.url, {}, { headers }).answer).status).toBe(200);
  });

  test.each<[string, Record<string, string>]>([
    ['none', {}],
    ['a wrong one', { authorization: 'Bearer wrong' }],
    ['a part of one', { authorization: 'Bearer first-ke' }],
    ['one too long', { authorization: 'Bearer first-keyy' }],
    ['an empty one', { authorization: 'Bearer ' }],
    ['another scheme', { authorization: 'Basic first-key' }],
    ['a name of a key', { 'x-api-key': 'notebook' }],
  ])('does not pass: %s', async (_name, headers) => {
    const before = (await engine.report()).requests.filter(({ method }) => method === 'POST').length;
    const answer = await chat(router.url, {}, { headers }).answer;
    expect(answer.status).toBe(401);
    expect(answer.json()).toEqual({
      error: {
        message: 'Missing or wrong API key',
        type: 'authentication_error',
        param: null,
        code: 'unauthorized',
      },
    });
    expect(answer.headers['www-authenticate']).toBe('Bearer');
    expect(answer.headers['x-request-id']).toMatch(/^[\da-f-]{36}$/);
    const after = (await engine.report()).requests.filter(({ method }) => method === 'POST').length;
    expect(after).toBe(before);
  });
});

test('a refusal has the shape of the Anthropic API on its routes', async () => {
  for (const path of ['/v1/messages', '/v1/messages/count_tokens']) {
    const answer = await ask(router.url + path, { body: { model: 'tiny', messages: [] } }).answer;
    expect([answer.status, answer.json()]).toMatchObject([
      401,
      { type: 'error', error: { type: 'authentication_error', message: 'Missing or wrong API key' } },
    ]);
  }
});

test('a refusal is counted and logged', async () => {
  const answer = await chat(router.url).answer;
  expect(await flowOf(answer.headers['x-request-id'])).toBe('127.0.0.1');
  expect(router.logLines.find((line) => line['requestId'] === answer.headers['x-request-id'])).toMatchObject({
    outcome: 'rejected_unauthorized',
    status: 401,
    code: 'unauthorized',
  });
  expect((await router.status()).requests.by_outcome.rejected_unauthorized).toBeGreaterThan(0);
});

test.each(['/health', '/monitor', '/monitor/data'])('%s is open', async (path) => {
  expect((await ask(router.url + path).answer).status).toBe(200);
});

test('what is open tells names of backends and models only to a key that may look at the router', async () => {
  await using keyed = await startRouter({
    apiKeys: ['first-key', { name: 'chat', key: 'third-key', admin: 'none' }],
    backends: { tower: { url: engine.url } },
  });
  await keyed.ready();
  await chat(keyed.url, {}, { headers: { 'x-api-key': 'first-key' } }).answer;
  const told = async (path: string, headers: Readonly<Record<string, string>>) => {
    const { status, body } = await ask(keyed.url + path, { headers }).answer;
    expect(status).toBe(200);
    return /tower|tiny|127\.0\.0\.1/.test(body.toString());
  };
  for (const path of ['/health', '/monitor/data']) {
    expect([path, await told(path, {})]).toEqual([path, false]);
    expect([path, await told(path, { 'x-api-key': 'wrong' })]).toEqual([path, false]);
    expect([path, await told(path, { 'x-api-key': 'third-key' })]).toEqual([path, false]);
    expect([path, await told(path, { authorization: 'Bearer first-key' })]).toEqual([path, true]);
    const basic = Buffer.from('me:first-key').toString('base64');
    expect([path, await told(path, { authorization: `Basic ${basic}` })]).toEqual([path, true]);
  }
});

test('what is open tells no key, caller, path or prompt', async () => {
  await chat(router.url, {}, { headers: { 'x-api-key': 'second-key' } }).answer;
  for (const path of ['/health', '/monitor', '/monitor/data']) {
    const { body } = await ask(router.url + path).answer;
    expect(body.toString()).not.toMatch(/first-key|second-key|notebook|127\.0\.0\.1:\d+\/v1|river/);
  }
});

test.each([
  ['GET', '/api/status'],
  ['GET', '/api/requests'],
  ['GET', '/api/decisions'],
  ['GET', '/api/config'],
  ['GET', '/api'],
  ['GET', '/api/anything'],
  ['POST', '/api/reload'],
  ['POST', '/api/backends/one/drain'],
  ['GET', '/metrics'],
  ['GET', '/v1/models'],
  ['GET', '/models'],
  ['GET', '/v1/models/tiny'],
  ['GET', '/props'],
  ['GET', '/slots'],
  ['POST', '/tokenize'],
  ['GET', '/'],
  ['GET', '/index.html'],
  ['OPTIONS', '/v1/chat/completions'],
  ['GET', '/monitor/'],
  ['GET', '/monitor/../api/status'],
  ['GET', '/monitor%2f..%2fapi/status'],
  ['GET', '//monitor'],
  ['GET', '/health/../metrics'],
])('%s %s is closed', async (method, path) => {
  using client = await connectRaw(router.url);
  client.socket.write(`${method} ${path} HTTP/1.1\r\nHost: r\r\nConnection: close\r\n\r\n`);
  expect(await client.all()).toMatch(/^HTTP\/1\.1 401 /);
});

test('a WebSocket needs a key, too, and is told so in JSON; open paths take none', async () => {
  const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13';
  using client = await connectRaw(router.url);
  client.socket.write(`GET /socket HTTP/1.1\r\nHost: r\r\n${upgrade}\r\n\r\n`);
  expect(await client.all()).toMatch(/^HTTP\/1\.1 401 Unauthorized[\s\S]*x-request-id[\s\S]*"unauthorized"/);
  await engine.reset();
  using other = await connectRaw(router.url);
  other.socket.write(`GET /health HTTP/1.1\r\nHost: r\r\n${upgrade}\r\n\r\n`);
  await other.receives(/^HTTP\/1\.1 200 [\s\S]*"status":"ok"/);
  const upgrades = (await engine.report()).requests.filter(({ rawHead }) => /upgrade/i.test(rawHead));
  expect(upgrades).toEqual([]);
});

test('everything is open without keys', async () => {
  await using open = await startRouter({ backends: { one: { url: engine.url } } });
  await open.ready();
  for (const path of ['/api/status', '/metrics', '/v1/models', '/props']) {
    expect((await ask(open.url + path).answer).status).toBe(200);
  }
});
