/** Names of members and models that come from outside and are told in headers of answers: no header and no crash comes of them. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startScriptedEngine, type ScriptedEngine } from '../fake-engine/scripted-engine.ts';
import { ask } from '../integration/client.ts';
import { startRouter, type TestRouter } from '../integration/start-router.ts';

const answer = {
  choices: [{ index: 0, message: { role: 'assistant', content: 'yes' }, finish_reason: 'stop' }],
};
const messages = [{ role: 'user', content: 'x' }];

let engine: ScriptedEngine;
let router: TestRouter;
beforeAll(async () => {
  engine = await startScriptedEngine({ answer: () => ({ body: answer }) });
  const proxy = engine.url;
  router = await startRouter({
    // No Ollama, so that what is asked of one is put in other words.
    backends: { one: { url: engine.url, engine: 'openai' } },
    peers: { 北京: { proxy, models: ['modèle-模型'] }, 'evil\r\nX-Evil: 1': { proxy, models: ['e'] } },
  });
  await router.ready(['one']);
});
afterAll(async () => {
  await router[Symbol.asyncDispose]();
  await engine.close();
});

describe('what an engine could not be told', () => {
  test.each([
    ['a line end', 'a\r\nX-Evil: 1', 'a%0D%0AX-Evil:%201'],
    ['other scripts', 'ключ', encodeURIComponent('ключ')],
    ['half a character', 'a\ud800', 'a%EF%BF%BD'],
    ['a comma', 'a,b', 'a%2Cb'],
    ['thousands of characters', 'a'.repeat(30_000), 'a'.repeat(64)],
  ])('is told in one header when its name has %s', async (_, name, expected) => {
    const body = { model: 'm', stream: false, messages, options: { [name]: 1 } };
    const { status, headers } = await ask(`${router.url}/api/chat`, { body }).answer;
    expect([status, headers['x-llamero-dropped'], headers['x-evil']]).toEqual([200, expected, undefined]);
  });

  test('is told in a header that clients take when it is a lot', async () => {
    const options = Object.fromEntries(Array.from({ length: 4_000 }, (_, index) => [`option${index}`, 1]));
    const body = { model: 'm', stream: false, messages, options };
    const { status, headers } = await ask(`${router.url}/api/chat`, { body }).answer;
    const dropped = String(headers['x-llamero-dropped']);
    expect([status, dropped.endsWith('and 3968 more'), dropped.length < 2_500]).toEqual([200, true, true]);
  });
});

test.each([
  ['modèle-模型', 'peer:%E5%8C%97%E4%BA%AC'],
  ['e', 'peer:evil%0D%0AX-Evil: 1'],
])('a backend of any name is told in one header: %s', async (model, expected) => {
  const { status, headers } = await ask(`${router.url}/v1/chat/completions`, { body: { model, messages } })
    .answer;
  expect([status, headers['x-llamero-backend'], headers['x-evil']]).toEqual([200, expected, undefined]);
});
