/**
 * Broken requests in every client's API, for engines that have another one: refused in the words of the caller, by
 * the name of what is wrong, before an engine is asked; and the router is none the worse for it.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask } from '../integration/client.ts';
import { startRouter, until, type TestRouter } from '../integration/start-router.ts';
import { startRecordedEngine, type RecordedEngine } from './engines/recorded-engine.ts';
import { modelName, subjects } from './engines/subjects.ts';
import { scenarios, type Fields } from './scenario.ts';

interface Api {
  readonly path: string;
  /** Engine that lacks it, or is told so. */
  readonly engine: string;
  readonly translate: readonly string[];
  /** A proper request with this text. */
  readonly body: (text: unknown) => Fields;
  /** What is wrong, and the member that the answer has to name. */
  readonly broken: Readonly<Record<string, readonly [Fields, RegExp]>>;
  readonly messageOf: (answer: Fields) => unknown;
}

const openaiMessage = (answer: Fields) => (answer['error'] as Fields | undefined)?.['message'];
const says = (role: string, content: unknown, more: Fields = {}) => ({ role, content, ...more });
const chatCall = { id: 'c1', type: 'function', function: { name: 'f', arguments: '{}' } };

const apis: readonly Api[] = [
  {
    path: '/v1/chat/completions',
    engine: 'Messages only',
    translate: ['chat-completions', 'responses'],
    body: (text) => ({ model: modelName, messages: [says('user', text)] }),
    messageOf: openaiMessage,
    broken: {
      'messages of a wrong type': [{ messages: 17 }, /messages/],
      'no messages': [{ messages: undefined }, /messages/],
      'a temperature of a wrong type': [{ temperature: 'hot' }, /temperature/],
      'an unknown role': [{ messages: [says('wizard', 'x')] }, /messages\[0\]\.role/],
      'a content of a wrong type': [{ messages: [says('user', 17)] }, /messages\[0\]\.content/],
      'an unknown part': [
        { messages: [says('user', [{ type: 'smell' }])] },
        /messages\[0\]\.content\[0\]\.type/,
      ],
      'an image without a place': [
        { messages: [says('user', [{ type: 'image_url', image_url: {} }])] },
        /messages\[0\]\.content\[0\]\.image_url\.url/,
      ],
      'a result without its id': [{ messages: [says('tool', 'x')] }, /messages\[0\]\.tool_call_id/],
      'a call without its function': [
        { messages: [says('assistant', null, { tool_calls: [{ ...chatCall, function: 1 }] })] },
        /messages\[0\]\.tool_calls\[0\]\.function/,
      ],
      'tools of a wrong type': [{ tools: {} }, /tools/],
    },
  },
  {
    path: '/v1/completions',
    engine: 'Ollama',
    translate: ['completions'],
    body: (prompt) => ({ model: modelName, prompt }),
    messageOf: openaiMessage,
    broken: {
      'a prompt of a wrong type': [{ prompt: { a: 1 } }, /prompt/],
      'a limit of a wrong type': [{ max_tokens: '5' }, /max_tokens/],
      'a stop of a wrong type': [{ stop: [1] }, /stop/],
    },
  },
  {
    path: '/v1/responses',
    engine: 'chat completions only',
    translate: ['responses', 'messages'],
    body: (input) => ({ model: modelName, input }),
    messageOf: openaiMessage,
    broken: {
      'an input of a wrong type': [{ input: 17 }, /input/],
      'an unknown role': [{ input: [says('wizard', 'x')] }, /input\[0\]\.role/],
      'a result without a call': [
        { input: [{ type: 'function_call_output', call_id: 'c1', output: 'x' }] },
        /input\[0\]\.call_id/,
      ],
      'a limit of a wrong type': [{ max_output_tokens: 'x' }, /max_output_tokens/],
      'tools of a wrong type': [{ tools: 1 }, /tools/],
    },
  },
  {
    path: '/v1/messages',
    engine: 'chat completions only',
    translate: ['responses', 'messages'],
    body: (text) => ({ model: modelName, max_tokens: 9, messages: [says('user', text)] }),
    messageOf: openaiMessage,
    broken: {
      'no limit': [{ max_tokens: undefined }, /max_tokens/],
      'messages of a wrong type': [{ messages: 'x' }, /messages/],
      'an unknown role': [{ messages: [says('wizard', 'x')] }, /messages\[0\]\.role/],
      'a result without a call': [
        { messages: [says('user', [{ type: 'tool_result', tool_use_id: 't', content: 'x' }])] },
        /messages\[0\]\.content\[0\]\.tool_use_id/,
      ],
      'an image of a wrong type': [
        { messages: [says('user', [{ type: 'image', source: 1 }])] },
        /messages\[0\]\.content\[0\]\.source/,
      ],
      'a system prompt of a wrong type': [{ system: 5 }, /system/],
    },
  },
  {
    path: '/api/chat',
    engine: 'chat completions only',
    translate: ['responses', 'messages'],
    body: (content) => ({ model: modelName, messages: [says('user', content)] }),
    messageOf: ({ error }) => error,
    broken: {
      'messages of a wrong type': [{ messages: {} }, /messages/],
      'an unknown role': [{ messages: [says('wizard', 'x')] }, /messages\[0\]\.role/],
      'images of a wrong type': [
        { messages: [says('user', 'x', { images: [1] })] },
        /messages\[0\]\.images\[0\]/,
      ],
      'options of a wrong type': [{ options: [] }, /options/],
    },
  },
  {
    path: '/api/generate',
    engine: 'chat completions only',
    translate: ['responses', 'messages'],
    body: (prompt) => ({ model: modelName, prompt }),
    messageOf: ({ error }) => error,
    broken: {
      'a prompt of a wrong type': [{ prompt: [1] }, /prompt/],
      'images of a wrong type': [{ images: 'x' }, /images/],
      'a thought of a wrong type': [{ think: 5 }, /think/],
    },
  },
];

