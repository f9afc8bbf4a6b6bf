/** What official clients see of answers that are given again. */
import Anthropic from '@anthropic-ai/sdk';
import { Ollama } from 'ollama';
import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { say } from '../fake-engine/panel-engine.ts';
import { startCached } from './cached-router.ts';

describe('official clients', () => {
  test('of OpenAI get streams and embeddings again', async () => {
    const { engine, router } = await startCached({}, {}, (request, index) =>
      request.path === '/v1/embeddings'
        ? {
            body: {
              object: 'list',
              model: 'm',
              data: [{ object: 'embedding', index: 0, embedding: [0.25, -1] }],
              usage: { prompt_tokens: 2, total_tokens: 2 },
            },
          }
        : say(request, `answer ${index + 1}`),
    );
    const client = new OpenAI({
      baseURL: `${router.url}/v1`,
      apiKey: 'none',
      maxRetries: 0,
      defaultHeaders: { 'x-llamero-cache': 'use' },
    });
    const asked = { model: 'm', messages: [{ role: 'user' as const, content: 'hi' }] };
    const whole = await client.chat.completions.create(asked);
    const stream = client.chat.completions.stream({ ...asked, stream: true });
    expect((await stream.finalMessage()).content).toBe(whole.choices[0]?.message.content);
    const respond = { model: 'm', input: 'hi', store: false };
    const response = await client.responses.create(respond);
    const events: string[] = [];
    let text = '';
    for await (const event of await client.responses.create({ ...respond, stream: true })) {
      events.push(event.type);
      if (event.type === 'response.output_text.delta') text += event.delta;
    }
    expect([events[0], events.at(-1)]).toEqual(['response.created', 'response.completed']);
    expect(text).toBe(response.output_text);
    const embed = { model: 'm', input: 'sky', encoding_format: 'float' as const };
    const vectors = [await client.embeddings.create(embed), await client.embeddings.create(embed)];
    expect(vectors[1]).toEqual(vectors[0]);
    const answered = engine.asked.filter(({ path }) => path !== '/v1/responses');
    expect(answered).toHaveLength(3);
  });

  test('of Anthropic get answers again, whole and streamed', async () => {
    const { engine, router } = await startCached();
    const client = new Anthropic({
      baseURL: router.url,
      apiKey: 'none',
      maxRetries: 0,
      defaultHeaders: { 'x-llamero-cache': 'use' },
    });
    const asked = { model: 'm', max_tokens: 50, messages: [{ role: 'user' as const, content: 'hi' }] };
    const whole = await client.messages.create(asked);
    const final = await client.messages.stream(asked).finalMessage();
    expect(final.content).toEqual(whole.content);
    expect(final.content).toMatchObject([
      { type: 'text', text: expect.stringContaining('answer') as string },
    ]);
    expect([final.stop_reason, final.usage.output_tokens]).toEqual(['end_turn', 3]);
    const chats = engine.asked.filter(({ path }) => path === '/v1/chat/completions');
    expect(chats).toHaveLength(1);
  });

  test('of Ollama get answers again, whole from a stream', async () => {
    const { engine, router } = await startCached();
    const client = new Ollama({ host: router.url, headers: { 'x-llamero-cache': 'use' } });
    const asked = { model: 'm', messages: [{ role: 'user', content: 'hi' }] };
    let streamed = '';
    for await (const { message } of await client.chat({ ...asked, stream: true }))
      streamed += message.content;
    const whole = await client.chat(asked);
    expect(whole.message.content).toBe(streamed);
    expect(whole).toMatchObject({ done: true, done_reason: 'stop', prompt_eval_count: 10, eval_count: 3 });
    const prompted = { model: 'm', prompt: 'hi' };
    const texts = [await client.generate(prompted), await client.generate(prompted)];
    expect(texts[1]?.response).toBe(texts[0]?.response);
    expect(engine.asked).toHaveLength(2);
  });
});
