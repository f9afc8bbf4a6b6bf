/** What the presets of nomyo-router put right by themselves, as its own recoveries do: nothing of it is configured here. */
import OpenAI from 'openai';
import { afterEach, describe, expect, test } from 'vitest';
import {
  startScriptedEngine,
  type ScriptedAnswer,
  type ScriptedRequest,
} from '../fake-engine/scripted-engine.ts';
import { startNomyo } from './nomyo-router.ts';

const closing: (() => PromiseLike<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function setUp(answer: (request: ScriptedRequest, index: number) => ScriptedAnswer) {
  const service = await startScriptedEngine({ answer });
  closing.push(() => service.close());
  const router = await startNomyo({
    endpoints: [`${service.url}/v1`],
    api_keys: { [`${service.url}/v1`]: 'any' },
  });
  closing.push(() => router[Symbol.asyncDispose]());
  return { service, client: new OpenAI({ baseURL: `${router.url}/v1`, apiKey: 'none', maxRetries: 0 }) };
}

const refusal = (status: number, message: string, more: object = {}): ScriptedAnswer => ({
  status,
  body: { error: { message, type: 'invalid_request_error', code: status, ...more } },
});
const overflow = (promptTokens: number, contextTokens: number): ScriptedAnswer =>
  refusal(
    400,
    `request (${promptTokens} tokens) exceeds the available context size (${contextTokens} tokens)`,
    {
      type: 'exceed_context_size_error',
      n_prompt_tokens: promptTokens,
      n_ctx: contextTokens,
    },
  );
const fine: ScriptedAnswer = {
  body: {
    id: 'x',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', content: 'Fine.' }, finish_reason: 'stop' }],
  },
};

const long = 'one two three four five six seven eight nine ten '.repeat(10);
const conversation: OpenAI.ChatCompletionMessageParam[] = [
  { role: 'system', content: 'You are terse.' },
  { role: 'user', content: `first ${long}` },
  { role: 'assistant', content: `second ${long}` },
  { role: 'user', content: `third ${long}` },
  { role: 'assistant', content: `fourth ${long}` },
  { role: 'user', content: 'last' },
];
const tools = [{ type: 'function' as const, function: { name: 'look', parameters: { type: 'object' } } }];
const messagesOf = ({ body }: ScriptedRequest | { body: object } = { body: {} }) =>
  (body as { messages: { role: string; content: unknown }[] }).messages;

describe('a conversation that is too long', () => {
  const request = { model: 'm', messages: conversation, max_tokens: 50 };

  test('is sent again: instructions first, then a user, the last message at its end', async () => {
    const { service, client } = await setUp((_request, index) => (index === 0 ? overflow(440, 330) : fine));
    const answer = await client.chat.completions.create(request);
    expect(answer.choices[0]?.message.content).toBe('Fine.');
    const [system, first, ...others] = messagesOf(service.asked[1]);
    expect(system).toEqual(conversation[0]);
    expect(first?.role).toBe('user');
    expect(others.at(-1)).toEqual(conversation.at(-1));
    expect(others.length + 2).toBeLessThan(conversation.length);
  });

  test('goes without its tools when it is still too long', async () => {
    const { service, client } = await setUp(({ body }) => ('tools' in body ? overflow(440, 330) : fine));
    await client.chat.completions.create({ ...request, tools, tool_choice: 'auto' });
    expect(service.asked.map(({ body }) => ['tools' in body, 'tool_choice' in body])).toEqual([
      [true, true],
      [true, true],
      [false, false],
    ]);
  });

  test('is shortened before it is sent once the engine has said how little it holds', async () => {
    const { service, client } = await setUp((_request, index) => (index === 0 ? overflow(440, 330) : fine));
    await client.chat.completions.create(request);
    await client.chat.completions.create(request);
    expect(service.asked).toHaveLength(3);
    expect(messagesOf(service.asked[2]).length).toBeLessThan(conversation.length);
  });

  test('is sent as it is where an engine said that it holds more', async () => {
    const { service, client } = await setUp((_request, index) =>
      index === 0 ? overflow(140_000, 131_072) : fine,
    );
    const huge = { ...request, messages: conversation.with(1, { role: 'user', content: long.repeat(1200) }) };
    await client.chat.completions.create(huge);
    await client.chat.completions.create(request);
    expect(messagesOf(service.asked[2])).toEqual(conversation);
  });

  test('is sent as it is where only vectors were too long', async () => {
    const { service, client } = await setUp(({ path }) =>
      path === '/v1/embeddings' ? overflow(440, 330) : fine,
    );
    await expect(client.embeddings.create({ model: 'm', input: long })).rejects.toMatchObject({
      status: 400,
    });
    await client.chat.completions.create(request);
    expect(messagesOf(service.asked[1])).toEqual(conversation);
  });
});

describe('a request that the model cannot take', () => {
  test('is sent again without tools', async () => {
    const { service, client } = await setUp(({ body }) =>
      'tools' in body ? refusal(400, 'registry.ollama.ai/library/gemma3:4b does not support tools') : fine,
    );
    await client.chat.completions.create({ model: 'm', messages: conversation, tools });
    expect(messagesOf(service.asked[1])).toEqual(conversation);
  });

  test('is sent again without images, its text beside them kept', async () => {
    const { service, client } = await setUp(({ text }) =>
      text.includes('image_url') ? refusal(500, 'image input is not supported') : fine,
    );
    const image = { type: 'image_url' as const, image_url: { url: 'data:image/png;base64,AAAA' } };
    const content = [{ type: 'text' as const, text: 'What is it?' }, image];
    await client.chat.completions.create({ model: 'm', messages: [{ role: 'user', content }] });
    expect(JSON.stringify(messagesOf(service.asked[1]))).toMatch(/What is it\?/);
  });
});
