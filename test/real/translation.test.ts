/** Every client's API over a real llama-server that is treated as if it had chat and text completions only. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ask, type Answer } from '../integration/client.ts';
import { startRouter, type TestRouter } from '../integration/start-router.ts';
import { modelFile } from './gguf.ts';
import { realLlamaServer, startLlamaServer, type LlamaServer } from './llama-server.ts';

const { path: program, missing } = realLlamaServer();
const messages = [{ role: 'user', content: 'the river' }];
/** Members that only llama-server knows reach it, whatever the API. */
const steady = { seed: 1, ignore_eos: true };

describe("an engine without the client's API", () => {
  let server: LlamaServer;
  let router: TestRouter;

  beforeEach((context) => context.skip(program === undefined, missing));

  beforeAll(async () => {
    if (program === undefined) return;
    server = await startLlamaServer({ model: modelFile(), args: ['--alias', 'test', '--jinja'] });
    router = await startRouter({
      backends: { s: { url: server.url, translate: ['messages', 'responses'] } },
    });
    await router.ready();
  });

  afterAll(async () => {
    if (program === undefined) return;
    await router[Symbol.asyncDispose]();
    await server.stop();
  });

  const post = (path: string, body: object): Promise<Answer> => ask(`${router.url}${path}`, { body }).answer;

  test('answers the Messages API, whole', async () => {
    const answer = await post('/v1/messages', { model: 'test', max_tokens: 5, messages, ...steady });
    expect(answer.json()).toMatchObject({
      type: 'message',
      model: 'test',
      content: [{ type: 'text', text: expect.any(String) as string }],
      stop_reason: 'max_tokens',
      usage: { output_tokens: 5 },
    });
  });

  test('counts the tokens of a response as the response does', async () => {
    const body = { model: 'test', instructions: 'Be terse.', input: 'tell me of the river' };
    const count = await post('/v1/responses/input_tokens', body);
    const made = await post('/v1/responses', { ...body, max_output_tokens: 1 });
    const { input_tokens: inputTokens } = made.json()['usage'] as { input_tokens: number };
    expect([count.json(), count.headers['x-llamero-estimated']]).toEqual([
      { object: 'response.input_tokens', input_tokens: inputTokens },
      undefined,
    ]);
  });

  test('gets no images that its model cannot see', async () => {
    const image = 'iVBORw0KGgo=';
    const answer = await post('/api/generate', { model: 'test', prompt: 'what is it', images: [image] });
    expect([answer.status, answer.json()]).toEqual([
      400,
      { error: "Model 'test' does not support image input" },
    ]);
  });

  test('answers the Messages API as a stream', async () => {
    const { body, headers, complete } = await post('/v1/messages', {
      model: 'test',
      max_tokens: 3,
      messages,
      stream: true,
      ...steady,
    });
    expect([headers['content-type'], complete]).toEqual(['text/event-stream', true]);
    const events = [...body.toString().matchAll(/^event: (.+)$/gm)].map(([, name]) => name);
    expect(events).toEqual([
      'message_start',
      'content_block_start',
      'content_block_delta',
      'content_block_delta',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ]);
  });

  test('answers the Responses API with numbered events', async () => {
    const asked = { model: 'test', max_output_tokens: 3, input: 'hello', stream: true, ...steady };
    const { body } = await post('/v1/responses', asked);
    const events = body
      .toString()
      .split('\n')
      .filter((line) => line.startsWith('data: '))
      .map((line) => JSON.parse(line.slice(6)) as { type: string; sequence_number: number });
    expect(events.map(({ sequence_number }) => sequence_number)).toEqual(
      events.map((_event, index) => index),
    );
    expect(events.at(-1)?.type).toBe('response.incomplete');
  });

  test("answers Ollama's chat as lines, by a name with its tag, and says what it could not pass on", async () => {
    const options = { num_predict: 3, num_ctx: 4096, ...steady };
    const answer = await post('/api/chat', { model: 'test:latest', options, messages });
    const lines = answer.body.toString().trim().split('\n');
    expect(lines).toHaveLength(4);
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({
      model: 'test:latest',
      done: true,
      done_reason: 'length',
      eval_count: 3,
    });
    expect(answer.headers['x-llamero-dropped']).toBe('num_ctx');
  });

  test("answers Ollama's generate, with the chat template and raw", async () => {
    const asked = { model: 'test', prompt: 'the', stream: false, options: { num_predict: 3, ...steady } };
    const [templated, raw] = await Promise.all([
      post('/api/generate', asked),
      post('/api/generate', { ...asked, raw: true }),
    ]);
    expect(templated.json()).toMatchObject({ done: true, done_reason: 'length', eval_count: 3 });
    expect(raw.json()).toMatchObject({ done: true, eval_count: 3 });
    const tokens = [templated, raw].map((answer) => answer.json()['prompt_eval_count'] as number);
    expect(tokens[0]).toBeGreaterThan(tokens[1] ?? Infinity);
  });

  test("answers Ollama's load of a model that is there", async () => {
    expect((await post('/api/generate', { model: 'test' })).json()).toMatchObject({
      response: '',
      done: true,
      done_reason: 'load',
    });
  });

  test('will not pretend to unload a model that is not its own', async () => {
    const answer = await post('/api/generate', { model: 'test', keep_alive: 0 });
    expect([answer.status, answer.json()]).toEqual([
      501,
      { error: "Model 'test' is kept loaded by 's', which cannot unload it" },
    ]);
  });

  test('refuses a broken request before it takes a slot, in the words of the client', async () => {
    const answer = await post('/v1/messages', {
      model: 'test',
      max_tokens: 5,
      messages: [{ role: 'wizard', content: 'x' }],
    });
    expect([answer.status, answer.json()]).toEqual([
      400,
      {
        type: 'error',
        error: {
          type: 'invalid_request_error',
          message: expect.stringContaining('messages[0].role') as string,
          code: 'request_malformed',
        },
      },
    ]);
    expect(answer.headers['x-llamero-attempts']).toBeUndefined();
  });

  test('counts tokens at the engine, which can', async () => {
    const answer = await post('/v1/messages/count_tokens', { model: 'test', messages });
    expect(answer.json()).toEqual({ input_tokens: expect.any(Number) as number });
    expect(answer.headers['x-llamero-estimated']).toBeUndefined();
  });
});
