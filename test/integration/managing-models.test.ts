/** Models pulled, copied and deleted on some backends of a fleet, and plans of that; three Ollamas and a llama-server. */
import { createHash } from 'node:crypto';
import { Ollama } from 'ollama';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startFakeOllama } from '../fake-engine/fake-ollama.ts';
import type { FakeOllama } from '../fake-engine/fake-ollama.ts';
import { startFakeEngine } from '../fake-engine/start.ts';
import type { FakeEngine } from '../fake-engine/start.ts';
import { ask } from './client.ts';
import { startRouter } from './start-router.ts';
import type { TestRouter } from './start-router.ts';

let one: FakeOllama;
let two: FakeOllama;
let three: FakeOllama;
let llama: FakeEngine;
let router: TestRouter;

beforeAll(async () => {
  llama = await startFakeEngine({
    models: [{ id: 'tiny', contextTokens: 4096, promptTokensPerS: 50_000, tokensPerS: 2000 }],
  });
});
afterAll(() => llama.close());

const configOf = (more: object = {}) => ({
  backends: {
    one: { url: one.url, engine: 'ollama' },
    two: { url: two.url, engine: 'ollama' },
    three: { url: three.url, engine: 'ollama' },
    llama: { url: llama.url, engine: 'llamacpp' },
  },
  ...more,
});

beforeEach(async () => {
  one = await startFakeOllama({ models: ['llama3', 'qwen3:8b'] });
  two = await startFakeOllama({ models: ['llama3'] });
  three = await startFakeOllama({ models: [] });
  router = await startRouter(configOf());
  await router.ready();
});
afterEach(async () => {
  await router[Symbol.asyncDispose]();
  await Promise.all([one, two, three].map((ollama) => ollama.close()));
});

