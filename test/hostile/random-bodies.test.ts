/** Sound requests and answers in which anything may stand where something else should: nothing of it is a fault of the router's. */
import { expect, test } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { startScriptedEngine } from '../fake-engine/scripted-engine.ts';
import { ask, chat } from '../integration/client.ts';
import { startRouter } from '../integration/start-router.ts';

const random = createRandom(4_711);
const pick = <Value>(values: readonly Value[]): Value =>
  values[Math.floor(random.next() * values.length)] as Value;

const junk: readonly unknown[] = [
  null,
  true,
  -1,
  1e308,
  '',
  'a\r\nb: c',
  '\ud800',
  '{"a":',
  '<think>',
  'data:image/png;base64,@@',
  [],
  [null],
  {},
  { 'a\r\nX-Evil: 1': 1 },
  { type: 'text' },
  { role: 'tool' },
];
const names = [
  'a\r\nX-Evil: 1',
  'ключ',
  'constructor',
  'tools',
  'stop',
  'format',
  'options',
  'n',
  'logprobs',
];

/** About one value in thirty is another one. */
function distort(value: unknown): unknown {
  if (random.next() < 1 / 30) return pick(junk);
  if (Array.isArray(value)) return value.map(distort);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, inner]) => [name, distort(inner)] as const);
  if (random.next() < 1 / 15) entries.push([pick(names), pick(junk)]);
  return Object.fromEntries(entries.filter(() => random.next() > 1 / 50));
}

const tool = { type: 'function', function: { name: 'f', parameters: { type: 'object' } } };
const call = { id: 'c', type: 'function', function: { name: 'f', arguments: '{"a":1}' } };
const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } };
const common = { model: 'm', max_tokens: 5 };
const requests: Readonly<Record<string, object>> = {
  '/v1/chat/completions': {
    ...common,
    tools: [tool],
    messages: [
      { role: 'user', content: [{ type: 'text', text: 'x' }, image] },
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: 'c', content: 'r' },
    ],
  },
  '/v1/messages': {
    ...common,
    system: [{ type: 'text', text: 's' }],
    tools: [{ name: 'f', input_schema: { type: 'object' } }],
    messages: [
      { role: 'user', content: [{ type: 'text', text: 'x' }] },
      { role: 'assistant', content: [{ type: 'tool_use', id: 't', name: 'f', input: { a: 1 } }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't', content: 'r' }] },
    ],
  },
  '/v1/responses': {
    ...common,
    tools: [{ type: 'function', name: 'f', parameters: {} }],
    input: [
      { role: 'user', content: [{ type: 'input_text', text: 'x' }] },
      { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' },
      { type: 'function_call_output', call_id: 'c', output: 'r' },
    ],
  },
  '/api/chat': {
    ...common,
    format: 'json',
    keep_alive: '5m',
    options: { temperature: 1, num_predict: 5 },
    tools: [tool],
    messages: [{ role: 'user', content: 'x', images: ['AAAA'] }],
  },
};

const usage = { prompt_tokens: 3, completion_tokens: 2, prompt_tokens_details: { cached_tokens: 1 } };
const message = {
  role: 'assistant',
  content: '<think>a</think>b',
  reasoning_content: 'c',
  tool_calls: [call],
};
const whole = { id: 'x', choices: [{ index: 0, message, finish_reason: 'tool_calls' }], usage };
const events = [
  { id: 'x', choices: [{ index: 0, delta: message, finish_reason: null }] },
  { id: 'x', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
  { id: 'x', choices: [], usage },
];

test('three hundred distorted exchanges end, and the next one is sound', async () => {
  await using engine = await startScriptedEngine({
    answer({ body }) {
      const isSound = body['sound'] === true;
      if (body['stream'] !== true) return { body: isSound ? whole : (distort(whole) as object) };
      const data = events.map((event) => `data: ${JSON.stringify(isSound ? event : distort(event))}\n\n`);
      return { type: 'text/event-stream', body: `${data.join('')}data: [DONE]\n\n` };
    },
  });
  // SGLang has chat completions alone: the other APIs are translated.
  await using router = await startRouter({
    backends: { one: { url: engine.url, engine: 'sglang', slots: 8 } },
    probes: { interval: '1s', breakerFailures: 1_000 },
    repairs: { thinkTags: true, toolCalls: true },
  });
  await router.ready();
  const askOnce = async (): Promise<void> => {
    const path = pick(Object.keys(requests));
    const body = distort({ ...requests[path], stream: random.next() < 0.5 });
    await ask(`${router.url}${path}`, { body: JSON.stringify(body) }).answer.catch(() => undefined);
  };
  for (let round = 0; round < 50; round += 1) await Promise.all(Array.from({ length: 6 }, askOnce));
  expect(router.logLines.filter(({ code }) => code === 'internal')).toEqual([]);
  expect(engine.asked.length).toBeGreaterThan(50);
  const sound = await chat(router.url, { model: 'm', sound: true }).answer;
  expect([sound.status, sound.json()['object']]).toEqual([200, 'chat.completion']);
});
