/** Errors of engines that were asked in another API than the client's: told in the client's, wherever they come. */
import { afterEach, describe, expect, test } from 'vitest';
import {
  startScriptedEngine,
  type ScriptedAnswer,
  type ScriptedEngine,
} from '../fake-engine/scripted-engine.ts';
import { ask, type Answer } from './client.ts';
import { startRouter, type TestRouter } from './start-router.ts';

const closing: (() => PromiseLike<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

interface Setup {
  readonly engine: ScriptedEngine;
  readonly router: TestRouter;
}

async function setUp(
  answer: (path: string, index: number) => ScriptedAnswer,
  more: { readonly backend?: object; readonly config?: object } = {},
): Promise<Setup> {
  const engine = await startScriptedEngine({ answer: ({ path }, index) => answer(path, index) });
  closing.push(() => engine.close());
  const backend = { url: engine.url, engine: 'openai', ...more.backend };
  const router = await startRouter({ backends: { one: backend }, ...more.config });
  closing.push(() => router[Symbol.asyncDispose]());
  await router.ready();
  return { engine, router };
}

interface Caller {
  readonly name: string;
  readonly path: string;
  readonly body: object;
  /** Routes that the engine is not to be asked by. */
  readonly translate: readonly string[];
  /** The message, where the body of an answer is an error of this API. */
  readonly messageOf: (body: Fields) => unknown;
  /** The same of the last event of a stream. */
  readonly lateMessageOf: (event: Fields) => unknown;
}

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null;
/** `{}` for what is no object. */
const fieldsIn = (body: Fields, name: string): Fields => {
  const value = body[name];
  return isFields(value) ? value : {};
};

const messages = [{ role: 'user', content: 'hello' }];
const openaiMessage = (body: Fields): unknown => {
  const error = fieldsIn(body, 'error');
  return 'type' in error && 'code' in error && 'param' in error ? error['message'] : undefined;
};
const anthropicMessage = (body: Fields): unknown => {
  const error = fieldsIn(body, 'error');
  return body['type'] === 'error' && 'type' in error ? error['message'] : undefined;
};
const failedResponseMessage = (event: Fields): unknown =>
  event['type'] === 'response.failed' ? fieldsIn(fieldsIn(event, 'response'), 'error')['message'] : undefined;
const ollamaMessage = (body: Fields): unknown =>
  Object.keys(body).join() === 'error' ? body['error'] : undefined;

const callers: readonly Caller[] = [
  {
    name: 'chat completions',
    path: '/v1/chat/completions',
    body: { messages },
    translate: ['chat-completions', 'ollama-chat', 'responses'],
    messageOf: openaiMessage,
    lateMessageOf: openaiMessage,
  },
  {
    name: 'responses',
    path: '/v1/responses',
    body: { input: 'hello' },
    translate: ['responses'],
    messageOf: openaiMessage,
    lateMessageOf: failedResponseMessage,
  },
  {
    name: 'messages',
    path: '/v1/messages',
    body: { max_tokens: 9, messages },
    translate: ['messages'],
    messageOf: anthropicMessage,
    lateMessageOf: anthropicMessage,
  },
  {
    name: 'ollama chat',
    path: '/api/chat',
    body: { messages },
    translate: [],
    messageOf: ollamaMessage,
    lateMessageOf: ollamaMessage,
  },
  {
    name: 'ollama generate',
    path: '/api/generate',
    body: { prompt: 'hello' },
    translate: [],
    messageOf: ollamaMessage,
    lateMessageOf: ollamaMessage,
  },
];

function request(caller: Caller, router: TestRouter, stream: boolean): Promise<Answer> {
  return ask(router.url + caller.path, { body: { model: 'm', ...caller.body, stream } }).answer;
}

/** In the shape of the API that was asked. */
const errorOf = (path: string, message: string): Fields =>
  path === '/v1/messages'
    ? { type: 'error', error: { type: 'overloaded_error', message } }
    : { error: { message, type: 'unavailable_error', code: 503, detail: 'of the engine' } };

const lastEvent = (text: string): Fields => {
  const line = text
    .trimEnd()
    .split('\n')
    .findLast((found) => found.includes('{'));
  return JSON.parse((line ?? '').replace(/^data: /, '')) as Fields;
};

describe.each(callers)('a client of $name', (caller) => {
  const backend = { translate: caller.translate };

  describe.each([false, true])('with stream: %s', (stream) => {
    test.each([400, 401, 429, 500, 502, 503, 529])('reads status %i in its own words', async (status) => {
      const { router } = await setUp((path) => ({ status, body: errorOf(path, 'no room') }), { backend });
      const answer = await request(caller, router, stream);
      expect([answer.status, answer.headers['content-type']]).toEqual([
        status,
        'application/json; charset=utf-8',
      ]);
      expect(caller.messageOf(answer.json())).toBe('no room');
      expect(answer.body.toString()).not.toContain('of the engine');
      const line = router.logLines.findLast(({ msg }) => msg === 'request');
      expect(line).toMatchObject({ status, outcome: 'passed_through_error' });
    });

    test('reads a page of a proxy in its own words', async () => {
      const { router } = await setUp(() => ({ status: 503, type: 'text/html', body: '<h1>down</h1>' }), {
        backend,
      });
      const answer = await request(caller, router, stream);
      expect([answer.status, caller.messageOf(answer.json())]).toEqual([503, '<h1>down</h1>']);
    });

    test('reads an error in place of an answer', async () => {
      const { router } = await setUp((path) => ({ body: errorOf(path, 'no room') }), { backend });
      const answer = await request(caller, router, stream);
      expect(answer.status).toBeGreaterThanOrEqual(500);
      expect(caller.messageOf(answer.json())).toBe('no room');
    });
  });

  test('reads an error that is the whole stream by its status', async () => {
    const { router } = await setUp((path) => streamed(path, errorOf(path, 'no room')), { backend });
    const answer = await request(caller, router, true);
    expect(answer.status).toBeGreaterThanOrEqual(500);
    expect(caller.messageOf(answer.json())).toBe('no room');
  });

  test('reads an error in the midst of a stream as its last event', async () => {
    const { router } = await setUp((path) => streamed(path, ...beginning(path), errorOf(path, 'no room')), {
      backend,
    });
    const answer = await request(caller, router, true);
    expect(answer.status).toBe(200);
    expect(answer.body.toString()).toContain('Hi');
    expect(caller.lateMessageOf(lastEvent(answer.body.toString()))).toBe('no room');
  });

  test.each([429, 503])('reads status %i as the last event of a stream that had begun', async (status) => {
    const { router } = await setUp(
      (path) => ({
        write: (response) =>
          void setTimeout(() => {
            response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
            response.end(JSON.stringify(errorOf(path, 'no room')));
          }, 150),
      }),
      { backend, config: { streaming: { keepalive: '30ms' } } },
    );
    const answer = await request(caller, router, true);
    expect(answer.status).toBe(200);
    expect(caller.lateMessageOf(lastEvent(answer.body.toString()))).toBe('no room');
    const line = router.logLines.findLast(({ msg }) => msg === 'request');
    expect(line).toMatchObject({ status: 200, outcome: 'passed_through_error' });
  });
});

describe('an engine that lacks the second route as well', () => {
  const notFound: ScriptedAnswer = { status: 404, body: { detail: 'Not Found' } };
  const said = {
    id: 'x',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content: [{ type: 'text', text: 'Hi' }],
    stop_reason: 'end_turn',
    usage: { input_tokens: 1, output_tokens: 1 },
  };

  test('is asked by the others that it may have, and by the right one at once from then on', async () => {
    const { engine, router } = await setUp((path) => (path === '/v1/messages' ? { body: said } : notFound), {
      backend: { translate: ['ollama-chat'] },
    });
    const body = { model: 'm', messages, stream: false };
    for (const _ of [1, 2]) {
      const answer = await ask(`${router.url}/api/chat`, { body }).answer;
      expect(answer.json()).toMatchObject({ message: { content: 'Hi' }, done: true });
    }
    expect(engine.asked.map(({ path }) => path)).toEqual([
      '/v1/chat/completions',
      '/v1/responses',
      '/v1/messages',
      '/v1/messages',
    ]);
  });

  test('is asked by them after the client asked by one that it lacks', async () => {
    const { engine, router } = await setUp((path) => (path === '/v1/messages' ? { body: said } : notFound));
    const answer = await ask(`${router.url}/v1/responses`, { body: { model: 'm', input: 'hello' } }).answer;
    expect(answer.json()).toMatchObject({ object: 'response', status: 'completed' });
    expect(engine.asked.map(({ path }) => path)).toEqual([
      '/v1/responses',
      '/v1/chat/completions',
      '/v1/messages',
    ]);
  });

  test('has its last word passed on when it has none of them, and nothing is learnt', async () => {
    const { engine, router } = await setUp(() => notFound);
    const body = { model: 'm', messages, stream: false };
    for (const round of [1, 2]) {
      const answer = await ask(`${router.url}/api/chat`, { body }).answer;
      expect([answer.status, answer.json()]).toEqual([404, { error: 'Not Found' }]);
      expect(engine.asked).toHaveLength(3 * round);
    }
  });

  test('is not tried by others when it lacks the model', async () => {
    const { engine, router } = await setUp(() => ({
      status: 404,
      body: { error: { message: 'The model `m` does not exist', type: 'NotFoundError', code: 404 } },
    }));
    const body = { model: 'm', messages, stream: false };
    const answer = await ask(`${router.url}/api/chat`, { body }).answer;
    expect([answer.status, answer.json()]).toEqual([404, { error: 'The model `m` does not exist' }]);
    expect(engine.asked).toHaveLength(1);
  });
});

/** Events of the API that was asked. */
function streamed(path: string, ...events: readonly Fields[]): ScriptedAnswer {
  const text = events.map((event) =>
    path === '/v1/messages'
      ? `event: ${String(event['type'])}\ndata: ${JSON.stringify(event)}\n\n`
      : `data: ${JSON.stringify(event)}\n\n`,
  );
  return { type: 'text/event-stream', body: text.join('') };
}

function beginning(path: string): readonly Fields[] {
  if (path === '/v1/messages') {
    const usage = { input_tokens: 1, output_tokens: 1 };
    return [
      {
        type: 'message_start',
        message: { id: 'x', type: 'message', role: 'assistant', content: [], model: 'm', usage },
      },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hi' } },
    ];
  }
  const choices = [{ index: 0, delta: { role: 'assistant', content: 'Hi' }, finish_reason: null }];
  return [{ id: 'x', object: 'chat.completion.chunk', created: 1, model: 'm', choices }];
}