let marks = 0;
const levels = 10_000;
const nested = '['.repeat(levels) + ']'.repeat(levels);

describe.each(apis)('$path', ({ path, engine: title, translate, body, broken, messageOf }) => {
  let engine: RecordedEngine;
  let router: TestRouter;
  beforeAll(async () => {
    const subject = subjects.find((each) => each.title === title);
    if (subject === undefined) throw new Error(`no engine '${title}'`);
    engine = await startRecordedEngine(subject);
    router = await startRouter({
      limits: { body: '256KiB' },
      backends: { e: { url: engine.url, translate: [...translate] } },
    });
    await router.ready();
  });
  afterAll(async () => {
    await router[Symbol.asyncDispose]();
    await engine.close();
  });

  const post = (sent: string) => ask(`${router.url}${path}`, { body: sent }).answer;

  test.each(Object.entries(broken))('refuses %s', async (_what, [more, name]) => {
    const answer = await post(JSON.stringify({ ...body('hello'), ...more }));
    expect([answer.status, messageOf(answer.json())]).toEqual([400, expect.stringMatching(name)]);
    expect(answer.headers['x-llamero-backend']).toBeUndefined();
  });

  test.each([
    ['broken JSON', `${JSON.stringify(body('hello')).slice(0, -1)},`],
    ['nothing', ''],
    ['a list', '[1]'],
  ])('refuses %s', async (_what, sent) => {
    const answer = await post(sent);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    expect(messageOf(answer.json())).toEqual(expect.any(String));
  });

  test('refuses a body over the limit', async () => {
    const answer = await post(JSON.stringify(body('x'.repeat(300 * 1024))));
    expect([answer.status, messageOf(answer.json())]).toEqual([413, expect.any(String)]);
  });

  test('refuses a text that is ten thousand lists', async () => {
    const answer = await post(JSON.stringify(body('DEEP')).replace('"DEEP"', nested));
    expect([answer.status, messageOf(answer.json())]).toEqual([400, expect.any(String)]);
  });

  test.each([
    ['a member that is ten thousand lists deep', `{"metadata_of_mine":${nested},`],
    ['members twice', `{"model":"nobody","stream":true,`],
    ['half of a character', '{"mine":"\\ud800",'],
  ])('answers or refuses %s, and stays well', async (_what, head) => {
    const scenario = scenarios.find(({ name }) => name === 'text');
    if (scenario === undefined) throw new Error('no scenario');
    const mark = `cell-${marks++}:`;
    engine.open(mark, scenario);
    const answer = await post(head + JSON.stringify({ ...body(`${mark} \ud800 x`), stream: false }).slice(1));
    expect([200, 400]).toContain(answer.status);
    if (answer.status === 400) expect(messageOf(answer.json())).toEqual(expect.any(String));
    else expect(JSON.stringify(answer.json())).toContain('The river runs');
  });

  test('has lost no slot, and answers on', async () => {
    await until(async () => (await router.status()).backends.every(({ slots }) => slots.own === 0));
    const scenario = scenarios.find(({ name }) => name === 'text');
    if (scenario === undefined) throw new Error('no scenario');
    const mark = `cell-${marks++}:`;
    engine.open(mark, scenario);
    const answer = await post(JSON.stringify({ ...body(`${mark} hello`), stream: false }));
    expect([answer.status, JSON.stringify(answer.json())]).toEqual([
      200,
      expect.stringContaining('The river runs'),
    ]);
  });
});
