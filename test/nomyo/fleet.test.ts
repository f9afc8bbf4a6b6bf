/** Three Ollamas, a llama-server and a service, as a user of nomyo-router has them, asked by the clients of both APIs. */
import { Ollama } from 'ollama';
import OpenAI from 'openai';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startFakeOllama, type FakeOllama } from '../fake-engine/fake-ollama.ts';
import {
  startScriptedEngine,
  type ScriptedAnswer,
  type ScriptedEngine,
  type ScriptedRequest,
} from '../fake-engine/scripted-engine.ts';
import { startFakeEngine, type FakeEngine } from '../fake-engine/start.ts';
import { ask } from '../integration/client.ts';
import { until, type TestRouter } from '../integration/start-router.ts';
import { nameOf, secret, startNomyo } from './nomyo-router.ts';

let ollamas: readonly FakeOllama[];
let llama: FakeEngine;
let service: ScriptedEngine;
let answerOfService: (request: ScriptedRequest) => ScriptedAnswer;
let router: TestRouter;
let ollama: Ollama;
let openai: OpenAI;

const said = {
  id: 'x',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-4o',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Fine.' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 },
};
const messages = [{ role: 'user' as const, content: 'How is it?' }];

beforeEach(async () => {
  ollamas = await Promise.all([
    startFakeOllama({ models: ['llama3', 'qwen3:8b'] }),
    startFakeOllama({ models: ['llama3'] }),
    startFakeOllama({ models: ['llama3'] }),
  ]);
  llama = await startFakeEngine({
    apiKey: secret,
    models: [{ id: 'org/tiny-GGUF:Q8_0', contextTokens: 4096, promptTokensPerS: 50_000, tokensPerS: 200 }],
  });
  answerOfService = () => ({ body: said });
  service = await startScriptedEngine({
    probes: { '/v1/models': { object: 'list', data: [{ id: 'gpt-4o', object: 'model' }] } },
    answer: (request) => answerOfService(request),
  });
  const external = `${service.url}/v1`;
  router = await startNomyo({
    // The service first: what its list says is never taken for that of an Ollama.
    endpoints: [external, ...ollamas.map(({ url }) => url)],
    llama_server_endpoints: [`${llama.url}/v1`],
    max_concurrent_connections: 2,
    api_keys: { [external]: 'any', [`${llama.url}/v1`]: 'any' },
  });
  ollama = new Ollama({ host: router.url });
  openai = new OpenAI({ baseURL: `${router.url}/v1`, apiKey: 'none', maxRetries: 0 });
});
afterEach(async () => {
  await router[Symbol.asyncDispose]();
  await Promise.all([...ollamas, llama, service].map((engine) => engine.close()));
});

const chatsOf = ({ asked }: FakeOllama) => asked.filter(({ path }) => path === '/api/chat');
const usageCounts = async () =>
  (await ask(`${router.url}/api/usage`).answer).json()['usage_counts'] as Record<string, unknown>;

describe('a model in memory at one Ollama', () => {
  test('is asked for there, always', async () => {
    const [, second] = ollamas;
    second?.loaded.add('llama3:latest');
    await until(async () => (await ollama.ps()).models.some(({ name }) => name === 'llama3:latest'));
    for (let round = 0; round < 6; round += 1) await ollama.chat({ model: 'llama3', messages });
    expect(ollamas.map((engine) => chatsOf(engine).length)).toEqual([0, 6, 0]);
  });
});

describe('a name', () => {
  test('without a tag is that with :latest at an Ollama', async () => {
    const { message } = await ollama.chat({ model: 'llama3', messages });
    expect(message.content).toBe('Hello');
    expect(ollamas.flatMap(chatsOf)).toHaveLength(1);
  });

  test('with :latest is the bare one at a service', async () => {
    const { message, done_reason: reason } = await ollama.chat({ model: 'gpt-4o:latest', messages });
    expect([message.content, reason]).toEqual(['Fine.', 'stop']);
    expect(service.asked.map(({ body }) => body['model'])).toEqual(['gpt-4o']);
  });

  test('with another tag is no other model, and is refused by its name in the words of the API', async () => {
    await expect(ollama.chat({ model: 'llama3:7b', messages })).rejects.toMatchObject({
      status_code: 404,
      message: expect.stringContaining('llama3:7b'),
    });
    await expect(openai.chat.completions.create({ model: 'llama3:7b', messages })).rejects.toMatchObject({
      status: 404,
      code: 'model_not_found',
      message: expect.stringContaining('llama3:7b'),
    });
  });

  test('is found at its own backend, whatever the order of the endpoints', async () => {
    const listed = await openai.models.list();
    expect(listed.data.map(({ id }) => id).toSorted()).toEqual(
      expect.arrayContaining(['gpt-4o', 'org/tiny-GGUF:Q8_0']),
    );
    await openai.chat.completions.create({ model: 'gpt-4o', messages });
    await openai.chat.completions.create({ model: 'org/tiny-GGUF:Q8_0', messages, max_tokens: 2 });
    expect(service.asked).toHaveLength(1);
    expect((await llama.report()).requests.filter(({ method }) => method === 'POST')).toHaveLength(1);
  });
});

