/** The official Ollama client against the router with real llama-servers behind it, which know nothing of its API. */
import { Ollama } from 'ollama';
import type { Message } from 'ollama';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startRouter, type TestRouter } from '../integration/start-router.ts';
import { modelFile } from './gguf.ts';
import { realLlamaServer, startLlamaServer, type LlamaServer } from './llama-server.ts';

const { path, missing } = realLlamaServer();

let chatServer: LlamaServer;
let thinkServer: LlamaServer;
let embedServer: LlamaServer;
let router: TestRouter;
let client: Ollama;

beforeAll(async () => {
  if (path === undefined) return;
  [chatServer, thinkServer, embedServer] = await Promise.all([
    startLlamaServer({
      model: modelFile(),
      slots: 2,
      contextTokens: 8192,
      args: ['--alias', 'talk', '--jinja'],
    }),
    startLlamaServer({
      model: modelFile({ template: 'think' }),
      slots: 1,
      args: ['--alias', 'think', '--jinja'],
    }),
    startLlamaServer({
      model: modelFile({ kind: 'embed' }),
      contextTokens: 512,
      args: ['--alias', 'vectors-embed', '--embedding'],
    }),
  ]);
  router = await startRouter({
    backends: {
      chat: { url: chatServer.url },
      think: { url: thinkServer.url },
      embed: { url: embedServer.url },
    },
  });
  await router.ready();
  client = new Ollama({ host: router.url });
}, 120_000);

afterAll(async () => {
  await router?.[Symbol.asyncDispose]();
  await Promise.all([chatServer?.stop(), thinkServer?.stop(), embedServer?.stop()]);
});

const messages = [{ role: 'user', content: 'tell me of the river' }];
const options = { seed: 1, num_predict: 12, temperature: 0.5 };
const tools = [
  {
    type: 'function',
    function: {
      name: 'get_weather',
      description: 'The weather in a city',
      parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
    },
  },
];

