/** Anthropic's official client: stream helper, tool runner, counting, and the headers of Claude Code. */
import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { realLlamaServer } from '../../real/llama-server.ts';
import { modelName } from '../engines/subjects.ts';
import {
  realModels,
  recordedTitles,
  startRealEngines,
  startRecorded,
  type RealEngines,
  type RecordedRouter,
} from './engines.ts';

const { path, missing } = realLlamaServer();
const at = (baseURL: string) => new Anthropic({ baseURL, apiKey: 'none', maxRetries: 0 });
const said = (content: string) => [{ role: 'user' as const, content }];

describe('over a real llama-server', () => {
  beforeEach((context) => context.skip(path === undefined, missing));
  let engines: RealEngines;
  let client: Anthropic;
  beforeAll(async () => {
    if (path === undefined) return;
    engines = await startRealEngines();
    client = at(engines.url);
  });
  afterAll(() => engines?.[Symbol.asyncDispose]());

  test.each(realModels)('gets messages of %s, whole and streamed', async (model) => {
    const asked = { model, max_tokens: 6, messages: said('the river') };
    const whole = await client.messages.create(asked);
    const streamed = await client.messages.stream(asked).finalMessage();
    for (const { content, stop_reason: reason, usage } of [whole, streamed]) {
      expect(content).toEqual([{ type: 'text', text: expect.stringMatching(/./) as string }]);
      expect([reason, usage.output_tokens]).toEqual(['max_tokens', 6]);
    }
  });

  test('is told that the model takes no images', async () => {
    const source = { type: 'base64' as const, media_type: 'image/png' as const, data: 'iVBORw0KGgo=' };
    const asked = {
      model: 'chat-only',
      max_tokens: 6,
      messages: [{ role: 'user' as const, content: [{ type: 'image' as const, source }] }],
    };
    await expect(client.messages.create(asked)).rejects.toMatchObject({
      status: 400,
      type: 'invalid_request_error',
      message: expect.stringContaining('does not support image input') as string,
    });
  });

  test.each(realModels)('counts the tokens of %s', async (model) => {
    const { input_tokens: short } = await client.messages.countTokens({ model, messages: said('hi') });
    const { input_tokens: long } = await client.messages.countTokens({
      model,
      messages: said('hi '.repeat(50)),
    });
    expect(long).toBeGreaterThan(short + 20);
  });
});

describe.each(recordedTitles)('over an engine: %s', (title) => {
  let router: RecordedRouter;
  let client: Anthropic;
  beforeAll(async () => {
    router = await startRecorded(title);
    client = at(router.url);
  });
  afterAll(() => router[Symbol.asyncDispose]());

  test.each([true, false])('runs tools by itself, streamed: %s', async (stream) => {
    const { mark } = router.play('tools, two turns');
    const asked: unknown[] = [];
    const runner = client.beta.messages.toolRunner({
      model: modelName,
      max_tokens: 512,
      stream: stream as false,
      messages: said(`${mark} Weather in Delft?`),
      tools: [
        {
          type: 'custom',
          name: 'get_weather',
          description: 'Weather',
          input_schema: { type: 'object', properties: { city: { type: 'string' } } },
          parse: (input: unknown) => input,
          run(input: unknown) {
            asked.push(input);
            return '21 degrees';
          },
        },
      ],
    });
    const { content } = await runner.runUntilDone();
    expect(content).toEqual([expect.objectContaining({ type: 'text', text: 'It is 21 degrees.' })]);
    expect(asked).toEqual([{ city: 'Delft "é"\n', days: 2 }]);
  });

  test('tolerates what Claude Code adds: betas, cache marks, metadata', async () => {
    const { mark, cell } = router.play('text');
    const { content } = await client.beta.messages.create({
      model: modelName,
      max_tokens: 512,
      betas: ['claude-code-20250219', 'interleaved-thinking-2025-05-14'],
      metadata: { user_id: 'user_1' },
      system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }],
      messages: said(`${mark} Tell me.`),
    });
    expect(content).toEqual([expect.objectContaining({ type: 'text' })]);
    expect(cell.arrived[0]?.system).toBe('Be brief.');
  });

  test('counts tokens, estimated where no engine can', async () => {
    const asked = { model: modelName, messages: said('How long is this?') };
    expect((await client.messages.countTokens(asked)).input_tokens).toBeGreaterThan(3);
  });
});