describe('a llama-server behind a key', () => {
  test('tells what it has loaded', async () => {
    const { backends } = await router.status();
    const mine = backends.find(({ id }) => id === nameOf(llama.url));
    expect(mine?.loaded).toEqual(['org/tiny-GGUF:Q8_0']);
  });
});

describe('what is in flight', () => {
  test('is nothing again after an answer, an error and a client that left', async () => {
    await openai.chat.completions.create({ model: 'gpt-4o', messages });
    answerOfService = () => ({ status: 500, body: { error: { message: 'broken' } } });
    await expect(openai.chat.completions.create({ model: 'gpt-4o', messages })).rejects.toMatchObject({
      status: 500,
    });
    const leaving = ask(`${router.url}/v1/chat/completions`, {
      body: { model: 'org/tiny-GGUF:Q8_0', messages, stream: true, max_tokens: 2000 },
    });
    await leaving.head;
    expect(await usageCounts()).toEqual({ [nameOf(llama.url)]: { 'org/tiny-GGUF:Q8_0': 1 } });
    leaving.leave();
    await until(async () => Object.keys(await usageCounts()).length === 0);
  });

  test('is not touched by what a model is shown as', async () => {
    await ollama.show({ model: 'llama3' });
    expect(await usageCounts()).toEqual({});
  });
});

describe('reading', () => {
  test('changes nothing: no engine is told to do anything, and nothing is missing afterwards', async () => {
    const before = (await ollama.list()).models.map(({ name }) => name);
    for (const path of [
      '/health',
      '/api/ps',
      '/api/version',
      '/api/config',
      '/api/usage',
      '/api/token_counts',
    ]) {
      expect([path, (await ask(router.url + path).answer).status]).toEqual([path, 200]);
    }
    expect((await ollama.list()).models.map(({ name }) => name)).toEqual(before);
    expect([...ollamas.flatMap(({ asked }) => asked), ...service.asked].filter(isWork)).toEqual([]);
    expect((await llama.report()).requests.filter(({ method }) => method !== 'GET')).toEqual([]);
  });
});

function isWork({ path }: { readonly path: string }): boolean {
  return !['/', '/api/tags', '/api/ps', '/api/version', '/api/show', '/v1/models'].includes(path);
}

