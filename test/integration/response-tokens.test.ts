/** Counts of tokens for the Responses API: by the engine where it can count, else guessed; and what else of the API is refused. */
import { afterEach, describe, expect, test } from 'vitest';
import {
  startScriptedEngine,
  type ScriptedAnswer,
  type ScriptedEngine,
} from '../fake-engine/scripted-engine.ts';
import { ask, type Answer } from './client.ts';
import { startRouter } from './start-router.ts';

const closing: (() => PromiseLike<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

interface Setup {
  readonly engines: readonly ScriptedEngine[];
  readonly post: (path: string, body: object) => Promise<Answer>;
}

/** Backends `b0`, `b1` … of these kinds, all with the model `m`. */
async function setUp(kinds: readonly string[], answer: (path: string) => ScriptedAnswer): Promise<Setup> {
  const engines: ScriptedEngine[] = [];
  for (const _ of kinds) {
    const engine = await startScriptedEngine({ answer: ({ path }) => answer(path) });
    closing.push(() => engine.close());
    engines.push(engine);
  }
  const backends = kinds.map((engine, index) => [`b${index}`, { url: engines[index]?.url, engine }]);
  const router = await startRouter({ backends: Object.fromEntries(backends) });
  closing.push(() => router[Symbol.asyncDispose]());
  await router.ready();
  return { engines, post: (path, body) => ask(router.url + path, { body }).answer };
}

const counted: ScriptedAnswer = { body: { input_tokens: 15, object: 'response.input_tokens' } };
const notFound: ScriptedAnswer = {
  status: 404,
  body: { error: { code: 404, message: 'File Not Found', type: 'not_found_error' } },
};
const said: ScriptedAnswer = {
  body: {
    id: 'x',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 },
  },
};
const path = '/v1/responses/input_tokens';
const body = { model: 'm', instructions: 'Be terse.', input: 'hello there' };

describe('tokens of a request of the Responses API', () => {
  test('are counted by llama.cpp for the chat completion that it would get', async () => {
    const { engines, post } = await setUp(['llamacpp'], () => counted);
    const answer = await post(path, body);
    expect([answer.status, answer.json(), answer.headers['x-llamero-estimated']]).toEqual([
      200,
      { input_tokens: 15, object: 'response.input_tokens' },
      undefined,
    ]);
    expect(engines[0]?.asked).toMatchObject([
      {
        path: '/v1/chat/completions/input_tokens',
        body: {
          messages: [
            { role: 'system', content: 'Be terse.' },
            { role: 'user', content: 'hello there' },
          ],
        },
      },
    ]);
  });

  test('are counted with all that was said before', async () => {
    const { engines, post } = await setUp(['llamacpp'], (asked) =>
      asked.endsWith('tokens') ? counted : said,
    );
    const made = await post('/v1/responses', { model: 'm', input: 'one' });
    await post(path, { model: 'm', input: 'two', previous_response_id: made.json()['id'] });
    expect(engines[0]?.asked.at(-1)?.body['messages']).toMatchObject([
      { role: 'user', content: 'one' },
      { role: 'assistant', content: 'Hi' },
      { role: 'user', content: 'two' },
    ]);
  });

  test('are counted by a service that has the route, as they came', async () => {
    const { engines, post } = await setUp(['openai'], () => counted);
    expect((await post(path, body)).json()).toMatchObject({ input_tokens: 15 });
    expect(engines[0]?.asked).toMatchObject([{ path, body }]);
  });

  test.each([['vllm'], ['sglang'], ['llamacpp'], ['openai']])(
    'are guessed where %s cannot count',
    async (kind) => {
      const { engines, post } = await setUp([kind], () => notFound);
      const counts = [];
      for (const input of ['hello', 'hello there, how are you today']) {
        const answer = await post(path, { model: 'm', input });
        expect([answer.status, answer.headers['x-llamero-estimated']]).toEqual([200, 'true']);
        expect(answer.json()['object']).toBe('response.input_tokens');
        counts.push(Number(answer.json()['input_tokens']));
      }
      expect(counts[0]).toBeGreaterThan(0);
      expect(counts[1]).toBeGreaterThan(counts[0] ?? 0);
      expect(engines[0]?.asked.length).toBeLessThanOrEqual(1);
    },
  );

  test('of no input at all are those of the instructions', async () => {
    const { post } = await setUp(['vllm'], () => notFound);
    const answer = await post(path, { model: 'm', instructions: 'Be terse.' });
    expect(answer.json()['input_tokens']).toBeGreaterThan(0);
  });
});

test.each([path, '/v1/messages/count_tokens'])(
  'a count at %s comes although one of two engines turns out to lack the route',
  async (route) => {
    const { post } = await setUp(['llamacpp', 'llamacpp'], () => notFound);
    const messages = [{ role: 'user', content: 'hello' }];
    for (const _ of [1, 2, 3]) {
      const answer = await post(route, { model: 'm', input: 'hello', messages });
      expect([answer.status, answer.headers['x-llamero-estimated']]).toEqual([200, 'true']);
    }
  },
);

const notSupported: ScriptedAnswer = {
  status: 501,
  body: { error: { code: 501, message: 'This server does not count', type: 'not_supported_error' } },
};

test.each(
  [path, '/v1/messages/count_tokens'].flatMap((route) => [
    [route, notFound],
    [route, notSupported],
  ]),
)('an engine that lacks %s is asked once for it, until it is another one', async (route, refusal) => {
  const { engines, post } = await setUp(['openai'], () => refusal);
  const [engine] = engines;
  const messages = [{ role: 'user', content: 'hello' }];
  for (const _ of [1, 2, 3]) {
    const answer = await post(route, { model: 'm', input: 'hello', messages });
    expect([answer.status, answer.headers['x-llamero-estimated']]).toEqual([200, 'true']);
  }
  expect(engine?.asked).toHaveLength(1);
});

describe('what only a service can do that keeps conversations', () => {
  test.each(['/v1/responses/compact', '/v1/conversations', '/v1/conversations/conv_1/items'])(
    'is refused at %s in words that help',
    async (refused) => {
      const { engines, post } = await setUp(['llamacpp', 'vllm'], () => notFound);
      const answer = await post(refused, body);
      expect([answer.status, answer.json()]).toMatchObject([
        501,
        { error: { code: 'not_supported', message: expect.stringMatching(/^No backend .+; .+/) as string } },
      ]);
      expect(engines.flatMap(({ asked }) => asked)).toEqual([]);
    },
  );

  test('goes to a backend that may be such a service', async () => {
    const { engines, post } = await setUp(['openai'], () => ({ body: { object: 'response.compaction' } }));
    expect((await post('/v1/responses/compact', body)).json()).toEqual({ object: 'response.compaction' });
    expect(engines[0]?.asked).toMatchObject([{ path: '/v1/responses/compact', body }]);
  });
});
