/** The Vercel AI SDK with three of its providers, over real llama-servers and over engines with one API each. */
import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { embed, generateObject, generateText, stepCountIs, streamText, tool, type LanguageModel } from 'ai';
import { createOllama } from 'ollama-ai-provider-v2';
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

interface Provider {
  readonly name: string;
  readonly model: (url: string, id: string) => LanguageModel;
}

const openaiAt = (url: string) =>
  createOpenAICompatible({
    name: 'llamero',
    baseURL: `${url}/v1`,
    includeUsage: true,
    supportsStructuredOutputs: true,
  });

const providers: readonly Provider[] = [
  { name: 'openai-compatible', model: (url, id) => openaiAt(url)(id) },
  { name: 'anthropic', model: (url, id) => createAnthropic({ baseURL: `${url}/v1`, apiKey: 'none' })(id) },
  { name: 'ollama', model: (url, id) => createOllama({ baseURL: `${url}/api` })(id) },
];

const weather = (asked: unknown[]) =>
  tool({
    description: 'Weather of a city',
    inputSchema: z.object({ city: z.string(), days: z.number().int() }),
    execute(input) {
      asked.push(input);
      return '21 degrees';
    },
  });
const call = { city: 'Delft "é"\n', days: 2 };

const { path, missing } = realLlamaServer();

describe('over a real llama-server', () => {
  beforeEach((context) => context.skip(path === undefined, missing));
  let engines: RealEngines;
  beforeAll(async () => {
    if (path === undefined) return;
    engines = await startRealEngines();
  });
  afterAll(() => engines?.[Symbol.asyncDispose]());

  describe.each(providers)('$name', ({ model }) => {
    test.each(realModels)('generates and streams text with %s', async (id) => {
      const asked = {
        model: model(engines.url, id),
        prompt: 'tell me of the river',
        maxOutputTokens: 6,
        // The provider for Ollama does not pass the limit on by itself.
        providerOptions: { ollama: { options: { num_predict: 6 } } },
        maxRetries: 0,
      };
      const whole = await generateText(asked);
      expect(whole.text).not.toBe('');
      expect(whole).toMatchObject({ finishReason: 'length', usage: { outputTokens: 6 } });
      const stream = streamText(asked);
      let text = '';
      for await (const piece of stream.textStream) text += piece;
      expect(text).not.toBe('');
      expect(await stream.finishReason).toBe('length');
      expect(await stream.usage).toMatchObject({ outputTokens: 6, inputTokens: whole.usage.inputTokens });
    });
  });

  test('openai-compatible embeds', async () => {
    const model = openaiAt(engines.url).textEmbeddingModel(embedModel);
    const { embedding, usage } = await embed({ model, value: 'the river' });
    expect(embedding.length).toBeGreaterThan(8);
    expect(usage.tokens).toBeGreaterThan(0);
  });
});

describe.each(recordedTitles)('over an engine: %s', (title) => {
  let router: RecordedRouter;
  beforeAll(async () => {
    router = await startRecorded(title);
  });
  afterAll(() => router[Symbol.asyncDispose]());

  describe.each(providers)('$name', ({ name, model }) => {
    test('goes through a loop of tools by itself', async () => {
      const { mark, cell } = router.play('tools, two turns');
      const asked: unknown[] = [];
      const { text, steps, toolResults } = await generateText({
        model: model(router.url, modelName),
        prompt: `${mark} Weather in Delft?`,
        tools: { get_weather: weather(asked) },
        stopWhen: stepCountIs(3),
        maxRetries: 0,
      });
      expect(asked).toEqual([call]);
      expect(text).toBe('It is 21 degrees.');
      expect(steps.map(({ finishReason }) => finishReason)).toEqual(['tool-calls', 'stop']);
      expect(toolResults).toEqual([]);
      expect(cell.arrived.at(-1)?.results.map((result) => result.text)).toEqual([
        expect.stringContaining('21 degrees'),
      ]);
    });

    test('goes through a loop of two tools at once, streamed', async () => {
      const { mark, cell } = router.play('parallel tools after text, two turns');
      const asked: unknown[] = [];
      const time = tool({
        description: 'Time',
        inputSchema: z.object({ city: z.string() }),
        execute: () => 'noon',
      });
      const stream = streamText({
        model: model(router.url, modelName),
        prompt: `${mark} Weather and time?`,
        tools: { get_weather: weather(asked), get_time: time },
        stopWhen: stepCountIs(3),
        maxRetries: 0,
      });
      let text = '';
      for await (const piece of stream.textStream) text += piece;
      expect(text).toBe('Let me look.Warm at noon.');
      expect(asked).toEqual([call]);
      expect(cell.arrived.at(-1)?.results).toHaveLength(2);
    });

    test('gets an object that follows its schema', async () => {
      const { mark } = router.play('json schema');
      const { object } = await generateObject({
        model: model(router.url, modelName),
        prompt: `${mark} Which city?`,
        schema: z.object({ city: z.string() }),
        maxRetries: 0,
      });
      expect(object).toEqual({ city: 'Delft' });
    });

    test('gets thoughts apart from the text, streamed', async () => {
      const { mark } = router.play('reasoning');
      const stream = streamText({
        model: model(router.url, modelName),
        prompt: `${mark} Why?`,
        maxRetries: 0,
      });
      expect(await stream.reasoningText).toBe('Light scatters – a lot.');
      expect(await stream.text).toBe('Rayleigh.');
    });

    test('is told of errors before an answer and in it', async () => {
      const before = router.play('rate limit');
      const asked = { model: model(router.url, modelName), maxRetries: 0 };
      await expect(generateText({ ...asked, prompt: before.mark })).rejects.toMatchObject({
        statusCode: 429,
      });
      // The provider for Ollama overlooks errors in a stream, Ollama's own too.
      if (name === 'ollama') return;
      const within = router.play('error in the answer');
      const errors: unknown[] = [];
      const stream = streamText({
        ...asked,
        prompt: within.mark,
        onError: ({ error }) => void errors.push(error),
      });
      await stream.consumeStream();
      expect(JSON.stringify(errors, messageOf)).toContain('Context size has been exceeded');
    });
  });
});

function messageOf(_key: string, value: unknown): unknown {
  return value instanceof Error ? value.message : value;
}
