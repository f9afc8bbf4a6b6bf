/** The Responses API's memory, over engines that have none. */
import { describe, expect, test } from 'vitest';
import { startFakeEngine } from '../fake-engine/start.ts';
import { ask, type Answer } from './client.ts';
import { startRouter } from './start-router.ts';

const keys = ['key-of-ada', { name: 'bob', key: 'key-of-bob' }];

async function setUp(config: object = {}) {
  const engine = await startFakeEngine();
  const router = await startRouter({ backends: { one: { url: engine.url, engine: 'llamacpp' } }, ...config });
  await router.ready();
  const call = (method: string, path: string, body?: object, key = 'key-of-ada'): Promise<Answer> =>
    ask(`${router.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${key}` },
      ...(body !== undefined && { body }),
    }).answer;
  return {
    respond: (body: object, key?: string) =>
      call('POST', '/v1/responses', { model: 'tiny', max_output_tokens: 4, ...body }, key),
    call,
    /** Messages of the newest chat request that reached the engine. */
    async asked() {
      const { requests } = await engine.report();
      const last = requests.findLast(({ path }) => path === '/v1/chat/completions');
      return (JSON.parse(last?.body ?? '{}') as { messages?: { role: string; content: string }[] }).messages;
    },
    async [Symbol.asyncDispose]() {
      await router[Symbol.asyncDispose]();
      await engine.close();
    },
  };
}

const idOf = (answer: Answer): string => String(answer.json()['id']);

/** The answer in the last event of a stream. */
function streamed(answer: Answer): Record<string, unknown> {
  const last = answer.body.toString().trim().split('\n\n').at(-1) ?? '';
  const data = JSON.parse(last.slice(last.indexOf('data: ') + 6)) as { response: Record<string, unknown> };
  return data.response;
}

describe('a response', () => {
  test('goes on from an earlier one, whole or streamed', async () => {
    await using setup = await setUp();
    const first = await setup.respond({ input: 'one' });
    const second = await setup.respond({ input: 'two', previous_response_id: idOf(first), stream: true });
    const third = await setup.respond({ input: 'three', previous_response_id: streamed(second)['id'] });
    expect(third.json()).toMatchObject({ previous_response_id: streamed(second)['id'], store: true });
    const messages = await setup.asked();
    expect(messages?.map(({ role }) => role)).toEqual(['user', 'assistant', 'user', 'assistant', 'user']);
    expect(messages?.filter(({ role }) => role === 'user').map(({ content }) => content)).toEqual([
      'one',
      'two',
      'three',
    ]);
  });

  test('is read, listed and deleted by its id', async () => {
    await using setup = await setUp();
    const made = await setup.respond({ input: 'one' });
    const path = `/v1/responses/${idOf(made)}`;
    expect((await setup.call('GET', path)).json()).toEqual(made.json());
    expect((await setup.call('GET', `${path}/input_items`)).json()).toMatchObject({
      data: [{ role: 'user', content: [{ type: 'input_text', text: 'one' }] }],
      has_more: false,
    });
    expect((await setup.call('DELETE', path)).json()).toMatchObject({ deleted: true });
    expect((await setup.call('GET', path)).status).toBe(404);
  });

  test('is neither cancelled nor streamed once it is there', async () => {
    await using setup = await setUp();
    const path = `/v1/responses/${idOf(await setup.respond({ input: 'one' }))}`;
    for (const [method, wish] of [
      ['POST', `${path}/cancel`],
      ['GET', `${path}?stream=true`],
    ] as const) {
      const answer = await setup.call(method, wish);
      expect([answer.status, answer.json()]).toMatchObject([
        400,
        { error: { message: expect.stringContaining('not made in the background') as string } },
      ]);
    }
    expect((await setup.call('POST', `${path}x/cancel`)).status).toBe(404);
    expect((await setup.call('GET', path)).status).toBe(200);
  });

  test('that is not to be stored is not kept', async () => {
    await using setup = await setUp();
    const made = await setup.respond({ input: 'one', store: false });
    expect(made.json()).toMatchObject({ store: false });
    const next = await setup.respond({ input: 'two', previous_response_id: idOf(made) });
    expect([next.status, next.json()]).toEqual([
      400,
      {
        error: {
          message: `Previous response with id '${idOf(made)}' not found.`,
          type: 'invalid_request_error',
          param: 'previous_response_id',
          code: 'response_not_found',
        },
      },
    ]);
  });

  test('belongs to the key that asked for it', async () => {
    await using setup = await setUp({ apiKeys: keys });
    const made = await setup.respond({ input: 'mine' });
    const path = `/v1/responses/${idOf(made)}`;
    expect((await setup.call('GET', path, undefined, 'key-of-bob')).status).toBe(404);
    expect((await setup.call('DELETE', path, undefined, 'key-of-bob')).status).toBe(404);
    const stolen = await setup.respond({ input: 'x', previous_response_id: idOf(made) }, 'key-of-bob');
    expect(stolen.status).toBe(400);
    expect((await setup.call('GET', path)).status).toBe(200);
  });

  test('is kept nowhere where that is turned off, and says so', async () => {
    await using setup = await setUp({ responses: { rowsMax: 0 } });
    const made = await setup.respond({ input: 'one' });
    expect(made.json()).toMatchObject({ store: false });
    expect((await setup.call('GET', `/v1/responses/${idOf(made)}`)).status).toBe(404);
  });
});
