/** How much a key may do, over sockets: rates, concurrency, budgets, and keys of a file. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { digestKey } from '../../src/keys/key-digest.ts';
import { addStoredKey, revokeStoredKey } from '../../src/keys/stored-keys.ts';
import { startScriptedEngine } from '../fake-engine/scripted-engine.ts';
import { startFakeEngine } from '../fake-engine/start.ts';
import { ask, chat, type Answer } from './client.ts';
import { as, codeOf, keysOf, modelOf } from './keyed-client.ts';
import { startRouter, until } from './start-router.ts';

const usageOf = (answer: Answer): number => (answer.json()['usage'] as { total_tokens: number }).total_tokens;

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
    const vectors = await startFakeEngine({ models: [modelOf('vectors')], embeddings: true });
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
