/** Routers that name each other: a request ends after one round, and a model is listed no longer than somebody has it. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { startFakeEngine } from '../fake-engine/start.ts';
import { ask, chat } from './client.ts';
import { connectRaw } from './raw-client.ts';
import { startRouter, until, type TestRouter } from './start-router.ts';

/** Each offers `m` as a model of the next one; the last one's is the first. */
async function circle(count: number): Promise<{ routers: TestRouter[] } & AsyncDisposable> {
  const routers: TestRouter[] = [];
  const listen: string[] = [];
  for (let index = 0; index < count; index += 1) {
    routers.push(await startRouter({ peers: { next: { proxy: 'http://127.0.0.1:1', models: ['m'] } } }));
    listen.push(new URL(routers[index]?.url ?? '').host);
  }
  for (const [index, router] of routers.entries()) {
    const proxy = `http://${listen[(index + 1) % count] ?? ''}`;
    await router.reload({ listen: '127.0.0.1:0', peers: { next: { proxy, models: ['m'] } } });
  }
  await Promise.all(routers.map((router) => router.ready()));
  return {
    routers,
    async [Symbol.asyncDispose]() {
      await Promise.all(routers.map(({ app }) => app.close()));
    },
  };
}

async function requestsSeenBy(router: TestRouter): Promise<number> {
  const { recent } = (await ask(`${router.url}/api/requests`).answer).json() as { recent: unknown[] };
  return recent.length;
}

test.each([1, 2, 3])(
  'a circle of %d routers ends a request after one round, with one clear error',
  async (count) => {
    await using setup = await circle(count);
    const [first] = setup.routers;
    const url = first?.url ?? '';
    const answer = await chat(url, { model: 'm' }).answer;
    expect([answer.status, answer.json()]).toMatchObject([508, { error: { code: 'loop_detected' } }]);
    const messages = await ask(`${url}/v1/messages`, {
      body: { model: 'm', max_tokens: 1, messages: [{ role: 'user', content: 'x' }] },
    }).answer;
    expect([messages.status, messages.json()]).toMatchObject([508, { type: 'error' }]);
    // Nobody asked twice: each saw the two requests once, the first one saw them come back.
    const seen = await Promise.all(setup.routers.map(requestsSeenBy));
    expect(seen).toEqual(setup.routers.map((_router, index) => (index === 0 ? 4 : 2)));
    // And nobody is thought to be ill.
    for (let round = 0; round < 5; round += 1) await chat(url, { model: 'm' }).answer;
    expect((await first?.status())?.backends.map(({ state }) => state)).toEqual(['live']);
  },
);

test('a client cannot have the signatures removed', async () => {
  await using setup = await circle(1);
  const [router] = setup.routers;
  using client = await connectRaw(router?.url ?? '');
  const body = '{"model":"m","messages":[]}';
  client.socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nHost: r\r\nConnection: cdn-loop, keep-alive\r\nCDN-Loop: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  await client.receives(/^HTTP\/1\.1 508 /);
});

test('WebSockets in a circle are refused', async () => {
  await using setup = await circle(2);
  const url = setup.routers[0]?.url.replace('http', 'ws') ?? '';
  const socket = new WebSocket(`${url}/v1/realtime?model=m`);
  const [, response] = (await once(socket, 'unexpected-response')) as [
    unknown,
    { statusCode: number; destroy(): void },
  ];
  expect(response.statusCode).toBe(508);
  response.destroy();
});

test('an engine is told who sent a request, after those who did before', async () => {
  let seen: string | string[] | undefined;
  const engine = createServer((request, response) => {
    if (request.method === 'POST') seen = request.headers['cdn-loop'];
    response.end('{"data":[{"id":"m"}]}');
  });
  engine.listen(0, '127.0.0.1');
  await once(engine, 'listening');
  const { port } = engine.address() as AddressInfo;
  await using router = await startRouter({
    backends: { one: { url: `http://127.0.0.1:${port}`, engine: 'openai' } },
  });
  await router.ready();
  await chat(router.url, { model: 'm' }, { headers: { 'cdn-loop': 'somebody; v=2' } }).answer;
  expect(seen).toMatch(/^somebody; v=2, llamero-[\da-f-]{36}$/);
  engine.closeAllConnections();
  engine.close();
});

test('routers that have each other as plain backends find the engine, and forget the model with it', async () => {
  const engine = await startFakeEngine();
  // So that a request for the lost model is given up soon.
  const scheduling = { deadWait: '1s' };
  await using near = await startRouter({ scheduling, backends: { engine: { url: engine.url } } });
  await using far = await startRouter({ scheduling, backends: { near: { url: near.url } } });
  await near.reload({
    listen: '127.0.0.1:0',
    scheduling,
    backends: { engine: { url: engine.url }, far: { url: far.url } },
  });
  await Promise.all([near.ready(), far.ready()]);
  await until(async () => (await chat(far.url, { model: 'tiny' }).answer).status === 200);
  // A router is none of the engines that answer through it.
  expect((await far.status()).backends.map((backend) => backend.engine)).toEqual(['openai']);
  await engine.close();
  await until(async () => (await near.status()).backends.some(({ state }) => state === 'dead'));
  const answer = await chat(far.url, { model: 'tiny' }).answer;
  expect(answer.status).toBeGreaterThanOrEqual(404);
  await until(async () => {
    const lists = await Promise.all(
      [near, far].map(async ({ url }) => (await ask(`${url}/v1/models`).answer).json()),
    );
    return lists.every(({ data }) => (data as unknown[]).length === 0);
  });
});
