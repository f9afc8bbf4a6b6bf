/** What a key may reach, over sockets: models by all their names, routes, the control API. */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { startFakeOllama, type FakeOllama } from '../fake-engine/fake-ollama.ts';
import { startFakeEngine, type LocalFakeEngine } from '../fake-engine/start.ts';
import { ask, chat } from './client.ts';
import { withModels } from './fake-models.ts';
import { as, codeOf, keysOf, modelOf } from './keyed-client.ts';
import { startRouter, type TestRouter } from './start-router.ts';

describe('what a key may reach', () => {
  let engine: LocalFakeEngine;
  let ollama: FakeOllama;
  let router: TestRouter;
  beforeAll(async () => {
    engine = await startFakeEngine({ models: [modelOf('tiny'), modelOf('big')], router: { modelsMax: 2 } });
    ollama = await startFakeOllama({ models: ['llama3', 'secret:1b'] });
    router = await startRouter({
      apiKeys: [
        'all',
        { name: 'tiny', key: 'k-tiny', models: ['tiny', 'llama*'] },
        { name: 'chat', key: 'k-chat', routes: ['chat-completions', 'anthropic'] },
        { name: 'reader', key: 'k-reader', admin: 'read' },
        { name: 'old', key: 'k-old', expires: '2020-01-01' },
      ],
      backends: { one: { url: engine.url }, two: { url: ollama.url, engine: 'ollama' } },
    });
    await router.ready();
  });
  afterAll(async () => {
    await router[Symbol.asyncDispose]();
    await engine.close();
    await ollama.close();
  });

  test('other models are refused on every route, in the words of its API, and no engine hears of it', async () => {
    const before = (await engine.report()).requests.filter(({ method }) => method === 'POST').length;
    const messages = [{ role: 'user', content: 'x' }];
    const asked = [
      ['/v1/chat/completions', { model: 'big', messages }],
      ['/v1/completions', { model: 'big', prompt: 'x' }],
      ['/v1/embeddings', { model: 'big', input: 'x' }],
      ['/v1/responses', { model: 'big', input: 'x' }],
      ['/tokenize', { model: 'big', content: 'x' }],
      ['/upstream/big/v1/chat/completions', { messages }],
      ['/upstream/tiny/v1/chat/completions', { model: 'big', messages }],
      ['/upstream/tiny/some/page', {}],
      ['/some/page', { model: 'tiny' }],
      ['/v1/chat/completions', { messages }],
      ['/v1/chat/completions?model=big', { messages }],
      ['/v1/chat/completions', { model: 'nobody-has-it', messages }],
    ] as const;
    for (const [path, body] of asked) {
      const answer = await ask(router.url + path, { body, ...as('k-tiny') }).answer;
      expect([path, answer.status, codeOf(answer)]).toEqual([path, 403, 'model_not_allowed']);
    }
    const anthropic = await ask(`${router.url}/v1/messages`, {
      body: { model: 'big', max_tokens: 5, messages },
      ...as('k-tiny'),
    }).answer;
    expect([anthropic.status, anthropic.json()]).toMatchObject([
      403,
      { type: 'error', error: { type: 'permission_error', code: 'model_not_allowed' } },
    ]);
    for (const path of ['/api/chat', '/api/generate']) {
      const body = { model: 'secret:1b', messages, prompt: 'x' };
      const answer = await ask(router.url + path, { body, ...as('k-tiny') }).answer;
      expect([answer.status, typeof answer.json()['error']]).toEqual([403, 'string']);
    }
    const after = (await engine.report()).requests.filter(({ method }) => method === 'POST').length;
    expect(after).toBe(before);
    expect(ollama.asked.filter(({ method, path }) => method === 'POST' && path !== '/api/show')).toEqual([]);
  });

  test('its own models are served, streams too', async () => {
    const whole = await chat(router.url, {}, as('k-tiny')).answer;
    const stream = await chat(router.url, { stream: true }, as('k-tiny')).answer;
    const upstream = await ask(`${router.url}/upstream/tiny/v1/chat/completions`, {
      body: { model: 'tiny', messages: [{ role: 'user', content: 'x' }], max_tokens: 2 },
      ...as('k-tiny'),
    }).answer;
    expect([whole.status, stream.status, upstream.status]).toEqual([200, 200, 200]);
    expect(stream.body.toString()).toContain('[DONE]');
  });

  test('lists show only them', async () => {
    const idsOf = async (path: string, list: string, key: string): Promise<unknown[]> => {
      const answer = await ask(router.url + path, as(key)).answer;
      const entries = answer.json()[list] as { id?: string; name?: string }[];
      return entries.map(({ id, name }) => id ?? name);
    };
    expect(await idsOf('/v1/models', 'data', 'k-tiny')).toEqual(['llama3:latest', 'tiny']);
    expect(await idsOf('/v1/models', 'data', 'all')).toHaveLength(4);
    expect(
      (await idsOf('/api/tags', 'models', 'k-tiny')).toSorted((one, other) =>
        String(one).localeCompare(String(other)),
      ),
    ).toEqual(['llama3:latest', 'tiny:latest']);
    expect(await idsOf('/api/tags', 'models', 'all')).toHaveLength(4);
    expect((await ask(`${router.url}/v1/models/big`, as('k-tiny')).answer).status).toBe(404);
    expect((await ask(`${router.url}/v1/models/tiny`, as('k-tiny')).answer).status).toBe(200);
    const show = (name: string) =>
      ask(`${router.url}/api/show`, { body: { model: name }, ...as('k-tiny') }).answer;
    expect([(await show('secret:1b')).status, (await show('llama3')).status]).toEqual([404, 200]);
  });

  test('other routes are refused', async () => {
    const messages = [{ role: 'user', content: 'x' }];
    const passes = await ask(`${router.url}/v1/messages`, {
      body: { model: 'tiny', max_tokens: 2, messages },
      ...as('k-chat'),
    }).answer;
    expect([(await chat(router.url, {}, as('k-chat')).answer).status, passes.status]).toEqual([200, 200]);
    for (const path of ['/v1/embeddings', '/v1/completions', '/api/chat', '/tokenize', '/other']) {
      const answer = await ask(router.url + path, { body: { model: 'tiny' }, ...as('k-chat') }).answer;
      expect([path, answer.status]).toEqual([path, 403]);
    }
    const answer = await ask(`${router.url}/v1/embeddings`, { body: { model: 'tiny' }, ...as('k-chat') })
      .answer;
    expect(codeOf(answer)).toBe('route_not_allowed');
  });

  test('a WebSocket is held to the same', async () => {
    const statusOf = async (key: string, path: string): Promise<number | undefined> => {
      const socket = new WebSocket(router.url.replace('http', 'ws') + path, as(key));
      socket.on('error', () => {});
      const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
      socket.terminate();
      return response.statusCode;
    };
    expect(await statusOf('k-tiny', '/socket?model=big')).toBe(403);
    expect(await statusOf('k-tiny', '/socket')).toBe(403);
    expect(await statusOf('k-chat', '/socket?model=tiny')).toBe(403);
    expect(await statusOf('k-old', '/socket')).toBe(401);
    expect(await statusOf('all', '/socket?model=tiny')).not.toBe(403);
  });

  test('the control API opens as far as the key says', async () => {
    const statusOf = async (key: string, method: string, path: string): Promise<number> =>
      (await ask(router.url + path, { method, ...as(key) }).answer).status;
    const rows: [string, string, number, number, number][] = [
      ['GET', '/api/status', 403, 200, 200],
      ['GET', '/api/keys', 403, 200, 200],
      ['GET', '/metrics', 403, 200, 200],
      ['GET', '/logs', 403, 200, 200],
      ['GET', '/running', 403, 200, 200],
      ['GET', '/unload', 403, 403, 200],
      ['POST', '/api/backends/one/probe', 403, 403, 202],
      ['POST', '/api/models/unload', 403, 403, 200],
      ['GET', '/api/version', 200, 200, 200],
      ['GET', '/health', 200, 200, 200],
      ['DELETE', '/api/delete', 403, 403, 400],
      ['POST', '/api/pull', 403, 403, 400],
    ];
    for (const [method, path, none, read, full] of rows) {
      const found = [];
      for (const key of ['k-tiny', 'k-reader', 'all']) found.push(await statusOf(key, method, path));
      expect([method, path, ...found]).toEqual([method, path, none, read, full]);
    }
    const refused = await ask(`${router.url}/api/status`, as('k-tiny')).answer;
    expect(codeOf(refused)).toBe('admin_not_allowed');
    const ollamas = await ask(`${router.url}/api/pull`, { body: { model: 'x' }, ...as('k-tiny') }).answer;
    expect([ollamas.status, typeof ollamas.json()['error']]).toEqual([403, 'string']);
  });

  test('an expired key is refused by name, and another key beside it counts', async () => {
    const refused = await chat(router.url, {}, as('k-old')).answer;
    expect([refused.status, codeOf(refused)]).toEqual([401, 'unauthorized']);
    expect(refused.body.toString()).toContain("'old' has expired");
    const both = await chat(router.url, {}, as('k-old', { authorization: 'Bearer all' })).answer;
    expect(both.status).toBe(200);
  });

  test('what is refused is counted by its reason', async () => {
    await chat(router.url, { model: 'big' }, as('k-tiny')).answer;
    const text = (await ask(`${router.url}/metrics`, as('all')).answer).body.toString();
    expect(text).toMatch(/llamero_key_rejections_total\{reason="model_not_allowed"\} [1-9]/);
  });

  test('/api/keys shows no key', async () => {
    const { body } = await ask(`${router.url}/api/keys`, as('k-reader')).answer;
    expect(body.toString()).not.toMatch(/k-tiny|k-chat|k-old/);
    expect((await keysOf(router))['tiny']).toMatchObject({
      source: 'config',
      admin: 'none',
      models: ['tiny', 'llama*'],
    });
    expect((await keysOf(router))['old']).toMatchObject({ expired: true });
  });
});

