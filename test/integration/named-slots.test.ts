/** Engines with a prompt cache per slot are told which slot a request is to use, where somebody has asked for that. */
import { expect, test } from 'vitest';
import { startFakeEngine } from '../fake-engine/start.ts';
import { ask } from './client.ts';
import { posts } from './seen-requests.ts';
import { startRouter } from './start-router.ts';

const words = (count: number, seed: string): string =>
  Array.from({ length: count }, (_, at) => `${seed}${at}`).join(' ');
const turn = (seed: string): object => ({ role: 'user', content: words(300, seed) });

async function startNaming(config: object) {
  const engine = await startFakeEngine({ slots: 3 });
  const router = await startRouter({ backends: { one: { url: engine.url } }, ...config });
  await router.ready();
  return {
    /** Returns the bodies of what the engine was sent, as texts, one for each request. */
    async send(requests: readonly (readonly [string, object])[]): Promise<readonly string[]> {
      const before = (await posts(engine)).length;
      for (const [route, body] of requests) {
        const answer = await ask(router.url + route, { body }).answer;
        expect(answer.status, answer.body.toString()).toBe(200);
      }
      const sent = (await posts(engine)).slice(before);
      return sent.map(({ body }) => body);
    },
    async [Symbol.asyncDispose]() {
      await router[Symbol.asyncDispose]();
      await engine.close();
    },
  };
}

const naming = { affinity: { prefix: { nameSlots: true } } };
const chat = (...messages: object[]): readonly [string, object] => [
  '/v1/chat/completions',
  { model: 'tiny', max_tokens: 2, messages },
];
const slotsIn = (bodies: readonly string[]): unknown[] =>
  bodies.map((body) => (JSON.parse(body) as { id_slot?: unknown }).id_slot);

test('conversations that take turns keep a slot each', async () => {
  await using router = await startNaming(naming);
  const first = await router.send([chat(turn('ann')), chat(turn('bob')), chat(turn('cay'))]);
  expect(slotsIn(first)).toEqual([0, 1, 2]);
  const second = await router.send([
    chat(turn('cay'), turn('more')),
    chat(turn('ann'), turn('more')),
    chat(turn('bob'), turn('more')),
  ]);
  expect(slotsIn(second)).toEqual([2, 0, 1]);
});

test('completions are told, too; other routes and those who name a slot themselves are not', async () => {
  await using router = await startNaming(naming);
  const bodies = await router.send([
    ['/v1/completions', { model: 'tiny', max_tokens: 2, prompt: words(300, 'dan') }],
    ['/completion', { prompt: words(300, 'eve'), n_predict: 2 }],
    ['/v1/messages', { model: 'tiny', max_tokens: 2, messages: [turn('fay')] }],
    ['/v1/chat/completions', { id_slot: 7, model: 'tiny', max_tokens: 2, messages: [turn('gil')] }],
  ]);
  expect(slotsIn(bodies)).toEqual([0, 1, undefined, 7]);
});

test('nothing is said of slots unless somebody wants it', async () => {
  await using router = await startNaming({});
  const body = { model: 'tiny', max_tokens: 2, messages: [turn('ann')] };
  const [sent] = await router.send([['/v1/chat/completions', body]]);
  expect(JSON.parse(sent ?? '')).not.toHaveProperty('id_slot');
});
