/** Answers that break the rules of their API, put right on their way; and what a request tells of itself during its prompt. */
import OpenAI from 'openai';
import { afterEach, describe, expect, test } from 'vitest';
import {
  startScriptedEngine,
  type ScriptedAnswer,
  type ScriptedEngine,
  type ScriptedRequest,
} from '../fake-engine/scripted-engine.ts';
import { ask } from './client.ts';
import { startRouter, until, type TestRouter } from './start-router.ts';

const closing: (() => PromiseLike<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function setUp(
  answer: (request: ScriptedRequest) => ScriptedAnswer,
  backend: object,
): Promise<{ readonly engine: ScriptedEngine; readonly router: TestRouter }> {
  const engine = await startScriptedEngine({ answer });
  closing.push(() => engine.close());
  const router = await startRouter({ backends: { one: { url: engine.url, engine: 'openai', ...backend } } });
  closing.push(() => router[Symbol.asyncDispose]());
  await router.ready();
  return { engine, router };
}

const event = (value: object) => `data: ${JSON.stringify(value)}\n\n`;
const chunk = (delta: object, reason: string | null = null) =>
  event({
    id: 'x',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'm',
    choices: [{ index: 0, delta, finish_reason: reason }],
  });
const streamed = (...chunks: readonly string[]): ScriptedAnswer => ({
  type: 'text/event-stream',
  body: [...chunks, 'data: [DONE]\n\n'].join(''),
});
const whole = (message: object, reason: string): ScriptedAnswer => ({
  body: {
    id: 'x',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: reason }],
    usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 },
  },
});

const messages = [{ role: 'user', content: 'Weather in Oslo?' }] as const;
const tools = [{ type: 'function', function: { name: 'look', parameters: { type: 'object' } } }] as const;

const brokenCall = { function: { name: 'look', arguments: { in: 'Oslo' } } };
const rightCall = {
  id: expect.any(String),
  type: 'function',
  function: { name: 'look', arguments: '{"in":"Oslo"}' },
};

describe('tool calls without index and id, with an object as arguments', () => {
  const inStream = streamed(
    chunk({ role: 'assistant', content: null }),
    chunk({ tool_calls: [brokenCall] }),
    chunk({}, 'stop'),
  );
  const atOnce = whole({ content: null, tool_calls: [brokenCall] }, 'stop');
  const answer = ({ body }: ScriptedRequest) => (body['stream'] === true ? inStream : atOnce);

  test('are what the API wants, for its official client, in a stream and without', async () => {
    const { router } = await setUp(answer, { repairs: { toolCalls: true } });
    const client = new OpenAI({ baseURL: `${router.url}/v1`, apiKey: 'x', maxRetries: 0 });
    const asked = { model: 'm', messages: [...messages], tools: [...tools] };
    const final = await client.chat.completions.stream(asked).finalChatCompletion();
    const { data, response } = await client.chat.completions.create(asked).withResponse();
    for (const { choices } of [final, data]) {
      expect(choices[0]?.finish_reason).toBe('tool_calls');
      expect(
        choices[0]?.message.tool_calls?.map(({ id, type, ...rest }) => ({
          id,
          type,
          function: 'function' in rest && rest.function,
        })),
      ).toMatchObject([rightCall]);
    }
    expect(response.headers.get('x-llamero-repaired')).toContain('argumentsAsObject');
    await until(() => router.logLines.filter(({ repaired }) => Array.isArray(repaired)).length === 2);
  });

  test('pass as they came where nobody wants them changed', async () => {
    const { router } = await setUp(answer, {});
    const { body } = await ask(`${router.url}/v1/chat/completions`, { body: { model: 'm', messages, tools } })
      .answer;
    expect(body.toString()).toBe(JSON.stringify(atOnce.body));
  });

  test('are put right wherever the answer is translated', async () => {
    const { router } = await setUp(answer, { translate: ['messages'] });
    const asked = {
      model: 'm',
      max_tokens: 50,
      messages,
      tools: [{ name: 'look', input_schema: { type: 'object' } }],
    };
    const { headers, json } = await ask(`${router.url}/v1/messages`, { body: asked }).answer;
    expect(json()).toMatchObject({
      stop_reason: 'tool_use',
      content: [{ type: 'tool_use', name: 'look', input: { in: 'Oslo' } }],
    });
    expect(headers['x-llamero-repaired']).toContain('argumentsAsObject');
  });
});

