/** Backends come, hang, die, return and change size; the others notice nothing. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { createFakeEngine } from '../fake-engine/fake-engine.ts';
import { spawnFakeEngine, startFakeEngine } from '../fake-engine/start.ts';
import { ask, chat, type Asking } from './client.ts';
import { startRouter, until, type TestRouter } from './start-router.ts';

const slow = { id: 'tiny', contextTokens: 4096, promptTokensPerS: 50_000, tokensPerS: 20 };
const long = { stream: true, max_tokens: 2000 };

const backendOf = async (router: TestRouter, id: string) =>
  (await router.status()).backends.find((backend) => backend.id === id);

describe('a backend that hangs', () => {
  test('from the beginning delays nobody', async () => {
    const [hung, good] = await Promise.all([startFakeEngine(), startFakeEngine()]);
    await hung.fault({ kind: 'hang' });
    await using router = await startRouter({
      backends: { hung: { url: hung.url }, good: { url: good.url } },
      probes: { interval: '100ms', deadInterval: '100ms', timeout: '30s' },
    });
    await router.ready(['good']);
    const startedMs = performance.now();
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => chat(router.url, { max_tokens: 1 }).answer),
    );
    expect(answers.map(({ status, headers }) => [status, headers['x-llamero-backend']])).toEqual(
      answers.map(() => [200, 'good']),
    );
    expect((await ask(`${router.url}/v1/models`).answer).status).toBe(200);
    expect((await ask(`${router.url}/monitor/data`).answer).status).toBe(200);
    expect(performance.now() - startedMs).toBeLessThan(3000);
    expect(await backendOf(router, 'hung')).toMatchObject({ state: 'unknown' });
    await Promise.all([hung.close(), good.close()]);
  });

  test.each(['/health', '/props', '/v1/models', '/metrics'])(
    'on %s in the middle of its life delays nobody',
    async (path) => {
      const [hung, good] = await Promise.all([startFakeEngine(), startFakeEngine()]);
      await using router = await startRouter({
        backends: { hung: { url: hung.url }, good: { url: good.url } },
        probes: { interval: '100ms', deadInterval: '100ms', timeout: '300ms' },
      });
      await router.ready();
      await hung.fault({ kind: 'hang', path });
      await until(async () => (await hung.report()).requests.some(({ faults }) => faults.includes('hang')));
      const startedMs = performance.now();
      for (let index = 0; index < 5; index += 1) {
        const messages = [{ role: 'user', content: String(index) }];
        expect((await chat(router.url, { max_tokens: 1, messages }).answer).status).toBe(200);
      }
      expect(performance.now() - startedMs).toBeLessThan(2000);
      // Without the answer to /health there is no telling; everything else is dispensable.
      if (path === '/health') await until(async () => (await backendOf(router, 'hung'))?.state === 'dead');
      else await until(async () => ((await backendOf(router, 'hung'))?.probe.duration_ms ?? 0) > 250);
      expect((await backendOf(router, 'hung'))?.state).toBe(path === '/health' ? 'dead' : 'live');
      expect((await backendOf(router, 'good'))?.state).toBe('live');
      await hung.reset();
      await until(async () => (await backendOf(router, 'hung'))?.state === 'live');
      await Promise.all([hung.close(), good.close()]);
    },
  );
});

test('a backend that returns from the dead begins with free slots', async () => {
  const first = await spawnFakeEngine({ slots: 2, models: [slow] });
  await using router = await startRouter({
    backends: { one: { url: first.url } },
    scheduling: { deadWait: '20s' },
  });
  await router.ready();
  const asking = [chat(router.url, long), chat(router.url, long)];
  await Promise.all(asking.map(({ head }) => head));
  expect(await backendOf(router, 'one')).toMatchObject({ slots: { own: 2, free: 0 } });
  await first.kill9();
  await Promise.all(asking.map(({ answer }) => answer));
  await until(async () => (await backendOf(router, 'one'))?.state === 'dead');
  const second = await createFakeEngine({ port: first.port, slots: 2, models: [slow] });
  await until(async () => ['live', 'degraded'].includes((await backendOf(router, 'one'))?.state ?? ''));
  expect((await backendOf(router, 'one'))?.slots).toMatchObject({
    own: 0,
    lingering: 0,
    foreign: 0,
    free: 2,
  });
  expect((await chat(router.url, { max_tokens: 1 }).answer).status).toBe(200);
  await until(async () => (await backendOf(router, 'one'))?.state === 'live');
  await second.close();
});

test('slots of a configuration change while requests run: 4, 2, 4', async () => {
  const engine = await startFakeEngine({ slots: 8, models: [slow] });
  const config = (slots: number) => ({ backends: { one: { url: engine.url, slots } } });
  await using router = await startRouter(config(4));
  await router.ready();
  const asking = Array.from({ length: 8 }, () => chat(router.url, long));
  const began = new Set<Asking>();
  for (const one of asking) void one.head.then(() => began.add(one)).catch(() => {});
  const reads = async (own: number, depth: number) => {
    await until(async () => {
      const status = await router.status();
      return status.backends[0]?.slots.own === own && status.queue.depth === depth;
    });
  };
  await reads(4, 4);
  await until(() => began.size === 4);
  await router.reload(config(2));
  expect((await backendOf(router, 'one'))?.slots).toMatchObject({ total: 2, own: 4, free: 0 });
  for (const one of [...began].slice(0, 2)) one.leave();
  await reads(2, 4);
  await router.reload(config(4));
  await reads(4, 2);
  for (const one of asking) one.leave();
  await reads(0, 0);
  await engine.close();
});

test("an engine's own slots change by a restart: 4, 2, 4", async () => {
  let engine = await createFakeEngine({ slots: 4 });
  const { port, url } = engine;
  await using router = await startRouter({ backends: { one: { url } } });
  for (const slots of [4, 2, 4]) {
    await engine.close();
    await until(async () => (await backendOf(router, 'one'))?.state !== 'live');
    engine = await createFakeEngine({ port, slots });
    await until(async () => (await backendOf(router, 'one'))?.slots.total === slots);
    await router.ready();
    expect((await chat(router.url, { max_tokens: 1 }).answer).status).toBe(200);
  }
  await engine.close();
});

test('a backend that loads its model is waited for, not given up', async () => {
  const engine = await startFakeEngine();
  await engine.fault({ kind: 'loading', ms: 800 });
  await using router = await startRouter({ backends: { one: { url: engine.url } } });
  await until(async () => (await backendOf(router, 'one'))?.probe.error === 'Engine is loading its model');
  expect((await backendOf(router, 'one'))?.state).toBe('unknown');
  const answer = await chat(router.url, { max_tokens: 1 }).answer;
  expect(answer.status).toBe(200);
  await router.ready();
  await engine.fault({ kind: 'loading', ms: 800 });
  await until(async () => (await backendOf(router, 'one'))?.state === 'unknown');
  expect((await chat(router.url, { max_tokens: 1 }).answer).status).toBe(200);
  expect(router.logLines.filter(({ to }) => to === 'dead')).toEqual([]);
  await engine.close();
});

test('an operator drains a backend and takes it back', async () => {
  const [a, b] = await Promise.all([
    startFakeEngine({ models: [slow] }),
    startFakeEngine({ models: [slow] }),
  ]);
  await using router = await startRouter({
    backends: { a: { url: a.url, priority: 0 }, b: { url: b.url, priority: 1 } },
    scheduling: { scorers: { priority: 1 } },
  });
  await router.ready();
  const running = chat(router.url, { stream: true, max_tokens: 30 });
  expect((await running.head).headers['x-llamero-backend']).toBe('a');
  const act = async (action: string) =>
    (await ask(`${router.url}/api/backends/a/${action}`, { method: 'POST' }).answer).status;
  const next = async () => (await chat(router.url, { max_tokens: 1 }).answer).headers['x-llamero-backend'];
  expect(await act('drain')).toBe(202);
  expect((await backendOf(router, 'a'))?.state).toBe('draining');
  expect([await next(), await next()]).toEqual(['b', 'b']);
  const finished = await running.answer;
  expect([finished.status, finished.complete]).toEqual([200, true]);
  expect(await act('resume')).toBe(202);
  expect(await next()).toBe('a');
  await Promise.all([a.close(), b.close()]);
});

test('a backend on a port that browsers refuse is like any other', async (context) => {
  const engine = await createFakeEngine({ port: 6000 }).catch(() => undefined);
  context.skip(engine === undefined, 'port 6000 is taken here');
  if (engine === undefined) return;
  await using router = await startRouter({ backends: { one: { url: engine.url } } });
  await router.ready();
  expect((await chat(router.url, { max_tokens: 1 }).answer).status).toBe(200);
  await engine.close();
});

test('changed timeouts of a backend hold from the reload on', async () => {
  const engine = await startFakeEngine();
  const config = (firstByte: string) => ({ backends: { one: { url: engine.url, timeouts: { firstByte } } } });
  await using router = await startRouter(config('0s'));
  await router.ready();
  await chat(router.url, { max_tokens: 1 }).answer;
  await router.reload(config('300ms'));
  await engine.fault({ kind: 'hang', path: '/v1/chat/completions' });
  const answer = await chat(router.url).answer;
  expect([answer.status, answer.json()]).toMatchObject([504, { error: { code: 'backend_timeout' } }]);
  await engine.close();
});

test('a slow upload is no missing first byte', async () => {
  const engine = await startSlowReader();
  await using router = await startRouter({
    backends: { one: { url: engine.url, engine: 'openai', timeouts: { firstByte: '600ms' } } },
  });
  await router.ready();
  const answer = await chat(router.url, { user: 'u'.repeat(40_000_000) }).answer;
  expect([answer.status, answer.json()]).toEqual([200, { read: expect.any(Number) as number }]);
  expect(engine.readMs()).toBeGreaterThan(1200);
  engine.close();
});

/** Reads the body of a POST in steps over two seconds, then answers at once. */
async function startSlowReader() {
  let readMs = 0;
  const server = createServer((request, response) => {
    if (request.method === 'GET') {
      response.writeHead(request.url === '/v1/models' ? 200 : 404, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ object: 'list', data: [{ id: 'tiny', object: 'model' }] }));
      return;
    }
    const startedMs = performance.now();
    const total = Number(request.headers['content-length']);
    let read = 0;
    request.on('data', (chunk: Buffer) => {
      read += chunk.length;
      const dueMs = (read / total) * 2000 - (performance.now() - startedMs);
      if (dueMs < 1) return;
      request.pause();
      setTimeout(() => request.resume(), dueMs);
    });
    request.on('end', () => {
      readMs = performance.now() - startedMs;
      response.end(JSON.stringify({ read }));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    readMs: () => readMs,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
