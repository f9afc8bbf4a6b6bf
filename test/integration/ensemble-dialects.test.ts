/** Ensembles through the official clients of every API, over an engine that speaks chat completions and over an Ollama. */
import Anthropic from '@anthropic-ai/sdk';
import { Ollama } from 'ollama';
import OpenAI from 'openai';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startFakeOllama } from '../fake-engine/fake-ollama.ts';
import { ask } from './client.ts';
import { panel, startPanel } from './panel.ts';

/** Five requests of 10 and 3 tokens. */
const [inputTokens, outputTokens] = [50, 15];
const question = [{ role: 'user', content: 'Why is the sky blue?' }] as const;
const noRetries = { apiKey: 'none', maxRetries: 0 };

async function setUp(config: object = {}) {
  const { engine, router } = await startPanel({ ensembles: { panel: { ...panel, answers: 2 } }, ...config });
  return { engine, url: router.url };
}

describe('the client of OpenAI', () => {
  test('chats with an ensemble, whole and streamed', async () => {
    const { url } = await setUp();
    const { chat } = new OpenAI({ ...noRetries, baseURL: `${url}/v1` });
    const whole = await chat.completions.create({ model: 'panel', messages: [...question] });
    expect(whole.choices[0]?.message.content).toBe('final 1');
    expect(whole.usage).toMatchObject({ prompt_tokens: inputTokens, completion_tokens: outputTokens });
    const stream = chat.completions.stream({ model: 'panel', messages: [...question] });
    expect(await stream.finalContent()).toBe('final 2');
  });

  test('has a text completed by an ensemble', async () => {
    const { engine, url } = await setUp();
    const { completions } = new OpenAI({ ...noRetries, baseURL: `${url}/v1` });
    const whole = await completions.create({ model: 'panel', prompt: 'The sky is', max_tokens: 9 });
    expect(whole.choices[0]?.text).toBe('final 1');
    expect(whole.usage).toMatchObject({ prompt_tokens: inputTokens, completion_tokens: outputTokens });
    expect(engine.heard('answer')[0]).toMatchObject({
      path: '/v1/chat/completions',
      body: { messages: [{ role: 'user', content: 'The sky is' }], max_tokens: 9 },
    });
    const texts = [];
    const stream = await completions.create({ model: 'panel', prompt: 'The sky is', stream: true });
    for await (const { choices } of stream) texts.push(choices[0]?.text ?? '');
    expect(texts.join('')).toBe('final 2');
    await expect(completions.create({ model: 'panel', prompt: ['a', 'b'] })).rejects.toThrow(
      'is an ensemble',
    );
  });

  test('gets a response of an ensemble, and goes on from it', async () => {
    const { engine, url } = await setUp();
    const { responses } = new OpenAI({ ...noRetries, baseURL: `${url}/v1` });
    const first = await responses.create({ model: 'panel', input: 'Why is the sky blue?' });
    expect(first.output_text).toBe('final 1');
    expect(first.usage).toMatchObject({ input_tokens: inputTokens, output_tokens: outputTokens });
    const next = await responses.create({
      model: 'panel',
      input: 'And at night?',
      previous_response_id: first.id,
    });
    expect(next.output_text).toBe('final 2');
    expect(JSON.stringify(engine.heard('answer').at(-1)?.body)).toContain('final 1');
    expect((await responses.retrieve(next.id)).output_text).toBe('final 2');

    const stream = responses.stream({ model: 'panel', input: 'Why?', store: false });
    expect((await stream.finalResponse()).output_text).toBe('final 3');
  });

  test('is told of an error as an event of a stream that has begun', async () => {
    const { url } = await setUp({
      streaming: { keepalive: '10ms' },
      ensembles: { panel: { models: 'nobody' } },
    });
    const { chat } = new OpenAI({ ...noRetries, baseURL: `${url}/v1` });
    const stream = chat.completions.stream({ model: 'panel', messages: [...question] });
    await expect(stream.finalContent()).rejects.toThrow("No backend serves model 'nobody'");
  });
});

