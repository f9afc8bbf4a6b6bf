/** Answers that are given again. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { panelPrompts, say } from '../fake-engine/panel-engine.ts';
import {
  chat,
  contentOf,
  eventsOf,
  messages,
  startCached,
  textOf,
  told,
  wish,
  type Script,
} from './cached-router.ts';
import { ask } from './client.ts';
import { until } from './start-router.ts';

describe('the cache of answers', () => {
  test('gives the answer again to the same request, and asks no engine', async () => {
    const { engine, router } = await startCached();
    const first = await chat(router);
    expect([told(first), contentOf(first)]).toEqual(['miss', 'answer 1']);
    const second = await chat(router);
    expect([told(second), contentOf(second)]).toEqual(['hit', 'answer 1']);
    expect(second.body).toEqual(first.body);
    expect(second.headers['age']).toBe('0');
    expect(second.headers['x-llamero-backend']).toBeUndefined();
    expect(engine.asked).toHaveLength(1);
    expect(engine.asked[0]?.body).toEqual({ model: 'm', messages });
  });

  test('looks for nothing without the wish of the request', async () => {
    const { engine, router } = await startCached();
    await chat(router);
    for (const more of [{}, { nomyo: { cache: false } }, { nomyo: {} }]) {
      const answer = await chat(router, more);
      expect(told(answer)).toBeUndefined();
      expect(engine.asked.at(-1)?.body).toEqual({ model: 'm', messages });
    }
    expect(engine.asked).toHaveLength(4);
  });

  test('does nothing where it is not enabled', async () => {
    const { engine, router } = await startCached({ enabled: false });
    for (let time = 0; time < 2; time += 1) expect(told(await chat(router))).toBeUndefined();
    expect(engine.asked).toHaveLength(2);
  });

  test('takes the wish from a header, too, which no engine gets', async () => {
    const { engine, router } = await startCached({}, {}, (request, index) => ({
      write: (response) => {
        const { body } = say(request, `answer ${index + 1}`);
        response.writeHead(200, { 'content-type': 'application/json', 'x-llamero-cache': 'a lie' });
        response.end(JSON.stringify(body));
      },
    }));
    const header = { 'x-llamero-cache': 'use' };
    await chat(router, {}, header);
    const again = await chat(router, {}, header);
    expect(told(again)).toBe('hit');
    expect(contentOf(again)).toBe('answer 1');
    expect(told(await chat(router, wish, { 'x-llamero-cache': 'off' }))).toBeUndefined();
    expect(engine.asked).toHaveLength(2);
  });

  test('keeps a fresh answer, keeps none, or asks no engine at all, as a request wants', async () => {
    const { engine, router } = await startCached();
    const required = { 'x-llamero-cache': 'only-if-cached' };
    const missing = await chat(router, {}, required);
    expect(missing.status).toBe(504);
    expect(missing.json()).toMatchObject({ error: { code: 'cache_miss' } });
    expect(told(missing)).toBe('miss');
    await chat(router, {}, { 'x-llamero-cache': 'no-store' });
    expect((await chat(router, {}, required)).status).toBe(504);
    await chat(router);
    const fresh = await chat(router, { nomyo: { cache: 'refresh' } });
    expect([told(fresh), contentOf(fresh)]).toEqual(['bypass', 'answer 3']);
    const kept = await chat(router, {}, required);
    expect([told(kept), contentOf(kept)]).toEqual(['hit', 'answer 3']);
    expect(engine.asked).toHaveLength(3);
  });

  test('refuses a wish that it does not know', async () => {
    const { router } = await startCached();
    const answer = await chat(router, {}, { 'x-llamero-cache': 'please' });
    expect(answer.status).toBe(400);
    expect(answer.json()).toMatchObject({ error: { param: 'x-llamero-cache' } });
    expect((await chat(router, { nomyo: { cache: 7 } })).status).toBe(400);
  });

  test.each([
    ['system prompt', { messages: [{ role: 'system', content: 'Be long.' }, messages[1]] }],
    [
      'history, though the last turn is the same',
      {
        messages: [
          messages[0],
          { role: 'user', content: 'Hm?' },
          { role: 'assistant', content: '?' },
          messages[1],
        ],
      },
    ],
    ['temperature', { temperature: 0.5 }],
    ['tools', { tools: [{ type: 'function', function: { name: 'look' } }] }],
    ['output format', { response_format: { type: 'json_object' } }],
    ['limit', { max_tokens: 9 }],
  ])('does not give an answer to a request with another %s', async (_what, more) => {
    const { router } = await startCached();
    await chat(router);
    const other = await chat(router, { ...wish, ...more });
    expect([told(other), contentOf(other)]).toEqual(['miss', 'answer 2']);
  });

  test('does not give an answer by another route', async () => {
    const { router } = await startCached({}, {}, (request, index) =>
      request.path === '/v1/completions'
        ? {
            body: {
              id: 'c',
              object: 'text_completion',
              model: 'm',
              choices: [{ index: 0, text: 'text', finish_reason: 'stop' }],
            },
          }
        : say(request, `answer ${index + 1}`),
    );
    await chat(router);
    const body = { model: 'm', prompt: 'Why is the sky blue?', ...wish };
    const text = async () => ask(`${router.url}/v1/completions`, { body }).answer;
    expect(told(await text())).toBe('miss');
    const again = await text();
    expect(told(again)).toBe('hit');
    expect(again.json()).toMatchObject({ object: 'text_completion', choices: [{ text: 'text' }] });
  });

  test('keeps answers of one key from others, unless they are shared by all', async () => {
    const apiKeys = ['key-of-ada', { name: 'bob', key: 'key-of-bob' }];
    const as = (key: string) => ({ authorization: `Bearer ${key}` });
    for (const [share, expected] of [
      ['key', 'miss'],
      ['all', 'hit'],
    ] as const) {
      const { router } = await startCached({ share }, { apiKeys });
      await chat(router, wish, as('key-of-ada'));
      expect(told(await chat(router, wish, as('key-of-bob'))), share).toBe(expected);
      expect(told(await chat(router, wish, as('key-of-ada')))).toBe('hit');
    }
  });

  test('keeps answers of the models in its list alone', async () => {
    const { router } = await startCached({ models: ['other'] });
    for (let time = 0; time < 2; time += 1) expect(told(await chat(router))).toBe('bypass');
  });

  test('forgets what is too old', async () => {
    const { router } = await startCached({ ttl: '50ms' });
    const answers: string[] = [];
    await until(async () => {
      answers.push(String(contentOf(await chat(router))));
      return answers.at(-1) === 'answer 2';
    });
    expect(answers[0]).toBe('answer 1');
  });

  test('keeps its answers over a restart, where they are in a file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'llamero-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const store = { path: join(folder, 'store.db') };
    const first = await startCached({ store: 'sqlite', share: 'all' }, { store });
    await chat(first.router);
    await first.router[Symbol.asyncDispose]();
    const second = await startCached({ store: 'sqlite', share: 'all' }, { store });
    expect(told(await chat(second.router))).toBe('hit');
    expect(second.engine.asked).toHaveLength(0);
  });

  test('begins and ends with a reload', async () => {
    const { engine, router } = await startCached({ enabled: false });
    const config = (enabled: boolean) => ({
      backends: { one: { url: engine.url, engine: 'openai' } },
      cache: { enabled },
    });
    await router.reload(config(true));
    await chat(router);
    expect(told(await chat(router))).toBe('hit');
    await router.reload(config(false));
    expect(told(await chat(router))).toBeUndefined();
  });
});

describe('a hit', () => {
  test('takes no slot and no tokens, and passes while the only slot is taken', async () => {
    const waiting: (() => void)[] = [];
    const { router } = await startCached(
      {},
      {},
      (request, index) => {
        const { body } = say(request, `answer ${index + 1}`);
        if (index === 0) return { body: body ?? {} };
        return { write: (response) => void waiting.push(() => response.end(JSON.stringify(body))) };
      },
      1,
    );
    await chat(router);
    const busy = chat(router, { temperature: 1 });
    await until(() => waiting.length === 1);
    expect(told(await chat(router))).toBe('hit');
    waiting[0]?.();
    await busy;
    const rows = (await ask(`${router.url}/api/usage/export?format=json`).answer).json() as unknown as {
      input_tokens: number;
      output_tokens: number;
    }[];
    const used = rows.map(({ input_tokens: input, output_tokens: output }) => [input, output]);
    expect(new Set(used)).toEqual(
      new Set([
        [0, 0],
        [20, 6],
      ]),
    );
    const line = router.logLines.find(({ cache }) => cache === 'exact');
    expect(line).toMatchObject({ status: 200, outcome: 'completed' });
    expect(line?.['tokensIn']).toBeUndefined();
    const { recent } = (await ask(`${router.url}/api/requests`).answer).json() as {
      recent: { cache: string | null; input_tokens: number | null; backend_id: string | null }[];
    };
    expect(recent.find(({ cache }) => cache === 'exact')).toMatchObject({
      input_tokens: null,
      backend_id: null,
    });
  });

  test('counts the tokens that it saves, and nobody uses them', async () => {
    const { engine, router } = await startCached({}, {}, (request, index) =>
      request.path === '/v1/embeddings'
        ? {
            body: {
              object: 'list',
              data: [{ object: 'embedding', index: 0, embedding: [1] }],
              usage: { prompt_tokens: 4, total_tokens: 4 },
            },
          }
        : say(request, `answer ${index + 1}`),
    );
    const embed = async () =>
      told(await ask(`${router.url}/v1/embeddings`, { body: { model: 'm', input: 'Sky', ...wish } }).answer);
    for (let time = 0; time < 3; time += 1) await chat(router, { ...wish, stream: time === 1 });
    expect([await embed(), await embed(), engine.asked.length]).toEqual(['miss', 'hit', 2]);
    const cache = (await ask(`${router.url}/api/cache`).answer).json();
    expect(cache).toMatchObject({ hits: 3, saved_input_tokens: 24, saved_output_tokens: 6 });
    const metrics = (await ask(`${router.url}/metrics`).answer).body.toString();
    expect(metrics).toContain('llamero_cache_saved_tokens_total{kind="input"} 24');
    expect(metrics).toContain('llamero_cache_saved_tokens_total{kind="output"} 6');
    const feed = (await ask(`${router.url}/monitor/data`).answer).json();
    expect([feed['tokens'], feed['cache']]).toMatchObject([
      { today: { input_tokens: 14, output_tokens: 3 } },
      { saved_input_tokens: 24, saved_output_tokens: 6 },
    ]);
  });

  test('counts as a request of its key, and passes when the budget of tokens is used up', async () => {
    const limits = { tokensPerDay: 5, requestsPerMinute: 3 };
    const { router } = await startCached(
      {},
      { apiKeys: ['key-of-eve', { name: 'ada', key: 'key-of-ada', ...limits }] },
    );
    const as = { authorization: 'Bearer key-of-ada' };
    const statuses: number[] = [];
    statuses.push((await chat(router, wish, as)).status);
    statuses.push((await chat(router, {}, as)).status);
    for (let time = 0; time < 3; time += 1) statuses.push((await chat(router, wish, as)).status);
    expect(statuses).toEqual([200, 429, 200, 200, 429]);
  });

  test('is a proper stream of several events from an answer that came whole', async () => {
    const words = 'The sky is blue because of Rayleigh scattering. '.repeat(5).trim();
    const { engine, router } = await startCached({}, {}, (request) => say(request, words));
    await chat(router);
    const answer = await chat(router, { ...wish, stream: true, stream_options: { include_usage: true } });
    expect(told(answer)).toBe('hit');
    expect(answer.headers['content-type']).toBe('text/event-stream');
    expect(textOf(answer)).toBe(words);
    const events = eventsOf(answer);
    expect(events.length).toBeGreaterThan(4);
    expect(events.at(-1)?.['usage']).toMatchObject({ prompt_tokens: 10, completion_tokens: 3 });
    expect(
      events.some(({ choices }) => (choices as { finish_reason?: string }[])[0]?.finish_reason === 'stop'),
    ).toBe(true);
    expect(answer.body.toString().endsWith('data: [DONE]\n\n')).toBe(true);
    expect(engine.asked).toHaveLength(1);
  });

  test('is a whole answer from a stream, its usage in it although the stream did not tell', async () => {
    const { router } = await startCached();
    const streamed = await chat(router, { ...wish, stream: true });
    expect(textOf(streamed)).toBe('answer 1');
    expect(streamed.body.toString()).not.toContain('"usage":{');
    const whole = await chat(router);
    expect([told(whole), contentOf(whole)]).toEqual(['hit', 'answer 1']);
    expect(whole.json()).toMatchObject({
      object: 'chat.completion',
      choices: [{ finish_reason: 'stop' }],
      usage: { prompt_tokens: 10, completion_tokens: 3 },
    });
  });

  test('has the tool calls and thoughts of the answer, whole and streamed', async () => {
    const call = { id: 'c1', type: 'function', function: { name: 'look', arguments: '{"at":"sky"}' } };
    const message = {
      role: 'assistant',
      content: null,
      reasoning_content: 'Let me look.',
      tool_calls: [call],
    };
    const { router } = await startCached({}, {}, () => ({
      body: {
        id: 'x',
        object: 'chat.completion',
        created: 1,
        model: 'm',
        choices: [{ index: 0, message, finish_reason: 'tool_calls' }],
      },
    }));
    await chat(router);
    const streamed = await chat(router, { ...wish, stream: true });
    const deltas = eventsOf(streamed).map(
      ({ choices }) => (choices as { delta: Record<string, unknown> }[])[0]?.delta ?? {},
    );
    expect(deltas.map((delta) => (delta['reasoning_content'] as string | undefined) ?? '').join('')).toBe(
      'Let me look.',
    );
    expect(JSON.stringify(deltas)).toContain('"name":"look"');
    expect((await chat(router)).json()).toMatchObject({
      choices: [{ message, finish_reason: 'tool_calls' }],
    });
  });
});

describe('an answer is not kept', () => {
  const wholly = (finish_reason: string) => ({
    body: {
      id: 'x',
      object: 'chat.completion',
      created: 1,
      model: 'm',
      choices: [{ index: 0, message: { role: 'assistant', content: 'cut' }, finish_reason }],
    },
  });
  test.each<[string, Script, object]>([
    ['when it is an error', () => ({ status: 400, body: { error: { message: 'no' } } }), {}],
    ['when the context cut it', () => wholly('length'), {}],
    ['when the service withheld some of it', () => wholly('content_filter'), {}],
    ['when several were wanted', (request) => say(request, 'one'), { n: 2 }],
    ['when it is too large', (request) => say(request, 'x'.repeat(3000)), {}],
    ['when it is no JSON', () => ({ body: 'oops' }), {}],
  ])('%s', async (_when, script, more) => {
    const { engine, router } = await startCached({ entrySizeMax: 2000 }, {}, script);
    for (let time = 0; time < 2; time += 1)
      expect(told(await chat(router, { ...wish, ...more }))).not.toBe('hit');
    expect(engine.asked).toHaveLength(2);
  });

  test('when a stream broke off', async () => {
    const { router } = await startCached({}, {}, (request, index) =>
      index > 0
        ? say(request, 'whole')
        : {
            write: (response) => {
              response.writeHead(200, { 'content-type': 'text/event-stream' });
              response.write(`data: {"id":"x","choices":[{"index":0,"delta":{"content":"half"}}]}\n\n`);
              setImmediate(() => response.destroy());
            },
          },
    );
    expect((await chat(router, { ...wish, stream: true })).complete).toBe(false);
    const again = await chat(router, { ...wish, stream: true });
    expect([told(again), textOf(again)]).toEqual(['miss', 'whole']);
  });

  test('when an ensemble gave it', async () => {
    const { engine, router } = await startCached(
      {},
      { ensembles: { panel: { models: 'm', prompts: panelPrompts } } },
    );
    for (let time = 0; time < 2; time += 1)
      expect(told(await chat(router, { ...wish, model: 'panel' }))).toBe('bypass');
    expect(engine.asked).toHaveLength(14);
  });

  test('unless the request itself set the limit that cut it', async () => {
    const { router } = await startCached({}, {}, () => wholly('length'));
    await chat(router, { ...wish, max_tokens: 1 });
    const again = await chat(router, { ...wish, max_tokens: 1 });
    expect(told(again)).toBe('hit');
    expect(again.json()).toMatchObject({ choices: [{ finish_reason: 'length' }] });
  });
});

describe('a request for an answer that is on its way to somebody else', () => {
  test('waits for it where it may', async () => {
    const waiting: (() => void)[] = [];
    const { engine, router } = await startCached({ wait: '10s' }, {}, (request) => ({
      write: (response) => void waiting.push(() => response.end(JSON.stringify(say(request, 'late').body))),
    }));
    const first = chat(router);
    await until(() => waiting.length === 1);
    const others = [chat(router), chat(router, { ...wish, stream: true })];
    waiting[0]?.();
    const answers = await Promise.all([first, ...others]);
    expect(answers.map(told)).toEqual(['miss', 'hit', 'hit']);
    expect(engine.asked).toHaveLength(1);
  });

  test('asks an engine itself when the other fails, or takes too long', async () => {
    const { engine, router } = await startCached({ wait: '50ms' }, {}, (request, index) =>
      index === 0 ? { write: () => {} } : say(request, 'own'),
    );
    const first = ask(`${router.url}/v1/chat/completions`, { body: { model: 'm', messages, ...wish } });
    first.answer.catch(() => {});
    first.head.catch(() => {});
    await until(() => engine.asked.length === 1);
    expect(contentOf(await chat(router))).toBe('own');
    first.leave();
  });
});