describe('a request to a service', () => {
  test('keeps what it says of tools and what only the service knows, and its answer keeps its reason', async () => {
    answerOfService = () => ({
      type: 'text/event-stream',
      body: [
        chunkOf({ role: 'assistant', content: 'Fi' }),
        chunkOf({ content: 'ne.' }),
        chunkOf({}, 'length'),
        'data: [DONE]\n\n',
      ].join(''),
    });
    const tool = { type: 'function' as const, function: { name: 'look', parameters: { type: 'object' } } };
    const request = {
      model: 'gpt-4o',
      messages,
      tools: [tool],
      tool_choice: 'auto' as const,
      n: 1,
      top_k: 3,
    };
    const stream = await openai.chat.completions.create({ ...request, stream: true });
    const reasons: unknown[] = [];
    for await (const { choices } of stream) reasons.push(...choices.map((choice) => choice.finish_reason));
    expect(reasons).toEqual([null, null, 'length']);
    expect(service.asked[0]?.body).toMatchObject(request);
  });

  test('is answered with its status and its words when it refuses', async () => {
    answerOfService = () => ({ status: 422, body: { error: { message: 'no such voice', type: 'odd' } } });
    await expect(openai.chat.completions.create({ model: 'gpt-4o', messages })).rejects.toMatchObject({
      status: 422,
      message: expect.stringContaining('no such voice'),
    });
    await expect(ollama.chat({ model: 'gpt-4o', messages })).rejects.toMatchObject({
      status_code: 422,
      message: expect.stringContaining('no such voice'),
    });
  });

  test('has the text beside an image, and the system prompt of a generate', async () => {
    const pixel =
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
    await ollama.chat({
      model: 'gpt-4o',
      messages: [{ role: 'user', content: 'What is it?', images: [pixel] }],
    });
    await ollama.generate({ model: 'gpt-4o', system: 'Be brief.', prompt: 'Hello', images: [pixel] });
    const image = { type: 'image_url', image_url: { url: `data:image/png;base64,${pixel}` } };
    expect(service.asked[0]?.body['messages']).toEqual([
      { role: 'user', content: expect.arrayContaining([{ type: 'text', text: 'What is it?' }, image]) },
    ]);
    expect(service.asked[1]?.body['messages']).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: expect.arrayContaining([{ type: 'text', text: 'Hello' }, image]) },
    ]);
  });

  test('gives every vector of a batch', async () => {
    answerOfService = ({ body }) => ({
      body: { data: (body['input'] as string[]).map((_text, index) => ({ index, embedding: [index, 0.5] })) },
    });
    const { embeddings } = await ollama.embed({ model: 'gpt-4o', input: ['a', 'b', 'c'] });
    expect(embeddings).toEqual([
      [0, 0.5],
      [1, 0.5],
      [2, 0.5],
    ]);
  });

  test('may be answered without a token', async () => {
    const usage = { prompt_tokens: 5, completion_tokens: 0, total_tokens: 5 };
    answerOfService = () => ({ body: { ...said, usage } });
    const last = await ollama.chat({ model: 'gpt-4o', messages });
    expect(last).toMatchObject({ done: true, prompt_eval_count: 5 });
    expect(Object.values(last)).not.toContain(null);
  });

  test('counts by the timings of a llama-server where no usage comes', async () => {
    const { usage: _usage, ...rest } = said;
    answerOfService = () => ({ body: { ...rest, timings: { prompt_n: 3, cache_n: 4, predicted_n: 2 } } });
    await openai.chat.completions.create({ model: 'gpt-4o', messages });
    const counts = async () => (await ask(`${router.url}/api/token_counts`).answer).json();
    await until(async () => (await counts())['total_tokens'] === 9);
    expect(await counts()).toMatchObject({ breakdown: [{ input_tokens: 7, output_tokens: 2 }] });
  });

  test('may name an image of another machine, which the router does not fetch', async () => {
    const [host] = ollamas;
    const url = `${host?.url ?? ''}/picture.png`;
    const content = [{ type: 'image_url' as const, image_url: { url } }];
    await openai.chat.completions.create({ model: 'gpt-4o', messages: [{ role: 'user', content }] });
    expect(service.asked[0]?.body['messages']).toEqual([{ role: 'user', content }]);
    expect(host?.asked.filter(({ path }) => path === '/picture.png')).toEqual([]);
  });
});

function chunkOf(delta: object, reason: string | null = null): string {
  const choices = [{ index: 0, delta, finish_reason: reason }];
  return `data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', created: 1, model: 'gpt-4o', choices })}\n\n`;
}

describe('a chat of an Ollama', () => {
  test('streams to its last line, with counts and the reason', async () => {
    const lines = [];
    for await (const line of await ollama.chat({ model: 'llama3', messages, stream: true })) lines.push(line);
    expect(lines.map(({ done }) => done)).toEqual([false, true]);
    expect(lines.at(-1)).toMatchObject({ done_reason: 'stop', prompt_eval_count: 5, eval_count: 2 });
  });

  test.each(['llama3', 'org/tiny-GGUF:Q8_0'])('is a stream unless it says otherwise: %s', async (model) => {
    const options = { num_predict: 3 };
    const answer = await ask(`${router.url}/api/chat`, { body: { model, messages, options } }).answer;
    expect(answer.headers['content-type']).toMatch(/^application\/x-ndjson/);
    const lines = answer.body.toString().trimEnd().split('\n');
    expect(lines.length).toBeGreaterThan(1);
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ done: true });
  });
});