describe('the client of Anthropic', () => {
  test('gets a message of an ensemble, whole and streamed', async () => {
    const { url } = await setUp();
    const { messages } = new Anthropic({ ...noRetries, baseURL: url });
    const wanted = { model: 'panel', max_tokens: 20, system: 'Be short.', messages: [...question] };
    const whole = await messages.create(wanted);
    expect(whole).toMatchObject({
      model: 'panel',
      content: [{ type: 'text', text: 'final 1' }],
      usage: { input_tokens: inputTokens, output_tokens: outputTokens },
    });
    const streamed = await messages.stream(wanted).finalMessage();
    expect(streamed.content).toMatchObject([{ type: 'text', text: 'final 2' }]);
    expect(streamed.usage).toMatchObject({ input_tokens: inputTokens, output_tokens: outputTokens });
  });

  test('is told of an error in the form of its API', async () => {
    const { url } = await setUp({ ensembles: { panel: { models: 'nobody' } } });
    const { messages } = new Anthropic({ ...noRetries, baseURL: url });
    const asked = messages.create({ model: 'panel', max_tokens: 20, messages: [...question] });
    await expect(asked).rejects.toMatchObject({ status: 404, error: { error: { type: 'not_found_error' } } });
  });
});

describe('the client of Ollama', () => {
  test('chats with an ensemble and has texts generated, whole and streamed', async () => {
    const { url } = await setUp();
    const client = new Ollama({ host: url });
    const whole = await client.chat({ model: 'panel', messages: [...question] });
    expect(whole).toMatchObject({
      model: 'panel',
      message: { role: 'assistant', content: 'final 1' },
      prompt_eval_count: inputTokens,
      eval_count: outputTokens,
      done: true,
    });
    const chunks = [];
    for await (const part of await client.chat({
      model: 'panel:latest',
      messages: [...question],
      stream: true,
    })) {
      chunks.push(part.message.content);
    }
    expect(chunks.join('')).toBe('final 2');
    expect((await client.generate({ model: 'panel', prompt: 'Why?', system: 'Be short.' })).response).toBe(
      'final 3',
    );
    const texts = [];
    for await (const part of await client.generate({ model: 'panel', prompt: 'Why?', stream: true })) {
      texts.push(part.response);
    }
    expect(texts.join('')).toBe('final 4');
  });

  test('is told of an error in the form of its API', async () => {
    const { url } = await setUp({ ensembles: { panel: { models: 'nobody' } } });
    const asked = new Ollama({ host: url }).chat({ model: 'panel', messages: [...question] });
    await expect(asked).rejects.toThrow("No backend serves model 'nobody'");
  });
});

describe('an ensemble on an Ollama', () => {
  test('passes options, formats and keep_alive on, and loads and unloads its final model', async () => {
    const ollama = await startFakeOllama({ models: ['m'] });
    onTestFinished(() => ollama.close());
    const { url } = await setUp({ backends: { one: { url: ollama.url } } });
    const client = new Ollama({ host: url });
    await client.generate({ model: 'panel', prompt: '', keep_alive: '1h' });
    expect(ollama.asked.filter(({ path }) => path === '/api/chat').map(({ body }) => body)).toEqual([
      expect.objectContaining({ messages: [], keep_alive: '1h' }),
    ]);

    const options = { num_ctx: 2048, num_gpu: 1, temperature: 0.1 };
    const answer = await client.chat({
      model: 'panel',
      messages: [...question],
      options,
      format: 'json',
      keep_alive: '1h',
    });
    expect(answer.message.content).toBe('Hello');
    expect(answer).toMatchObject({ prompt_eval_count: 25, eval_count: 10 });
    const [first, second, critique, , final] = ollama.asked
      .filter(({ path }) => path === '/api/chat')
      .slice(1)
      .map(({ body }) => body);
    for (const body of [first, second]) {
      expect(body).toMatchObject({
        format: 'json',
        keep_alive: '1h',
        options: { ...options, temperature: 1 },
      });
    }
    expect(critique).toMatchObject({ keep_alive: '1h', options });
    expect(critique).not.toHaveProperty('format');
    expect(final).toMatchObject({ format: 'json', keep_alive: '1h', options });
  });

  test('gives the client of another API the sum of its tokens', async () => {
    const ollama = await startFakeOllama({ models: ['m'] });
    onTestFinished(() => ollama.close());
    const translate = ['messages', 'chat-completions', 'responses'];
    const { url } = await setUp({ backends: { one: { url: ollama.url, translate } } });
    const body = { model: 'panel', max_tokens: 20, messages: question };
    const answer = (await ask(`${url}/v1/messages`, { body }).answer).json();
    expect(answer['usage']).toMatchObject({ input_tokens: 25, output_tokens: 10 });
  });
});