describe('thoughts in the text', () => {
  const text = '<think>\nHm.\n</think>\n\nRain.';
  const inStream = streamed(
    chunk({ role: 'assistant', content: '<thi' }),
    chunk({ content: 'nk>\nHm.\n</think>\n\nRain.' }),
    chunk({}, 'stop'),
  );
  const answer = ({ body }: ScriptedRequest) =>
    body['stream'] === true ? inStream : whole({ content: text }, 'stop');

  test('are told apart for a client of the same API', async () => {
    const { router } = await setUp(answer, { repairs: { thinkTags: true } });
    const asked = { model: 'm', messages };
    const one = await ask(`${router.url}/v1/chat/completions`, { body: asked }).answer;
    expect(one.json()).toMatchObject({
      choices: [{ message: { content: 'Rain.', reasoning_content: 'Hm.' } }],
    });
    expect(one.headers['x-llamero-repaired']).toBe('reasoningInText');
    const { body } = await ask(`${router.url}/v1/chat/completions`, { body: { ...asked, stream: true } })
      .answer;
    expect(body.toString()).toMatch(/"reasoning_content":"Hm.*"content":"Rain\."/s);
    expect(body.toString()).not.toContain('think>');
  });

  test('are told apart for a client of another API', async () => {
    const { router } = await setUp(answer, { translate: ['messages'], repairs: { thinkTags: true } });
    const { json } = await ask(`${router.url}/v1/messages`, {
      body: { model: 'm', max_tokens: 50, messages },
    }).answer;
    expect(json()).toMatchObject({
      content: [
        { type: 'thinking', thinking: 'Hm.' },
        { type: 'text', text: 'Rain.' },
      ],
    });
  });

  test('are told apart where the answer is put together from a stream', async () => {
    const { engine, router } = await setUp(answer, {
      engine: 'llamacpp',
      models: ['m'],
      repairs: { thinkTags: true },
    });
    const { json } = await ask(`${router.url}/v1/chat/completions`, { body: { model: 'm', messages } })
      .answer;
    expect(engine.asked[0]?.body['stream']).toBe(true);
    expect(json()).toMatchObject({ choices: [{ message: { content: 'Rain.', reasoning_content: 'Hm.' } }] });
  });

  test('are not looked for in an error that comes in the stream of an answer to be put together', async () => {
    const error = { code: 400, message: 'no', type: 'mine' };
    const { router } = await setUp(() => ({ type: 'text/event-stream', body: event({ error }) }), {
      engine: 'llamacpp',
      models: ['m'],
      repairs: { thinkTags: true },
    });
    const refused = await ask(`${router.url}/v1/chat/completions`, { body: { model: 'm', messages } }).answer;
    expect([refused.status, refused.json()]).toEqual([400, { error }]);
  });

  test('stay where nobody wants them to go, and an error passes as it came', async () => {
    const error: ScriptedAnswer = {
      status: 400,
      body: { error: { message: 'no', type: 'mine', extra: [1] } },
    };
    const { router } = await setUp(
      ({ body }) => ('seed' in body ? error : answer({ path: '', text: '', body })),
      {
        repairs: { thinkTags: true },
      },
    );
    const refused = await ask(`${router.url}/v1/chat/completions`, {
      body: { model: 'm', messages, seed: 1 },
    }).answer;
    expect([refused.status, refused.json()]).toEqual([400, error.body]);
    await router.reload({
      backends: { one: { url: (await router.status()).backends[0]?.url, engine: 'openai' } },
    });
    const plain = await ask(`${router.url}/v1/chat/completions`, { body: { model: 'm', messages } }).answer;
    expect(plain.json()).toMatchObject({ choices: [{ message: { content: text } }] });
  });
});

describe('the prompt', () => {
  test.each([
    ['of an answer that is put together', '/v1/chat/completions'],
    ['of an answer that is translated', '/api/chat'],
  ])('%s is told of while the engine reads it', async (_, path) => {
    let goOn = (): void => undefined;
    const slowly: ScriptedAnswer = {
      write(response) {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        const progress = { total: 1000, cache: 0, processed: 430, time_ms: 5 };
        const base = { id: 'x', object: 'chat.completion.chunk', created: 1, model: 'm' };
        response.write(
          event({
            ...base,
            choices: [{ index: 0, delta: { role: 'assistant', content: null }, finish_reason: null }],
            prompt_progress: progress,
          }),
        );
        goOn = () => response.end(`${chunk({ content: 'Rain.' })}${chunk({}, 'stop')}data: [DONE]\n\n`);
      },
    };
    const { engine, router } = await setUp(() => slowly, { engine: 'llamacpp', models: ['m'] });
    const asking = ask(router.url + path, { body: { model: 'm', messages, stream: path === '/api/chat' } });
    const running = async () =>
      ((await ask(`${router.url}/api/requests`).answer).json() as { running: object[] }).running[0];
    await until(async () => JSON.stringify(await running())?.includes('"prompt_progress":{') ?? false);
    expect(await running()).toMatchObject({
      prompt_progress: { done: 430, total: 1000 },
      first_byte_ms: null,
    });
    expect(engine.asked[0]?.body['return_progress']).toBe(true);
    goOn();
    const { status, body } = await asking.answer;
    expect([status, body.toString().includes('Rain.')]).toEqual([200, true]);
  });
});
