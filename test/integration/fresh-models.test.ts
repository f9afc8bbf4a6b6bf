/** Models that come and go, and fail in one place, over three Ollamas; asked by Ollama's own client. */
import { randomUUID } from 'node:crypto';
import { Ollama } from 'ollama';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startFakeOllama } from '../fake-engine/fake-ollama.ts';
import type { FakeOllama } from '../fake-engine/fake-ollama.ts';
import { ask } from './client.ts';
import { startRouter, until } from './start-router.ts';
import type { TestRouter } from './start-router.ts';

const ids = ['one', 'two', 'three'] as const;
let ollamas: FakeOllama[];
let router: TestRouter;
let client: Ollama;

/** Probes so rare that none comes by itself during a test. */
async function start(probes: object, more: object = {}): Promise<void> {
  const backends = Object.fromEntries(
    ids.map((id, at) => [id, { url: ollamas[at]?.url, engine: 'ollama', slots: 4 }]),
  );
  router = await startRouter({ backends, probes, ...more });
  await router.ready([...ids]);
  client = new Ollama({ host: router.url });
}

beforeEach(async () => {
  ollamas = await Promise.all(ids.map(() => startFakeOllama({ models: ['llama3'] })));
});
afterEach(async () => {
  await router[Symbol.asyncDispose]();
  await Promise.all(ollamas.map((ollama) => ollama.close()));
});

/** Each is a conversation of its own. */
const chat = (model: string) =>
  client.chat({ model, messages: [{ role: 'user', content: randomUUID() }], stream: false });
const listings = () => ollamas.map(({ asked }) => asked.filter(({ path }) => path === '/api/tags').length);
const chatsAt = (at: number) => ollamas[at]?.asked.filter(({ path }) => path === '/api/chat') ?? [];

describe('a model that nobody had', () => {
  beforeEach(() => start({ interval: '1h' }));

  test('is used the moment that an Ollama has it', async () => {
    ollamas[1]?.models.add('gemma3:latest');
    expect(await chat('gemma3')).toMatchObject({ message: { content: 'Hello' } });
    expect(chatsAt(1)).toHaveLength(1);
    ollamas[2]?.models.add('qwen3:8b');
    expect(await client.show({ model: 'qwen3:8b' })).toMatchObject({ modelfile: '# fake' });
  });

  test('makes many requests wait for the same look at each backend, and is then refused at once', async () => {
    const before = listings();
    const body = { model: 'nope', messages: [{ role: 'user', content: 'Hi' }] };
    const post = () => ask(`${router.url}/v1/chat/completions`, { body }).answer;
    const answers = await Promise.all(Array.from({ length: 100 }, post));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([404]));
    const after = listings();
    // Those that came when the first look had begun share another one.
    for (const [at, count] of after.entries()) expect([1, 2]).toContain(count - (before[at] ?? 0));
    expect((await post()).status).toBe(404);
    expect(listings()).toEqual(after);
  });

  test('leaves nothing behind when its client leaves while it is looked for', async () => {
    const before = listings();
    // The round after this one comes half a second later.
    await chat('nope').catch(() => undefined);
    const body = { model: 'gone', messages: [{ role: 'user', content: 'Hi' }] };
    const leaving = ask(`${router.url}/v1/chat/completions`, { body });
    leaving.answer.catch(() => undefined);
    const inFlight = async () => (await router.status()).requests.in_flight;
    await until(async () => (await inFlight()) === 1);
    leaving.leave();
    await until(async () => (await inFlight()) === 0);
    ollamas[0]?.models.add('gone:latest');
    await until(() => Promise.resolve(listings()[0] === (before[0] ?? 0) + 2));
    expect(chatsAt(0)).toEqual([]);
    expect(await inFlight()).toBe(0);
  });
});

describe('a model that failed on one backend', () => {
  test('goes to others, other models do not, and comes back when the window is over', async () => {
    for (const ollama of ollamas) ollama.models.add('other:latest');
    await start({ modelFailureWindow: '3s' }, { scheduling: { preset: 'nomyo' } });
    const [first] = ollamas;
    first?.loaded.add('llama3:latest');
    first?.loaded.add('other:latest');
    await until(async () => (await client.ps()).models.length === 2);
    first?.fail('/api/chat', { status: 500, message: 'worker died' });
    await expect(chat('llama3')).rejects.toMatchObject({ status_code: 500 });
    const { backends } = await router.status();
    expect(backends.map(({ distrusted }) => distrusted)).toEqual([['llama3:latest'], [], []]);
    expect(await chat('llama3')).toMatchObject({ message: { content: 'Hello' } });
    await expect(chat('other')).rejects.toMatchObject({ status_code: 500 });
    expect(chatsAt(0).map(({ body }) => body['model'])).toEqual(['llama3', 'other']);
    await until(async () => {
      await chat('llama3').catch(() => undefined);
      return chatsAt(0).length === 3;
    });
  });
});

describe('an Ollama that cannot say what it has loaded', () => {
  test('is passed over while another one can, and used when it is the only one', async () => {
    await start({ modelFailureWindow: '5m' }, { scheduling: { preset: 'nomyo-priority' } });
    const [first, second, third] = ollamas;
    first?.fail('/api/ps', { status: 500, message: 'broken' });
    await until(async () => {
      await chat('llama3');
      return chatsAt(1).length > 0;
    });
    const before = chatsAt(0).length;
    for (let count = 0; count < 5; count += 1) await chat('llama3');
    expect(chatsAt(0)).toHaveLength(before);
    await Promise.all([second?.close(), third?.close()]);
    await chat('llama3');
    expect(chatsAt(0)).toHaveLength(before + 1);
  });
});