interface Sending {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const send = (path: string, body: object, options: Sending = {}) =>
  ask(router.url + path, { method: 'POST', body, ...options }).answer;
const having = (name: string): string[] =>
  Object.entries({ one, two, three }).flatMap(([id, { models }]) => (models.has(name) ? [id] : []));
const digestOf = (name: string): string => createHash('sha256').update(name).digest('hex');
/** What changes something, or asks an engine to compute. */
const changes = (): string[] =>
  [one, two, three].flatMap(({ asked }) =>
    asked.filter(({ method }) => method !== 'GET' && method !== 'HEAD').map(({ path }) => path),
  );

describe('the backends that a call names', () => {
  test.each<[string, string, object, Sending]>([
    ['the query', '/api/pull?backends=one,three', { model: 'gemma3' }, {}],
    ['a header', '/api/pull', { model: 'gemma3' }, { headers: { 'x-llamero-backends': 'one, three' } }],
    ['the body', '/api/pull', { model: 'gemma3', backends: ['one', 'three', 'one'] }, {}],
  ])('in %s pull alone', async (_, path, body, options) => {
    const answer = await send(path, { ...body, stream: false }, options);
    expect([answer.status, answer.json()]).toEqual([200, { status: 'success', backends: ['one', 'three'] }]);
    expect(having('gemma3:latest')).toEqual(['one', 'three']);
    const pulls = one.asked.filter((asked) => asked.path === '/api/pull');
    expect(pulls.map((asked) => asked.body)).toEqual([{ model: 'gemma3', stream: true }]);
  });

  test('copy, delete and get files alone', async () => {
    await send('/api/copy?backends=two', { source: 'llama3', destination: 'mine' });
    expect(having('mine:latest')).toEqual(['two']);
    await send('/api/delete?backends=one', { model: 'llama3' }, { method: 'DELETE' });
    expect(having('llama3:latest')).toEqual(['two']);
    const file = Buffer.from('weights');
    const digest = `sha256:${createHash('sha256').update(file).digest('hex')}`;
    const path = `/api/blobs/${digest}?backends=two`;
    expect((await ask(router.url + path, { method: 'POST', body: file }).answer).status).toBe(201);
    expect((await ask(router.url + path, { method: 'HEAD' }).answer).status).toBe(200);
    expect([one, two, three].map(({ blobs }) => blobs.size)).toEqual([0, 1, 0]);
  });

  test.each([
    ['nobody', '/api/pull?backends=', 400, /must name one backend/],
    ['one that there is not', '/api/pull?backends=nope', 400, /no backend 'nope'/],
    ['one that keeps no models', '/api/pull?backends=llama', 501, /'llama' is a llama.cpp server/],
  ])('are refused when they are %s, and nobody does anything', async (_, path, status, message) => {
    const answer = await send(path, { model: 'gemma3' });
    expect([answer.status, answer.json()]).toEqual([status, { error: expect.stringMatching(message) }]);
    expect(changes()).toEqual([]);
  });

  test('are those of the configuration when a call names none', async () => {
    await router.reload(configOf({ management: ['two'] }));
    await send('/api/pull', { model: 'gemma3', stream: false });
    expect(having('gemma3:latest')).toEqual(['two']);
    await send('/api/pull?backends=one', { model: 'phi4', stream: false });
    expect(having('phi4:latest')).toEqual(['one']);
  });
});

describe('a plan', () => {
  afterEach(() => expect(changes()).toEqual([]));
  const planOf = async (path: string, body: object, options: Sending = {}) =>
    (await send(`${path}${path.includes('?') ? '&' : '?'}plan=true`, body, options)).json();

  test('of a pull tells who has the model already, the same or another, and how large it is elsewhere', async () => {
    one.loaded.add('llama3:latest');
    expect(await planOf('/api/pull', { model: 'llama3' })).toEqual({
      plan: 'pull',
      model: 'llama3',
      backends: [
        {
          backend: 'one',
          would: 'update',
          reason: 'it has the model: only what has changed in the library comes',
          digest: digestOf('llama3:latest'),
          loaded: true,
        },
        expect.objectContaining({ backend: 'two', would: 'update', loaded: false }),
        { backend: 'three', would: 'pull', bytes: 4000 },
      ],
    });
  });

  test('by header is one, too, and names those that cannot do it', async () => {
    await two.close();
    const headers = { 'x-llamero-plan': 'true', 'x-llamero-backends': 'llama,two,three' };
    const answer = await send('/api/pull', { model: 'new' }, { headers });
    expect(answer.json()).toMatchObject({
      backends: [
        { backend: 'llama', would: 'fail', reason: expect.stringContaining('llama.cpp') },
        { backend: 'two', would: 'fail', reason: expect.stringContaining('does not say what it has') },
        { backend: 'three', would: 'pull' },
      ],
    });
  });

  test('of a push names the one that does it', async () => {
    expect(await planOf('/api/push', { model: 'qwen3:8b' })).toMatchObject({
      backends: [
        { backend: 'one', would: 'push', bytes: 4000, digest: digestOf('qwen3:8b') },
        { backend: 'two', would: 'nothing', reason: "'one' does it" },
        { backend: 'three', would: 'nothing' },
      ],
    });
  });

  test('of a copy tells what it replaces', async () => {
    const body = { source: 'qwen3:8b', destination: 'llama3' };
    expect(await planOf('/api/copy', body)).toMatchObject({
      model: 'llama3',
      backends: [
        { would: 'replace', digest: digestOf('llama3:latest') },
        { would: 'nothing', reason: "it does not have 'qwen3:8b'" },
        { would: 'nothing' },
      ],
    });
  });

  test('of a delete tells what it frees and what is in memory', async () => {
    two.loaded.add('llama3:latest');
    expect(await planOf('/api/delete', { model: 'llama3' }, { method: 'DELETE' })).toMatchObject({
      backends: [
        { backend: 'one', would: 'delete', bytes: 4000, loaded: false },
        { backend: 'two', would: 'delete', bytes: 4000, loaded: true },
        { backend: 'three', would: 'nothing' },
      ],
    });
  });

  test('of a create tells which files are missing and what is pulled for it', async () => {
    const digest = `sha256:${'a'.repeat(64)}`;
    two.blobs.set(digest, 7);
    const files = { 'model.gguf': digest };
    expect(await planOf('/api/create?backends=one,two', { model: 'mine', files })).toMatchObject({
      backends: [
        { backend: 'one', would: 'fail', reason: `it lacks the files ${digest}` },
        { backend: 'two', would: 'create' },
      ],
    });
    expect(await planOf('/api/create', { model: 'llama3', from: 'qwen3:8b' })).toMatchObject({
      backends: [
        { would: 'replace', digest: digestOf('llama3:latest') },
        { would: 'replace', reason: "it pulls 'qwen3:8b' first" },
        { would: 'create', reason: "it pulls 'qwen3:8b' first" },
      ],
    });
  });

  test('that is neither asked for nor declined is refused', async () => {
    const answer = await send('/api/delete?plan=maybe', { model: 'llama3' }, { method: 'DELETE' });
    expect([answer.status, answer.json()]).toEqual([400, { error: 'plan must be true or false' }]);
  });
});

test("Ollama's own client can say where by a header of its own", async () => {
  const client = new Ollama({ host: router.url, headers: { 'x-llamero-backends': 'three' } });
  expect(await client.pull({ model: 'gemma3' })).toEqual({ status: 'success', backends: ['three'] });
  expect(having('gemma3:latest')).toEqual(['three']);
});
