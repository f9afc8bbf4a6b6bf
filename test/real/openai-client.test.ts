/** The official OpenAI client against the router with real llama-servers behind it, as its users write it. */
import OpenAI, {
  APIUserAbortError,
  AuthenticationError,
  BadRequestError,
  NotFoundError,
  RateLimitError,
} from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask } from '../integration/client.ts';
import { startRouter, until, type TestRouter } from '../integration/start-router.ts';
import { modelFile } from './gguf.ts';
import { realLlamaServer, startLlamaServer, type LlamaServer } from './llama-server.ts';

const { path, missing } = realLlamaServer();
const key = 'client-key';

let chatServer: LlamaServer;
let embedServer: LlamaServer;
let router: TestRouter;
let client: OpenAI;

beforeAll(async () => {
  if (path === undefined) return;
  [chatServer, embedServer] = await Promise.all([
    startLlamaServer({
      model: modelFile({ ballast: 24 }),
      slots: 2,
      args: ['--alias', 'talk', '--metrics', '--api-key', 'engine-key'],
    }),
    startLlamaServer({
      model: modelFile({ kind: 'embed' }),
      slots: 2,
      contextTokens: 512,
      args: ['--alias', 'vectors', '--embedding'],
    }),
  ]);
  router = await startRouter({
    apiKeys: [key],
    limits: { body: '256KiB' },
    backends: {
      chat: { url: chatServer.url, apiKey: 'engine-key' },
      embed: { url: embedServer.url },
    },
  });
  await router.ready();
  client = new OpenAI({ baseURL: `${router.url}/v1`, apiKey: key, maxRetries: 0 });
}, 120_000);

afterAll(async () => {
  await router?.[Symbol.asyncDispose]();
  await Promise.all([chatServer?.stop(), embedServer?.stop()]);
});

const messages = [{ role: 'user' as const, content: 'tell me of the river' }];
const endless = { max_completion_tokens: 3000, ignore_eos: true } as object;

async function busySlots(): Promise<number> {
  const { body } = await ask(`${chatServer.url}/slots`, {
    headers: { connection: 'close', authorization: 'Bearer engine-key' },
  }).answer;
  const slots = JSON.parse(body.toString()) as { is_processing: boolean }[];
  return slots.filter((slot) => slot.is_processing).length;
}