test('aliases, selectors and pins reach a model only where the name or the model is allowed', async () => {
  const config = await withModels(
    { a: { aliases: ['nick'] }, b: {} },
    {
      apiKeys: [
        'all',
        { name: 'by-model', key: 'k-model', models: ['a'] },
        { name: 'by-alias', key: 'k-alias', models: ['nick'] },
        { name: 'by-selector', key: 'k-selector', models: ['either'] },
      ],
      selectors: {
        only: { strategy: 'pin', targets: ['a'] },
        either: { strategy: 'warm', targets: ['a', 'b'] },
      },
      routing: {
        router: {
          use: 'group',
          settings: { groups: { all: { swap: false, exclusive: false, members: ['a', 'b'] } } },
        },
      },
    },
  );
  await using router = await startRouter(config);
  const statusOf = async (key: string, name: string): Promise<number> =>
    (await chat(router.url, { model: name, max_tokens: 1 }, as(key)).answer).status;
  const names = ['a', 'nick', 'b', 'only', 'either'];
  const rows = {
    'k-model': [200, 200, 403, 200, 403],
    'k-alias': [403, 200, 403, 403, 403],
    'k-selector': [403, 403, 403, 403, 200],
  };
  for (const [key, expected] of Object.entries(rows)) {
    const found = [];
    for (const name of names) found.push(await statusOf(key, name));
    expect([key, ...found]).toEqual([key, ...expected]);
  }
  const pageOf = async (key: string, name: string): Promise<number> =>
    (await ask(`${router.url}/upstream/${name}/some/page`, as(key)).answer).status;
  expect([
    await pageOf('k-model', 'a'),
    await pageOf('k-model', 'nick'),
    await pageOf('k-model', 'b'),
  ]).toEqual([404, 404, 403]);
  const listed = (await ask(`${router.url}/v1/models`, as('k-alias')).answer).json()['data'] as {
    id: string;
  }[];
  expect(listed.map(({ id }) => id)).toEqual(['nick']);
});
