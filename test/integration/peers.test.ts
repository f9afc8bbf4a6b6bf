/** Models of other servers, with fake engines and other routers as the servers. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import type { FakeEngineOptions } from '../fake-engine/fake-engine.ts';
import { spawnFakeEngine, startFakeEngine } from '../fake-engine/start.ts';
import { ask, chat } from './client.ts';
import { headersOf, posts } from './seen-requests.ts';
import { startRouter, until } from './start-router.ts';

const having = (id: string, more: FakeEngineOptions = {}): FakeEngineOptions => ({
  models: [{ id, contextTokens: 4096, promptTokensPerS: 50_000, tokensPerS: 200 }],
  ...more,
});

test('PR-2 a peer gets its own name of the model, its key and its host, and nothing that is of the client', async () => {
  const engine = await startFakeEngine(having('org/m', { apiKey: 'peer-key' }));
  await using router = await startRouter({
    apiKeys: ['client-key'],
    peers: { far: { proxy: engine.url, apiKey: 'peer-key', models: ['org/m'] } },
  });
  await router.ready();
  const body =
    '{ "seed": 12345678901234567890, "model" : "far/org/m","messages":[{"role":"user","content":"x"}]}';
  const answer = await ask(`${router.url}/v1/chat/completions`, {
    body,
    headers: {
      authorization: 'Bearer client-key',
      'content-type': 'application/json',
      'x-forwarded-for': '10.0.0.7',
    },
  }).answer;
  expect([answer.status, answer.headers['x-llamero-backend']]).toEqual([200, 'peer:far']);
  const [got] = await posts(engine);
  expect(got?.body).toBe(body.replace('far/org/m', 'org/m'));
  const headers = got === undefined ? new Map() : headersOf(got);
  expect(headers.get('authorization')).toBe('Bearer peer-key');
  expect(headers.get('x-api-key')).toBe('peer-key');
  expect(headers.get('host')).toBe(new URL(engine.url).host);
  expect(headers.get('content-length')).toBe(String(Buffer.byteLength(got?.body ?? '')));
  expect(got?.rawHead).not.toMatch(/client-key|10\.0\.0\.7/);
  await engine.close();
});

test('PR-2 a peer without a key gets none; the path of its URL comes first; streams are marked as not to be held', async () => {
  const seen: (string | undefined)[][] = [];
  const server = createServer((request, response) => {
    seen.push([
      request.url,
      request.headers.authorization,
      request.headers['x-api-key'] as string | undefined,
    ]);
    const isList = request.url?.endsWith('/models') === true;
    response.setHeader('content-type', isList ? 'application/json' : 'text/event-stream');
    response.end(isList ? '{"data":[]}' : 'data: [DONE]\n\n');
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await using router = await startRouter({
    apiKeys: ['client-key'],
    peers: { far: { proxy: `http://127.0.0.1:${port}/base`, models: ['m'] } },
  });
  await router.ready();
  const headers = { 'x-api-key': 'client-key' };
  const answer = await chat(router.url, { model: 'm', stream: true }, { headers }).answer;
  expect([answer.status, answer.headers['x-accel-buffering']]).toEqual([200, 'no']);
  expect(seen.at(-1)).toEqual(['/base/v1/chat/completions', undefined, undefined]);
  server.closeAllConnections();
  server.close();
});

test('UTL-9 the filters of a peer edit its requests; without any, a request stays byte for byte', async () => {
  const engine = await startFakeEngine(having('m'));
  const config = (filters: object) => ({ peers: { far: { proxy: engine.url, models: ['m'], filters } } });
  await using router = await startRouter(
    config({ setParams: { temperature: 0.25 }, stripParams: 'max_tokens' }),
  );
  await router.ready();
  await chat(router.url, { model: 'far/m' }).answer;
  const edited = (await posts(engine)).at(-1)?.body ?? '';
  expect(edited).toMatch(/^\{"model":"m",.*,"temperature":0\.25\}$/);
  expect(edited).not.toContain('max_tokens');
  await router.reload(config({}));
  const body = '{"messages": [ {"role":"user","content":"\\u00e4"} ],\n "model":"m" , "seed":1e2 }';
  await ask(`${router.url}/v1/chat/completions`, { body }).answer;
  expect((await posts(engine)).at(-1)?.body).toBe(body);
  await engine.close();
});

test('a model whose peer died is had from another peer, before the first byte', async () => {
  const [one, two] = await Promise.all([spawnFakeEngine(having('m')), startFakeEngine(having('m'))]);
  await using router = await startRouter({
    probes: { interval: '1m', deadInterval: '1m' },
    peers: { one: { proxy: one.url, models: ['m'] }, two: { proxy: two.url, models: ['m'] } },
  });
  await router.ready();
  await one.kill9();
  const answer = await chat(router.url, { model: 'one/m', stream: true }).answer;
  expect([answer.status, answer.complete, answer.headers['x-llamero-backend']]).toEqual([
    200,
    true,
    'peer:two',
  ]);
  // It is known to be dead now: nobody tries it.
  await until(async () => (await router.status()).backends.some(({ state }) => state === 'dead'));
  const next = await chat(router.url, { model: 'one/m' }).answer;
  expect([next.status, next.headers['x-llamero-backend'], next.headers['x-llamero-attempts']]).toEqual([
    200,
    'peer:two',
    undefined,
  ]);
  // Of a bare name it is not clear whose is meant.
  expect((await chat(router.url, { model: 'm' }).answer).status).toBe(404);
  await two.close();
});

test('SRV-1 one of ours is meant where a peer has the name too, and nobody by an unknown one', async () => {
  const [near, far] = await Promise.all([startFakeEngine(having('m')), startFakeEngine(having('m'))]);
  await using router = await startRouter({
    backends: { near: { url: near.url } },
    peers: { far: { proxy: far.url, models: ['m'] } },
  });
  await router.ready();
  const backendOf = async (model: string) =>
    (await chat(router.url, { model }).answer).headers['x-llamero-backend'];
  expect([await backendOf('m'), await backendOf('far/m')]).toEqual(['near', 'peer:far']);
  expect((await chat(router.url, { model: 'far/other' }).answer).status).toBe(404);
  await Promise.all([near.close(), far.close()]);
});

test('a peer may be another Llamero: its list tells what is loaded, its own headers stay with it', async () => {
  const engine = await startFakeEngine(having('m'));
  await using far = await startRouter({ backends: { gpu: { url: engine.url } }, apiKeys: ['far-key'] });
  await far.ready();
  await using router = await startRouter({
    peers: { far: { proxy: far.url, apiKey: 'far-key', models: ['m', 'unheard-of'] } },
  });
  await router.ready();
  const answer = await chat(router.url, { model: 'far/m', stream: true }).answer;
  expect([answer.status, answer.complete, answer.headers['x-llamero-backend']]).toEqual([
    200,
    true,
    'peer:far',
  ]);
  const { data } = (await ask(`${router.url}/v1/models`).answer).json();
  expect(data).toMatchObject([
    { id: 'far/m', name: 'far: m', status: { value: 'loaded' } },
    { id: 'far/unheard-of', status: { value: 'unloaded' } },
  ]);
  const refused = await chat(router.url, { model: 'unheard-of' }).answer;
  expect([refused.status, refused.headers['x-llamero-backend']]).toEqual([404, 'peer:far']);
  await engine.close();
});

test('a peer is not asked for what names no model', async () => {
  const engine = await startFakeEngine(having('m'));
  await using router = await startRouter({ peers: { far: { proxy: engine.url, models: ['m'] } } });
  await router.ready();
  expect((await ask(`${router.url}/some/page.html`).answer).status).toBe(404);
  const near = await startFakeEngine(having('near'));
  await router.reload({
    backends: { near: { url: near.url } },
    peers: { far: { proxy: engine.url, models: ['m'] } },
  });
  await router.ready();
  expect((await ask(`${router.url}/some/page.html`).answer).headers['x-llamero-backend']).toBe('near');
  const tokenized = await ask(`${router.url}/tokenize`, { body: { content: 'x' } }).answer;
  expect(tokenized.headers['x-llamero-backend']).toBe('near');
  const asked = (await engine.report()).requests.map(({ path }) => path);
  expect(new Set(asked)).toEqual(new Set(['/v1/models']));
  await Promise.all([engine.close(), near.close()]);
});

test('a reload adds, changes and removes peers, and the ones that stay keep their connections', async () => {
  const [one, two] = await Promise.all([startFakeEngine(having('m')), startFakeEngine(having('n'))]);
  const peers = { one: { proxy: one.url, models: ['m'] } };
  await using router = await startRouter({ peers });
  await router.ready();
  await chat(router.url, { model: 'm' }).answer;
  await router.reload({
    peers: { two: { proxy: two.url, models: ['n'] }, one: { ...peers.one, models: ['m', 'x'] } },
  });
  await router.ready();
  expect((await chat(router.url, { model: 'n' }).answer).headers['x-llamero-backend']).toBe('peer:two');
  await chat(router.url, { model: 'm' }).answer;
  const connections = (await posts(one)).map(({ connection }) => connection);
  expect(new Set(connections).size).toBe(1);
  const { data } = (await ask(`${router.url}/v1/models`).answer).json() as { data: { id: string }[] };
  expect(data.map(({ id }) => id)).toEqual(['one/m', 'one/x', 'two/n']);
  await router.reload({ peers: { two: { proxy: two.url, models: ['n'] } } });
  expect((await router.status()).backends.map(({ id }) => id)).toEqual(['peer:two']);
  expect((await chat(router.url, { model: 'one/m' }).answer).status).toBe(404);
  await Promise.all([one.close(), two.close()]);
});

test('PR-3 a request that names no model is refused with the names there are', async () => {
  const engine = await startFakeEngine(having('m'));
  await using router = await startRouter({ peers: { far: { proxy: engine.url, models: ['m', 'n'] } } });
  await router.ready();
  const answer = await ask(`${router.url}/v1/chat/completions`, { body: { messages: [] } }).answer;
  expect([answer.status, answer.json()]).toMatchObject([400, { error: { code: 'model_missing' } }]);
  expect(answer.body.toString()).toContain("'far/m', 'far/n'");
  await engine.close();
});

test('PR-4 a stop lets running requests of a peer end, and takes no new ones', async () => {
  const engine = await startFakeEngine(having('m'));
  await using router = await startRouter({ peers: { far: { proxy: engine.url, models: ['m'] } } });
  await router.ready();
  const running = chat(router.url, { model: 'm', stream: true, max_tokens: 100 });
  await running.head;
  const drained = router.app.drain();
  const refused = await chat(router.url, { model: 'm' }).answer;
  expect([refused.status, refused.json()]).toMatchObject([503, { error: { code: 'shutting_down' } }]);
  expect((await running.answer).complete).toBe(true);
  await drained;
  await engine.close();
});

test('a peer that refuses its key is dead and says why', async () => {
  const engine = await startFakeEngine(having('m', { apiKey: 'right' }));
  await using router = await startRouter({
    scheduling: { deadWait: '0s' },
    peers: { far: { proxy: engine.url, apiKey: 'wrong', models: ['m'] } },
  });
  await until(async () => (await router.status()).backends[0]?.state === 'dead');
  const answer = await chat(router.url, { model: 'm' }).answer;
  expect([answer.status, answer.body.toString()]).toEqual([
    503,
    expect.stringContaining('refused its API key (status 401)'),
  ]);
  await engine.close();
});