describe('the openai client', () => {
  test('chats', async (context) => {
    context.skip(path === undefined, missing);
    const completion = await client.chat.completions.create({ model: 'talk', messages, max_tokens: 12 });
    expect(completion.object).toBe('chat.completion');
    expect(completion.choices[0]?.message.role).toBe('assistant');
    expect(completion.usage?.completion_tokens).toBeGreaterThan(0);
    expect(completion._request_id).toMatch(/^[\da-f-]{36}$/);
  });

  test('streams with for await, usage at the end', async (context) => {
    context.skip(path === undefined, missing);
    const stream = await client.chat.completions.create({
      model: 'talk',
      messages,
      max_tokens: 12,
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = '';
    let chunks = 0;
    let tokens = 0;
    for await (const chunk of stream) {
      chunks += 1;
      text += chunk.choices[0]?.delta.content ?? '';
      tokens = chunk.usage?.completion_tokens ?? tokens;
    }
    expect(chunks).toBeGreaterThan(3);
    expect(text.length).toBeGreaterThan(0);
    expect(tokens).toBeGreaterThan(0);
  });

  test('streams with its helper', async (context) => {
    context.skip(path === undefined, missing);
    const runner = client.chat.completions.stream({ model: 'talk', messages, max_tokens: 8 });
    const completion = await runner.finalChatCompletion();
    expect(completion.choices[0]?.message.content?.length).toBeGreaterThan(0);
  });

  test.each([false, true])('calls tools, streamed: %s', async (stream) => {
    if (path === undefined) return;
    const runner = {
      model: 'talk',
      messages: [{ role: 'user' as const, content: 'weather in Oslo' }],
      max_tokens: 300,
      tool_choice: 'required' as const,
      tools: [
        {
          type: 'function' as const,
          function: {
            name: 'get_weather',
            parameters: {
              type: 'object',
              properties: { city: { type: 'string', enum: ['Oslo', 'Rome'] } },
              required: ['city'],
            },
          },
        },
      ],
    };
    const completion = stream
      ? await client.chat.completions.stream(runner).finalChatCompletion()
      : await client.chat.completions.create(runner);
    const [call] = completion.choices[0]?.message.tool_calls ?? [];
    expect(call).toMatchObject({ type: 'function', function: { name: 'get_weather' } });
    const given = call?.type === 'function' ? (JSON.parse(call.function.arguments) as object) : {};
    expect(given).toHaveProperty('city');
  });

  test('completes, and answers with the responses API', async (context) => {
    context.skip(path === undefined, missing);
    const completion = await client.completions.create({ model: 'talk', prompt: 'the river', max_tokens: 5 });
    expect(completion.choices[0]?.text.length).toBeGreaterThan(0);
    const response = await client.responses.create({ model: 'talk', input: 'hello', max_output_tokens: 8 });
    expect(response.output_text.length).toBeGreaterThan(0);
    const types: string[] = [];
    const stream = await client.responses.create({
      model: 'talk',
      input: 'hello',
      max_output_tokens: 8,
      // A random model says by chance that it is done.
      temperature: 0,
      stream: true,
    });
    for await (const event of stream) types.push(event.type);
    expect([types[0], types.at(-1)]).toEqual(['response.created', 'response.incomplete']);
  });

  test('embeds on the other server, one text and many', async (context) => {
    context.skip(path === undefined, missing);
    const { data, response } = await client.embeddings
      .create({ model: 'vectors', input: ['the river', 'the house', 'the river'] })
      .withResponse();
    expect(response.headers.get('x-llamero-backend')).toBe('embed');
    const [first, second, third] = data.data.map(({ embedding }) => embedding);
    expect(first?.length).toBeGreaterThan(8);
    expect(first).toEqual(third);
    expect(first).not.toEqual(second);
    const many = Array.from({ length: 60 }, (_, index) => `text ${index} of the old stone house`.repeat(5));
    const batch = await client.embeddings.create({ model: 'vectors', input: many });
    expect(batch.data).toHaveLength(60);
  });

  test('lists models and retrieves one', async (context) => {
    context.skip(path === undefined, missing);
    const ids: string[] = [];
    for await (const model of client.models.list()) ids.push(model.id);
    expect(ids.sort()).toEqual(['talk', 'vectors']);
    expect(await client.models.retrieve('talk')).toMatchObject({ id: 'talk', object: 'model' });
    await expect(client.models.retrieve('talkk')).rejects.toThrow(NotFoundError);
  });
});

describe('its errors', () => {
  test('are NotFoundError for an unknown model, with the nearest name', async (context) => {
    context.skip(path === undefined, missing);
    const asking = client.chat.completions.create({ model: 'tolk', messages });
    await expect(asking).rejects.toThrow(NotFoundError);
    await expect(client.chat.completions.create({ model: 'tolk', messages })).rejects.toMatchObject({
      status: 404,
      code: 'model_not_found',
      param: 'model',
      type: 'invalid_request_error',
      message: expect.stringContaining("did you mean 'talk'?") as string,
      requestID: expect.stringMatching(/^[\da-f-]{36}$/) as string,
    });
  });

  test('are AuthenticationError for a wrong key', async (context) => {
    context.skip(path === undefined, missing);
    const stranger = new OpenAI({ baseURL: `${router.url}/v1`, apiKey: 'wrong', maxRetries: 0 });
    await expect(stranger.models.list()).rejects.toThrow(AuthenticationError);
    await expect(stranger.chat.completions.create({ model: 'talk', messages })).rejects.toMatchObject({
      status: 401,
      code: 'unauthorized',
      type: 'authentication_error',
    });
  });

  test('tell of a body that is too large, and the client works on', async (context) => {
    context.skip(path === undefined, missing);
    const content = 'x'.repeat(3_000_000);
    await expect(
      client.chat.completions.create({ model: 'talk', messages: [{ role: 'user', content }] }),
    ).rejects.toMatchObject({ status: 413, code: 'request_too_large' });
    const next = await client.chat.completions.create({ model: 'talk', messages, max_tokens: 2 });
    expect(next.choices).toHaveLength(1);
  });

  test("are the engine's own where it refuses", async (context) => {
    context.skip(path === undefined, missing);
    const asking = client.chat.completions.create({ model: 'talk', messages: 'none' as never });
    await expect(asking).rejects.toThrow(BadRequestError);
  });

  test('are RateLimitError when the queue is full, and retried by the client until there is room', async (context) => {
    context.skip(path === undefined, missing);
    await using full = await startRouter({
      backends: { chat: { url: chatServer.url, apiKey: 'engine-key', slots: 1 } },
      scheduling: { queueMax: 0 },
    });
    await full.ready();
    const hasty = new OpenAI({ baseURL: `${full.url}/v1`, apiKey: 'none', maxRetries: 0 });
    const patient = new OpenAI({ baseURL: `${full.url}/v1`, apiKey: 'none', maxRetries: 5 });
    const busy = await hasty.chat.completions.create({ model: 'talk', messages, stream: true, ...endless });
    await expect(hasty.chat.completions.create({ model: 'talk', messages })).rejects.toThrow(RateLimitError);
    const later = patient.chat.completions.create({ model: 'talk', messages, max_tokens: 2 });
    await until(() => full.logLines.filter(({ outcome }) => outcome === 'rejected_full').length >= 2);
    busy.controller.abort();
    expect((await later).choices).toHaveLength(1);
  });
});

describe('abort', () => {
  test('in the middle of a stream frees the real slot', async (context) => {
    context.skip(path === undefined, missing);
    const stream = await client.chat.completions.create({
      model: 'talk',
      messages,
      stream: true,
      ...endless,
    });
    let chunks = 0;
    for await (const chunk of stream) {
      expect(chunk.object).toBe('chat.completion.chunk');
      chunks += 1;
      if (chunks === 1) await until(async () => (await busySlots()) === 1);
      if (chunks === 5) break;
    }
    await until(async () => (await busySlots()) === 0, 3000);
    await until(async () => (await router.status()).requests.in_flight === 0, 3000);
  });

  test('before the first byte frees the real slot', async (context) => {
    context.skip(path === undefined, missing);
    const words = Array.from({ length: 300 }, (_, index) => `word${index}`).join(' ');
    const aborting = new AbortController();
    const asking = client.chat.completions.create(
      { model: 'talk', messages: [{ role: 'user', content: words }], stream: true, ...endless },
      { signal: aborting.signal },
    );
    await until(async () => (await router.status()).backends[0]?.slots.own === 1);
    aborting.abort();
    await expect(asking).rejects.toThrow(APIUserAbortError);
    await until(async () => (await router.status()).requests.in_flight === 0, 3000);
    // The engine looks for its client when the prompt is done.
    await until(async () => (await busySlots()) === 0, 15_000);
    await until(async () => (await router.status()).backends[0]?.slots.free === 2);
  });

  test('of a waiting request never reaches the engine', async (context) => {
    context.skip(path === undefined, missing);
    const streams = await Promise.all(
      [1, 2].map(() => client.chat.completions.create({ model: 'talk', messages, stream: true, ...endless })),
    );
    const aborting = new AbortController();
    const asking = client.chat.completions.create({ model: 'talk', messages }, { signal: aborting.signal });
    await until(async () => (await router.status()).queue.depth === 1);
    aborting.abort();
    await expect(asking).rejects.toThrow(APIUserAbortError);
    await until(async () => (await router.status()).queue.depth === 0);
    for (const stream of streams) stream.controller.abort();
    await until(async () => (await busySlots()) === 0);
  });
});
