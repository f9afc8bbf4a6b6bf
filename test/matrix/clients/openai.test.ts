/** The official OpenAI client's conveniences: parsing, stream helpers, tool runners, embeddings. */
import OpenAI from 'openai';
import { zodResponseFormat, zodTextFormat } from 'openai/helpers/zod';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { realLlamaServer } from '../../real/llama-server.ts';
import { modelName } from '../engines/subjects.ts';
import {
  embedModel,
  realModels,
  recordedTitles,
  startRealEngines,
  startRecorded,
  type RealEngines,
  type RecordedRouter,
} from './engines.ts';

const { path, missing } = realLlamaServer();
const at = (url: string) => new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 });

describe('over a real llama-server', () => {
  beforeEach((context) => context.skip(path === undefined, missing));
  let engines: RealEngines;
  let client: OpenAI;
  beforeAll(async () => {
    if (path === undefined) return;
    engines = await startRealEngines();
    client = at(engines.url);
  });
  afterAll(() => engines?.[Symbol.asyncDispose]());

  test('chats, whole and by its stream helper', async () => {
    const messages = [{ role: 'user' as const, content: 'the river' }];
    const asked = { model: 'native', messages, max_tokens: 6 };
    const whole = await client.chat.completions.create(asked);
    const streamed = await client.chat.completions
      .stream({ ...asked, stream: true, stream_options: { include_usage: true } })
      .finalChatCompletion();
    for (const { choices, usage } of [whole, streamed]) {
      expect(choices[0]).toMatchObject({ finish_reason: 'length' });
      expect(usage).toMatchObject({ completion_tokens: 6, prompt_tokens: whole.usage?.prompt_tokens });
    }
  });

  test('completes', async () => {
    const answer = await client.completions.create({ model: 'native', prompt: 'the river', max_tokens: 4 });
    expect(answer).toMatchObject({ choices: [{ finish_reason: 'length' }], usage: { completion_tokens: 4 } });
  });

  test.each(realModels)('gets a response of %s', async (model) => {
    const response = await client.responses.create({ model, input: 'the river', max_output_tokens: 16 });
    expect(response.output_text).not.toBe('');
    expect(response.usage).toMatchObject({ output_tokens: 16 });
  });

  test('streams a response of an engine without that API', async () => {
    const asked = { model: 'chat-only', input: 'the river', max_output_tokens: 16 };
    const response = await client.responses.stream({ ...asked, stream: true }).finalResponse();
    expect(response).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
      usage: { output_tokens: 16 },
    });
  });

  test('parses a response that follows a schema', async () => {
    const { output_parsed: parsed } = await client.responses.parse({
      model: 'chat-only',
      input: 'which?',
      text: { format: zodTextFormat(z.object({ city: z.enum(['Lima', 'Rome']) }), 'answer') },
    });
    expect(['Lima', 'Rome']).toContain(parsed?.city);
  });

  test('embeds', async () => {
    const { data } = await client.embeddings.create({ model: embedModel, input: ['the river', 'the city'] });
    expect(data.map(({ embedding }) => embedding.length > 8)).toEqual([true, true]);
  });
});

describe.each(recordedTitles)('over an engine: %s', (title) => {
  let router: RecordedRouter;
  let client: OpenAI;
  beforeAll(async () => {
    router = await startRecorded(title);
    client = at(router.url);
  });
  afterAll(() => router[Symbol.asyncDispose]());

  test.each([true, false])('runs the tools of a chat by itself, streamed: %s', async (stream) => {
    const { mark } = router.play('tools, two turns');
    const asked: unknown[] = [];
    const run = (input: object) => {
      asked.push(input);
      return '21 degrees';
    };
    const runner = client.chat.completions.runTools({
      model: modelName,
      stream: stream as false,
      messages: [{ role: 'user', content: `${mark} Weather in Delft?` }],
      tools: [
        {
          type: 'function',
          function: {
            name: 'get_weather',
            description: 'Weather',
            parameters: { type: 'object', properties: { city: { type: 'string' } } },
            parse: (text: string) => JSON.parse(text) as object,
            function: run,
          },
        },
      ],
    });
    expect(await runner.finalContent()).toBe('It is 21 degrees.');
    expect(asked).toEqual([{ city: 'Delft "é"\n', days: 2 }]);
  });

  test('parses what follows a schema, in a chat and in a response', async () => {
    const format = z.object({ city: z.string() });
    const chat = await client.chat.completions.parse({
      model: modelName,
      messages: [{ role: 'user', content: `${router.play('json schema').mark} Which city?` }],
      response_format: zodResponseFormat(format, 'answer'),
    });
    expect(chat.choices[0]?.message.parsed).toEqual({ city: 'Delft' });
    const response = await client.responses
      .stream({
        model: modelName,
        input: `${router.play('json schema').mark} Which city?`,
        text: { format: zodTextFormat(format, 'answer') },
      })
      .finalResponse();
    expect(response.output_parsed).toEqual({ city: 'Delft' });
  });
});

// An engine that has the route keeps its answers itself, or does not.
describe.each(recordedTitles.filter((title) => title !== 'Responses only'))('over an engine: %s', (title) => {
  test('goes on from a response that was kept', async () => {
    await using router = await startRecorded(title);
    const client = at(router.url);
    const { mark, cell } = router.play('tools, two turns');
    const tools = [
      {
        type: 'function' as const,
        name: 'get_weather',
        description: 'Weather',
        parameters: { type: 'object', properties: {} },
        strict: false,
      },
    ];
    const first = await client.responses.create({
      model: modelName,
      input: `${mark} Weather in Delft?`,
      tools,
    });
    const [call] = first.output;
    if (call?.type !== 'function_call') throw new Error(`no call but ${call?.type}`);
    const second = await client.responses.create({
      model: modelName,
      previous_response_id: first.id,
      input: [{ type: 'function_call_output', call_id: call.call_id, output: '21 degrees' }],
      tools,
    });
    expect(second.output_text).toBe('It is 21 degrees.');
    expect(cell.arrived.at(-1)).toMatchObject({
      results: [{ text: '21 degrees' }],
      calls: [{ name: 'get_weather' }],
    });
  });
});
