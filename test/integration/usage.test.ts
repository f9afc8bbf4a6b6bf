/** Accounts of tokens over real sockets: every API, streams that are left, errors, and what a killed router has kept. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  tokenCountsSchema,
  usageKeysSchema,
  usageRowSchema,
  usageSchema,
  type UsageRowBody,
} from '../../src/admin/contract-usage.ts';
import { startFakeOllama } from '../fake-engine/fake-ollama.ts';
import { startScriptedEngine } from '../fake-engine/scripted-engine.ts';
import { startFakeEngine } from '../fake-engine/start.ts';
import { ask, chat } from './client.ts';
import { configText, startProgram } from './start-program.ts';
import { startRouter, until } from './start-router.ts';

async function rowsOf(url: string): Promise<UsageRowBody[]> {
  const answer = await ask(`${url}/api/usage/export?format=json`).answer;
  return usageRowSchema.array().parse(answer.json());
}

/** The only row, once it has so many requests; a request is counted a moment after its last byte. */
async function onlyRow(url: string, requests = 1): Promise<UsageRowBody> {
  let rows: UsageRowBody[] = [];
  await until(async () => {
    rows = await rowsOf(url);
    return rows.reduce((sum, row) => sum + row.requests, 0) >= requests;
  });
  expect(rows).toHaveLength(1);
  const [row] = rows;
  if (row === undefined) throw new Error('nothing');
  return row;
}

async function over(engine: { readonly url: string }, config: object = {}) {
  const router = await startRouter({ backends: { one: { url: engine.url } }, ...config });
  onTestFinished(() => router[Symbol.asyncDispose]());
  await router.ready(['one']);
  return router;
}

async function fakeEngine(options?: Parameters<typeof startFakeEngine>[0]) {
  const engine = await startFakeEngine(options);
  onTestFinished(() => engine.close());
  return engine;
}

const words = { messages: [{ role: 'user', content: 'tell me of the river' }] };

describe('a request is counted once, as its engine tells', () => {
  test.each([
    ['openai', '/v1/chat/completions', { ...words, max_tokens: 6 }],
    ['openai', '/v1/chat/completions', { ...words, max_tokens: 6, stream: true }],
    ['openai', '/v1/completions', { prompt: 'of the river', max_tokens: 6, stream: true }],
    ['openai-responses', '/v1/responses', { input: 'of the river', max_output_tokens: 6, stream: true }],
    ['anthropic', '/v1/messages', { ...words, max_tokens: 6 }],
    ['anthropic', '/v1/messages', { ...words, max_tokens: 6, stream: true }],
    ['ollama', '/api/chat', { ...words, options: { num_predict: 6 } }],
    ['ollama', '/api/generate', { prompt: 'of the river', options: { num_predict: 6 }, stream: false }],
    ['llamacpp', '/completion', { prompt: 'of the river', n_predict: 6, stream: true }],
  ] as const)('by %s at %s with %j', async (dialect, path, body) => {
    const router = await over(await fakeEngine());
    const answer = await ask(router.url + path, { body: { model: 'tiny', ...body } }).answer;
    expect([answer.status, answer.complete]).toEqual([200, true]);
    const row = await onlyRow(router.url);
    expect(row).toMatchObject({
      key: '127.0.0.1',
      backend: 'one',
      model: 'tiny',
      dialect,
      output_tokens: 6,
      requests: 1,
      errors: 0,
      estimated_requests: 0,
    });
    expect(row.input_tokens).toBeGreaterThan(1);
  });

  test.each([
    ['/v1/embeddings', { embeddings: true }, { input: ['of the river', 'of the sea'] }],
    ['/v1/rerank', { rerank: true }, { query: 'water', documents: ['of the river', 'of the sea'] }],
  ])('embeddings and rerank, too: %s', async (path, kind, body) => {
    const router = await over(await fakeEngine(kind));
    const answer = await ask(router.url + path, { body: { model: 'tiny', ...body } }).answer;
    const told = (answer.json()['usage'] as { prompt_tokens: number }).prompt_tokens;
    expect(told).toBeGreaterThan(3);
    expect(await onlyRow(router.url)).toMatchObject({
      input_tokens: told,
      output_tokens: 0,
      estimated_requests: 0,
    });
  });

  test('Ollama tells of embeddings, but on its older route, which is flagged', async () => {
    await using ollama = await startFakeOllama({ models: ['vectors'] });
    const router = await over(ollama);
    await ask(`${router.url}/api/embeddings`, {
      body: { model: 'vectors', prompt: 'of the river and the sea' },
    }).answer;
    expect(await onlyRow(router.url)).toMatchObject({
      dialect: 'ollama',
      output_tokens: 0,
      estimated_requests: 1,
    });
    expect((await onlyRow(router.url)).input_tokens).toBeGreaterThan(5);
  });

  test('cached tokens and those of reasoning are told apart, and cumulative usage in every chunk counts once', async () => {
    const usage = (output: number) =>
      `"usage":{"prompt_tokens":50,"completion_tokens":${output},"prompt_tokens_details":{"cached_tokens":40},"completion_tokens_details":{"reasoning_tokens":${output - 1}}}`;
    const chunk = (output: number) =>
      `data: {"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"a"}}],${usage(output)}}\n\n`;
    const end = `data: {"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],${usage(9)}}\n\ndata: [DONE]\n\n`;
    await using engine = await startScriptedEngine({
      answer: () => ({ type: 'text/event-stream', body: [2, 5, 7].map(chunk).join('') + end }),
    });
    const router = await over(engine);
    await chat(router.url, { model: 'm', stream: true, stream_options: { include_usage: true } }).answer;
    expect(await onlyRow(router.url)).toMatchObject({
      input_tokens: 50,
      output_tokens: 9,
      cached_tokens: 40,
      reasoning_tokens: 8,
      total_tokens: 59,
    });
  });
});

