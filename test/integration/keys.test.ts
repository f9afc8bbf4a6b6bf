/** What keys with limits may do and how much of it, over sockets: models, routes, the control API, rates, budgets. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { digestKey } from '../../src/keys/key-digest.ts';
import { addStoredKey, revokeStoredKey } from '../../src/keys/stored-keys.ts';
import { startFakeEngine, type LocalFakeEngine } from '../fake-engine/start.ts';
import { startFakeOllama, type FakeOllama } from '../fake-engine/fake-ollama.ts';
import { startScriptedEngine } from '../fake-engine/scripted-engine.ts';
import { ask, chat, type Answer } from './client.ts';
import { withModels } from './fake-models.ts';
import { startRouter, until, type TestRouter } from './start-router.ts';

const as = (key: string, more: Record<string, string> = {}) => ({ headers: { 'x-api-key': key, ...more } });
const codeOf = (answer: Answer): unknown => (answer.json()['error'] as { code?: unknown } | undefined)?.code;
const model = (id: string) => ({ id, contextTokens: 4096, promptTokensPerS: 50_000, tokensPerS: 500 });
const usageOf = (answer: Answer): number => (answer.json()['usage'] as { total_tokens: number }).total_tokens;

async function keysOf(router: TestRouter, key = 'all'): Promise<Record<string, Record<string, unknown>>> {
  const { keys } = (await ask(`${router.url}/api/keys`, as(key)).answer).json() as {
    keys: { name: string }[];
  };
  return Object.fromEntries(keys.map((each) => [each.name, each]));
}

describe('what a key may reach', () => {
  let engine: LocalFakeEngine;
  let ollama: FakeOllama;
  let router: TestRouter;
  beforeAll(async () => {
    engine = await startFakeEngine({ models: [model('tiny'), model('big')], router: { modelsMax: 2 } });
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
  const listed = (await ask(`${router.url}/v1/models`, as('k-alias')).answer).json()['data'] as {
    id: string;
  }[];
  expect(listed.map(({ id }) => id)).toEqual(['nick']);
});

describe('a file of keys', () => {
  test('opens and closes a running router, which needs a key from the start', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'llamero-keys-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const keysFile = join(folder, 'keys.db');
    const engine = await startFakeEngine();
    await using router = await startRouter({ keysFile, backends: { one: { url: engine.url } } });
    const statusOf = async (key: string): Promise<number> =>
      (await ask(`${router.url}/v1/models`, as(key)).answer).status;
    expect((await ask(`${router.url}/v1/models`).answer).status).toBe(401);
    addStoredKey(keysFile, {
      name: 'phone',
      digest: digestKey('of-phone'),
      rules: { requestsPerMinute: 1, admin: 'read' },
      createdEpochMs: 0,
    });
    await until(async () => (await statusOf('of-phone')) === 200);
    expect((await keysOf(router, 'of-phone'))['phone']).toMatchObject({ source: 'file', admin: 'read' });
    await until(async () => (await chat(router.url, {}, as('of-phone')).answer).status === 429);
    revokeStoredKey(keysFile, 'phone');
    await until(async () => (await statusOf('of-phone')) === 401);
    await engine.close();
  });

  test('what its keys have used outlives the router, where there is a store', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'llamero-keys-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const engine = await startFakeEngine();
    const config = {
      apiKeys: ['all', { name: 'k', key: 'k', tokensPerMonth: 10 }],
      store: { path: join(folder, 'store.db') },
      backends: { one: { url: engine.url } },
    };
    for (const expected of [200, 429]) {
      await using router = await startRouter(config);
      await router.ready();
      const answer = await chat(router.url, {}, as('k')).answer;
      expect(answer.status).toBe(expected);
      if (expected === 429) expect(codeOf(answer)).toBe('token_budget_exceeded');
    }
    await engine.close();
  });

  test('limits that a reload changes count for the next request', async () => {
    const engine = await startFakeEngine();
    const config = (limit: object) => ({
      apiKeys: ['all', { name: 'k', key: 'k', ...limit }],
      backends: { one: { url: engine.url } },
    });
    await using router = await startRouter(config({ requestsPerMinute: 1 }));
    await router.ready();
    const status = async (): Promise<number> => (await chat(router.url, {}, as('k')).answer).status;
    expect([await status(), await status()]).toEqual([200, 429]);
    await router.reload(config({ requestsPerMinute: 100 }));
    expect(await status()).toBe(200);
    await router.reload(config({ models: ['other'] }));
    expect(await status()).toBe(403);
    await engine.close();
  });
});

describe('how much a key may do', () => {
  const body = { max_tokens: 4 };

  test('requests beyond the rate wait for it, and every answer tells what is left', async () => {
    const engine = await startScriptedEngine({
      answer: () => ({
        write: (response) => {
          response.writeHead(200, {
            'content-type': 'application/json',
            'x-ratelimit-limit-requests': '999',
            'x-request-cost': '3',
          });
          response.end(
            JSON.stringify({
              choices: [],
              usage: { prompt_tokens: 2, completion_tokens: 1, total_tokens: 3 },
            }),
          );
        },
      }),
    });
    await using router = await startRouter({
      apiKeys: ['all', { name: 'slow', key: 'k', requestsPerMinute: 2, tokensPerDay: 1000 }],
      backends: { one: { url: engine.url, engine: 'openai' } },
    });
    await router.ready();
    const send = (path: string) =>
      ask(router.url + path, { body: { model: 'm', max_tokens: 4, messages: [] }, ...as('k') }).answer;
    const first = await send('/v1/chat/completions');
    expect([first.status, first.headers]).toMatchObject([
      200,
      {
        'x-ratelimit-limit-requests': '2',
        'x-ratelimit-remaining-requests': '1',
        'x-ratelimit-limit-tokens': '1000',
        'x-request-cost': '3',
      },
    ]);
    expect(first.headers['x-ratelimit-reset-requests']).toMatch(/^(30|29)s$|^\d+ms$/);
    expect(Number(first.headers['x-ratelimit-remaining-tokens'])).toBeLessThan(1000);
    await send('/v1/chat/completions');
    const refused = await send('/v1/chat/completions');
    expect([refused.status, codeOf(refused)]).toEqual([429, 'rate_limit_exceeded']);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(20);
    expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(30);
    expect(refused.headers['x-ratelimit-remaining-requests']).toBe('0');
    const messages = await send('/v1/messages');
    expect([messages.status, messages.json()]).toMatchObject([
      429,
      { type: 'error', error: { type: 'rate_limit_error' } },
    ]);
    expect(messages.headers).toMatchObject({
      'anthropic-ratelimit-requests-limit': '2',
      'anthropic-ratelimit-requests-remaining': '0',
    });
    expect(Date.parse(String(messages.headers['anthropic-ratelimit-requests-reset']))).toBeGreaterThan(
      Date.now(),
    );
    const ollamas = await send('/api/chat');
    expect([ollamas.status, typeof ollamas.json()['error']]).toEqual([429, 'string']);
    const listing = await ask(`${router.url}/v1/models`, as('k')).answer;
    expect([listing.status, listing.headers['x-ratelimit-limit-requests']]).toEqual([200, '2']);
    const free = await ask(`${router.url}/v1/models`, as('all')).answer;
    expect(free.headers['x-ratelimit-limit-requests']).toBeUndefined();
    await engine.close();
  });

  test('a place is given back by an answer, an error and a client that leaves, once', async () => {
    const engine = await startFakeEngine({ slots: 2 });
    await using router = await startRouter({
      apiKeys: ['all', { name: 'one', key: 'k', concurrency: 1 }],
      backends: { one: { url: engine.url } },
    });
    await router.ready();
    const running = async (): Promise<unknown> => (await keysOf(router))['one']?.['running'];
    const long = chat(router.url, { stream: true, max_tokens: 2000 }, as('k'));
    await long.head;
    const refused = await chat(router.url, body, as('k')).answer;
    expect([refused.status, codeOf(refused), refused.headers['retry-after']]).toEqual([
      429,
      'key_concurrency_limit',
      '1',
    ]);
    expect((await chat(router.url, body, as('all')).answer).status).toBe(200);
    long.leave();
    await until(async () => (await running()) === 0);
    expect((await chat(router.url, body, as('k')).answer).status).toBe(200);
    await engine.fault({ kind: 'status', status: 500, path: '/v1/chat/completions', times: 1 });
    expect((await chat(router.url, body, as('k')).answer).status).toBe(500);
    await engine.fault({ kind: 'drop', how: 'rst', afterEvents: 1, path: '/v1/chat/completions', times: 1 });
    expect((await chat(router.url, { ...body, stream: true }, as('k')).answer).complete).toBe(false);
    expect((await chat(router.url, { model: 'nobody' }, as('k')).answer).status).toBe(404);
    expect(await running()).toBe(0);
    await engine.close();
  });

  test('a client that leaves the queue gives its place back', async () => {
    const engine = await startFakeEngine({ slots: 1 });
    await using router = await startRouter({
      apiKeys: ['all', { name: 'two', key: 'k', concurrency: 2 }],
      backends: { one: { url: engine.url, slots: 1 } },
    });
    await router.ready();
    const first = chat(router.url, { stream: true, max_tokens: 2000 }, as('k'));
    await first.head;
    const waiting = chat(router.url, { stream: true }, as('k'));
    await until(async () => (await keysOf(router))['two']?.['running'] === 2);
    waiting.leave();
    await until(async () => (await keysOf(router))['two']?.['running'] === 1);
    first.leave();
    await until(async () => (await keysOf(router))['two']?.['running'] === 0);
    await engine.close();
  });

  test('a budget is charged what engines say, on every route, and used up it refuses until the day ends', async () => {
    const engine = await startFakeEngine();
    const vectors = await startFakeEngine({ models: [model('vectors')], embeddings: true });
    await using router = await startRouter({
      apiKeys: ['all', { name: 'thrifty', key: 'k', tokensPerDay: 90 }],
      backends: { one: { url: engine.url }, two: { url: vectors.url } },
    });
    await router.ready();
    const used = async (): Promise<number> =>
      ((await keysOf(router))['thrifty'] as { tokens_per_day: { used: number } }).tokens_per_day.used;
    const cost = usageOf(await chat(router.url, body, as('k')).answer);
    expect(await used()).toBe(cost);
    const streamed = await chat(router.url, { ...body, stream: true }, as('k')).answer;
    expect(streamed.status).toBe(200);
    const afterStream = await used();
    expect(afterStream).toBeGreaterThan(cost);
    await ask(`${router.url}/v1/embeddings`, { body: { model: 'vectors', input: 'some words' }, ...as('k') })
      .answer;
    expect(await used()).toBeGreaterThan(afterStream);
    let last = await chat(router.url, body, as('k')).answer;
    for (let count = 0; count < 20 && last.status === 200; count += 1)
      last = await chat(router.url, body, as('k')).answer;
    expect([last.status, codeOf(last)]).toEqual([429, 'token_budget_exceeded']);
    const now = Date.now();
    const midnight = Math.ceil(now / 86_400_000) * 86_400_000;
    expect(Math.abs(Number(last.headers['retry-after']) - (midnight - now) / 1000)).toBeLessThan(5);
    expect(await used()).toBeLessThan(90 + cost);
    const counted = await ask(`${router.url}/tokenize`, { body: { model: 'tiny', content: 'x' }, ...as('k') })
      .answer;
    expect(counted.status).toBe(200);
    await engine.close();
    await vectors.close();
  });

  test('requests at the same time do not overspend a budget', async () => {
    const engine = await startFakeEngine({ slots: 8 });
    await using router = await startRouter({
      apiKeys: ['all', { name: 'thrifty', key: 'k', tokensPerDay: 200 }],
      backends: { one: { url: engine.url } },
    });
    await router.ready();
    const answers = await Promise.all(
      Array.from({ length: 40 }, () => chat(router.url, { max_tokens: 40 }, as('k')).answer),
    );
    const passed = answers.filter(({ status }) => status === 200);
    const spent = passed.reduce((sum, answer) => sum + usageOf(answer), 0);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 429]));
    expect(spent).toBeLessThan(200 + Math.max(...passed.map(usageOf)));
    await engine.close();
  });

  test('the priority class of a key decides who is served first', async () => {
    const engine = await startFakeEngine({ slots: 1 });
    await using router = await startRouter({
      apiKeys: [
        'all',
        { name: 'late', key: 'k-late', priority: 5 },
        { name: 'first', key: 'k-first', priority: 0 },
      ],
      backends: { one: { url: engine.url, slots: 1 } },
    });
    await router.ready();
    const holder = chat(router.url, { stream: true, max_tokens: 2000 }, as('all'));
    await holder.head;
    const order: string[] = [];
    const send = async (key: string): Promise<void> => {
      await chat(router.url, body, as(key)).answer;
      order.push(key);
    };
    const late = send('k-late');
    await until(async () => (await keysOf(router))['late']?.['running'] === 1);
    const first = send('k-first');
    await until(async () => (await keysOf(router))['first']?.['running'] === 1);
    holder.leave();
    await Promise.all([late, first]);
    expect(order).toEqual(['k-first', 'k-late']);
    await engine.close();
  });
});
