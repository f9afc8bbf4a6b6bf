/** What becomes of requests that go through: answers, streams, failures and clients that leave. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { startFakeOllama, type FakeOllama } from '../fake-engine/fake-ollama.ts';
import { startFakeEngine } from '../fake-engine/start.ts';
import { ask, chat } from '../integration/client.ts';
import { startRouter, until, type TestRouter } from '../integration/start-router.ts';

const scheduling = { preset: 'ollama-lb', deadWait: '100ms' };
const probes = { interval: '100ms', deadInterval: '100ms', timeout: 2 };

let one: FakeOllama;
let two: FakeOllama;
let router: TestRouter;

beforeEach(async () => {
  one = await startFakeOllama({ models: ['llama3', 'only-here'] });
  two = await startFakeOllama({ models: ['llama3'] });
  router = await startRouter({
    backends: { one: { url: one.url, engine: 'ollama' }, two: { url: two.url, engine: 'ollama' } },
    scheduling,
    probes,
  });
  await router.ready();
});
afterEach(async () => {
  await router[Symbol.asyncDispose]();
  await Promise.all([one.close(), two.close()]);
});

const post = (path: string, body: object) => ask(router.url + path, { body }).answer;
const messages = [{ role: 'user', content: 'Hello' }];
const inFlight = async () => (await router.status()).backends.map(({ slots }) => slots.own);

describe('an answer', () => {
  test.each([
    ['a chat', '/api/chat', { messages }, 'application/x-ndjson'],
    ['a whole chat', '/api/chat', { messages, stream: false }, 'application/json'],
    ['embeddings', '/api/embed', { input: ['a', 'b'] }, 'application/json'],
    ['older embeddings', '/api/embeddings', { prompt: 'a' }, 'application/json'],
    ['the progress of a pull', '/api/pull', {}, 'application/x-ndjson'],
  ])('OLB-6, OLB-25 of %s is what it is, whatever its path', async (_, path, body, contentType) => {
    const answer = await post(path, { model: 'llama3', ...body });
    expect([answer.status, answer.complete]).toEqual([200, true]);
    expect(String(answer.headers['content-type'])).toMatch(new RegExp(`^${contentType}`));
    const length = answer.headers['content-length'];
    if (length !== undefined) expect(Number(length)).toBe(answer.body.length);
    for (const line of answer.body.toString().trimEnd().split('\n')) {
      expect(typeof JSON.parse(line)).toBe('object');
    }
  });

  test('OLB-6, OLB-25 of the OpenAI API streams when it is asked to', async () => {
    await using engine = Object.assign(await startFakeEngine(), {
      [Symbol.asyncDispose]: () => engine.close(),
    });
    await using other = await startRouter({ backends: { one: { url: engine.url } }, scheduling, probes });
    await other.ready();
    const streamed = await chat(other.url, { stream: true }).answer;
    expect(streamed.headers['content-type']).toMatch(/^text\/event-stream/);
    expect(streamed.body.toString()).toMatch(/data: \[DONE\]\n\n$/);
    const whole = await chat(other.url).answer;
    expect(whole.json()).toMatchObject({ object: 'chat.completion' });
  });

  test('OLB-2, OLB-25 that is an error keeps its status, and no server suffers for it', async () => {
    for (const engine of [one, two]) engine.fail('/api/chat', { status: 400, message: 'no such option' });
    for (let count = 0; count < 8; count += 1) {
      const answer = await post('/api/chat', { model: 'llama3', messages });
      expect([answer.status, answer.json()]).toMatchObject([400, { error: 'no such option' }]);
    }
    expect((await router.status()).backends.map(({ state }) => state)).toEqual(['live', 'live']);
    expect(await inFlight()).toEqual([0, 0]);
  });
});

describe('a request', () => {
  test('OLB-26 goes where its model is', async () => {
    for (let count = 0; count < 4; count += 1) {
      const answer = await post('/api/chat', { model: 'only-here', messages });
      expect([answer.status, answer.headers['x-llamero-backend']]).toEqual([200, 'one']);
    }
    expect((await post('/api/chat', { model: 'nowhere', messages })).status).toBe(404);
  });

  test('OLB-7 goes to another server when the first cannot be reached, and fails in words when none can', async () => {
    await two.close();
    for (let count = 0; count < 4; count += 1) {
      expect((await post('/api/chat', { model: 'llama3', messages })).status).toBe(200);
    }
    await one.close();
    const unreached = await post('/api/chat', { model: 'llama3', messages });
    expect([502, 503]).toContain(unreached.status);
    await until(async () => (await router.status()).backends.every(({ state }) => state === 'dead'));
    const refused = await post('/api/chat', { model: 'llama3', messages });
    expect(refused.status).toBe(503);
    for (const answer of [unreached, refused]) {
      expect(answer.json()).toMatchObject({ error: expect.any(String) as string });
    }
  });

  test('OLB-8 that no server can take is told in the log, server by server', async () => {
    await Promise.all([one.close(), two.close()]);
    await until(() => router.logLines.filter(({ msg }) => msg === 'Backend is dead').length === 2);
    const told = router.logLines.filter(({ msg }) => msg === 'Backend is dead');
    expect(new Set(told.map(({ backend }) => backend))).toEqual(new Set(['one', 'two']));
  });

  test.each(['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'])(
    'OLB-9, OLB-25 of a path that nobody knows is passed on with its method %s',
    async (method) => {
      const seen: unknown[] = [];
      const server = createServer((request, response) => {
        if (request.url === '/custom?a=1') seen.push(request.method);
        response.end('{}');
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      onTestFinished(() => {
        server.close();
        server.closeAllConnections();
      });
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      await using other = await startRouter({
        backends: { one: { url, engine: 'openai' } },
        scheduling,
        probes,
      });
      await until(async () => (await other.status()).backends[0]?.state === 'live');
      expect((await ask(`${other.url}/custom?a=1`, { method }).answer).status).toBe(200);
      expect(seen).toEqual([method]);
    },
  );

  test.each([
    ['before the answer has begun', 'delayHead'],
    ['before its first byte', 'delayBody'],
  ] as const)('OLB-2, OLB-26 whose client leaves %s counts no longer', async (_, kind) => {
    const engine = await startFakeEngine();
    onTestFinished(() => engine.close());
    await engine.fault({ kind, ms: 60_000, path: '/v1/chat/completions' });
    await using other = await startRouter({ backends: { one: { url: engine.url } }, scheduling, probes });
    await other.ready();
    const own = async () => (await other.status()).backends[0]?.slots.own;
    const asking = chat(other.url, { stream: true });
    await until(async () => (await own()) === 1);
    asking.leave();
    await until(async () => (await own()) === 0);
  });

  test('OLB-26 waits for its turn where slots are a limit', async () => {
    const engine = await startFakeEngine({ slots: 1 });
    onTestFinished(() => engine.close());
    await using other = await startRouter({
      backends: { one: { url: engine.url } },
      scheduling: { ...scheduling, slotLimits: 'hard' },
      probes,
    });
    await other.ready();
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => chat(other.url, { max_tokens: 1 }).answer),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect((await engine.report()).concurrencyMax).toBe(1);
  });
});