describe('a request that did not end well', () => {
  test('has what it used: a stream that its client left', async () => {
    const router = await over(await fakeEngine());
    let chunks = 0;
    const asking = chat(
      router.url,
      { stream: true, max_tokens: 4000 },
      {
        onChunk: () => {
          chunks += 1;
          if (chunks === 5) asking.leave();
        },
      },
    );
    await asking.answer;
    const row = await onlyRow(router.url);
    expect(row).toMatchObject({ requests: 1, errors: 0, estimated_requests: 1 });
    expect(row.output_tokens).toBeGreaterThan(2);
    expect(row.output_tokens).toBeLessThan(2000);
    expect(row.input_tokens).toBeGreaterThan(5);
  });

  test('has what it used: a stream that broke off', async () => {
    const engine = await fakeEngine();
    const router = await over(engine);
    await engine.fault({ kind: 'drop', how: 'rst', afterEvents: 6, times: 1 });
    await chat(router.url, { stream: true, max_tokens: 40 }).answer;
    const row = await onlyRow(router.url);
    expect(row).toMatchObject({ requests: 1, errors: 1, estimated_requests: 1 });
    expect(row.output_tokens).toBeGreaterThan(2);
  });

  test('counts as an error, without tokens, when it was refused', async () => {
    const engine = await fakeEngine();
    const router = await over(engine);
    await engine.fault({ kind: 'status', status: 400, body: '{"error":{"message":"no"}}', times: 1 });
    await chat(router.url).answer;
    expect(await onlyRow(router.url)).toMatchObject({ errors: 1, total_tokens: 0, estimated_requests: 0 });
  });
});

test('keys are told apart by their names, and the routes want one', async () => {
  const apiKeys = ['first-key', { name: 'notebook', key: 'second-key' }];
  const router = await over(await fakeEngine(), { apiKeys });
  const headers = { authorization: 'Bearer first-key' };
  await chat(router.url, {}, { headers: { 'x-api-key': 'second-key' } }).answer;
  await chat(router.url, {}, { headers: { 'x-api-key': 'wrong' } }).answer;
  await until(async () => {
    const { body } = await ask(`${router.url}/api/usage/keys`, { headers }).answer;
    return body.includes('notebook');
  });
  const { keys } = usageKeysSchema.parse(
    (await ask(`${router.url}/api/usage/keys`, { headers }).answer).json(),
  );
  expect(keys.map(({ key, requests }) => [key, requests])).toEqual([['notebook', 1]]);
  for (const path of [
    'usage',
    'usage-stream',
    'token_counts',
    'stats?model=tiny',
    'usage/series',
    'usage/export',
  ]) {
    expect((await ask(`${router.url}/api/${path}`).answer).status).toBe(401);
  }
});

test('the live feed tells of a request while it runs, of its tokens after, and ends with the router', async () => {
  const router = await over(await fakeEngine());
  let text = '';
  const feed = ask(`${router.url}/api/usage-stream`, { onChunk: (chunk) => (text += chunk.toString()) });
  const states = () =>
    text
      .split('\n\n')
      .filter((frame) => frame.startsWith('data: '))
      .map((frame) => usageSchema.parse(JSON.parse(frame.slice('data: '.length))));
  await until(() => states().length === 1);
  expect(states()[0]).toEqual({ usage_counts: {}, token_usage_counts: {} });
  const asking = chat(router.url, { stream: true, max_tokens: 4000 });
  await until(() => states().at(-1)?.usage_counts['one']?.['tiny'] === 1);
  asking.leave();
  await until(() => {
    const last = states().at(-1);
    return last !== undefined && last.usage_counts['one'] === undefined && 'one' in last.token_usage_counts;
  });
  await router[Symbol.asyncDispose]();
  expect((await feed.answer).complete).toBe(true);
});

test('a killed router has lost no count that is older than a second', async () => {
  const engine = await fakeEngine();
  const folder = mkdtempSync(join(tmpdir(), 'llamero-usage-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  const text = configText({
    backends: { one: { url: engine.url } },
    store: { path: join(folder, 'activity.db') },
  });
  const start = () => startProgram(['serve', '--config', 'router.yaml'], { 'router.yaml': text });
  const countsOf = async (url: string) =>
    tokenCountsSchema.parse((await ask(`${url}/api/token_counts`).answer).json());
  await using program = await start();
  const url = await program.url();
  await until(async () => (await chat(url).answer).status === 200);
  await Promise.all(Array.from({ length: 19 }, () => chat(url).answer));
  await until(async () => (await countsOf(url)).requests - (await countsOf(url)).errors >= 20);
  const before = await countsOf(url);
  const knownAtMs = performance.now();
  await until(() => performance.now() - knownAtMs >= 1000);
  // What comes in the last second may be lost, and nothing else.
  await chat(url).answer;
  program.signal('SIGKILL');
  expect(await program.ended()).toBe('SIGKILL');
  await using again = await start();
  const after = await countsOf(await again.url());
  expect(after.requests).toBeGreaterThanOrEqual(before.requests);
  expect(after.requests).toBeLessThanOrEqual(before.requests + 1);
  expect(after.total_tokens).toBeGreaterThanOrEqual(before.total_tokens);
}, 30_000);