describe('the official Ollama client', () => {
  beforeEach((context) => context.skip(path === undefined, missing));

  test('lists models with what their servers tell', async () => {
    const { models } = await client.list();
    expect(models.map(({ name }) => name)).toEqual(['talk:latest', 'think:latest', 'vectors-embed:latest']);
    expect(models[0]).toMatchObject({
      size: expect.any(Number) as number,
      details: { format: 'gguf', parameter_size: '201.02K', quantization_level: 'F16' },
    });
    expect((await client.ps()).models).toHaveLength(3);
  });

  test('is shown template, context and capabilities', async () => {
    const shown = await client.show({ model: 'talk:latest' });
    expect(shown.template).toContain('<|im_start|>');
    expect(shown.capabilities).toEqual(['completion', 'tools']);
    expect(shown.model_info).toMatchObject({
      'general.parameter_count': 201_024,
      'unknown.context_length': 8192,
    });
    expect(shown.parameters).toContain('temperature                    0.8');
    expect((await client.show({ model: 'think' })).capabilities).toContain('thinking');
    expect((await client.show({ model: 'vectors-embed' })).capabilities).toEqual(['embedding']);
  });

  test('chats, as a stream and not, with the same words', async () => {
    const whole = await client.chat({ model: 'talk', messages, options });
    const parts = [];
    for await (const part of await client.chat({ model: 'talk', messages, options, stream: true }))
      parts.push(part);
    const text = parts.map(({ message }) => message.content).join('');
    expect(whole).toMatchObject({ model: 'talk', done: true, message: { role: 'assistant', content: text } });
    for (const last of [whole, parts.at(-1)]) {
      expect(last).toMatchObject({ done: true, done_reason: 'length', eval_count: 12 });
      for (const duration of [last?.total_duration, last?.prompt_eval_duration, last?.eval_duration]) {
        expect(Number.isInteger(duration)).toBe(true);
        expect(duration).toBeGreaterThan(0);
      }
      expect(last?.prompt_eval_count).toBeGreaterThan(5);
    }
    expect(parts.slice(0, -1).every(({ done }) => !done)).toBe(true);
  });

  test('gets thoughts apart from the answer, or none', async () => {
    const asked = { model: 'think', messages, options: { ...options, num_predict: 400 } };
    expect((await client.chat({ ...asked, think: true })).message.thinking).toEqual(expect.any(String));
    expect((await client.chat({ ...asked, think: false })).message.thinking).toBeUndefined();
  });

  test('goes through a loop of tools in two turns', async () => {
    const conversation: Message[] = [{ role: 'user', content: 'What is the weather in Lima?' }];
    const call = { function: { name: 'get_weather', arguments: { city: 'Lima' } } };
    const result = { role: 'tool', tool_name: 'get_weather', content: 'Sunny' };
    // The tiny model calls tools when it likes to: the second turn has a call that was made before.
    const first = await client.chat({ model: 'talk', messages: conversation, tools, options });
    const said =
      first.message.tool_calls === undefined ? { ...first.message, tool_calls: [call] } : first.message;
    const second = await client.chat({
      model: 'talk',
      messages: [...conversation, said, result],
      tools,
      options,
    });
    expect(second).toMatchObject({ done: true, message: { role: 'assistant' } });
    expect(second.prompt_eval_count).toBeGreaterThan(first.prompt_eval_count);
  });

  test('gets JSON that follows its schema', async () => {
    const format = { type: 'object', properties: { city: { enum: ['Lima', 'Rome'] } }, required: ['city'] };
    const { message } = await client.chat({ model: 'talk', messages, format, options: { seed: 1 } });
    expect(['Lima', 'Rome']).toContain((JSON.parse(message.content) as { city: string }).city);
  });

  test('gets log probabilities', async () => {
    const { logprobs } = await client.chat({
      model: 'talk',
      messages,
      options,
      logprobs: true,
      top_logprobs: 2,
    });
    expect(logprobs).toHaveLength(12);
    expect(logprobs?.[0]?.top_logprobs).toHaveLength(2);
  });

  test('completes a text, with a system prompt and raw', async () => {
    const asked = { model: 'talk', prompt: 'the river', options };
    const plain = await client.generate(asked);
    const briefed = await client.generate({
      ...asked,
      system: 'Answer with one word and no more than that.',
    });
    expect(plain).toMatchObject({
      response: expect.any(String) as string,
      done_reason: 'length',
      eval_count: 12,
    });
    expect(briefed.prompt_eval_count).toBeGreaterThan(plain.prompt_eval_count);
    expect((await client.generate({ ...asked, model: 'talk:latest' })).model).toBe('talk:latest');
    const raw = await client.generate({ ...asked, raw: true });
    expect(raw.prompt_eval_count).toBeLessThan(plain.prompt_eval_count);
  });

  test('gets a vector for each text', async () => {
    const { embeddings, prompt_eval_count: count } = await client.embed({
      model: 'vectors-embed',
      input: ['the river', 'the sea runs'],
    });
    expect(embeddings.map(({ length }) => length)).toEqual([64, 64]);
    expect(count).toBeGreaterThan(3);
    const { embedding } = await client.embeddings({ model: 'vectors-embed', prompt: 'the river' });
    expect(embedding).toHaveLength(64);
  });

  test('is told what is wrong in its own way', async () => {
    await expect(client.chat({ model: 'nope', messages })).rejects.toMatchObject({
      name: 'ResponseError',
      status_code: 404,
    });
    const long = [{ role: 'user', content: 'the river runs '.repeat(3000) }];
    await expect(client.chat({ model: 'talk', messages: long })).rejects.toMatchObject({ status_code: 400 });
    await expect(client.chat({ model: 'talk', messages, think: 'hard' as 'high' })).rejects.toMatchObject({
      status_code: 400,
      message: expect.stringContaining('think') as string,
    });
  });
});
