import { describe, expect, test } from 'vitest';
import type { Fault } from '../fake-engine/fault.ts';
import { spawnFakeEngine, startFakeEngine } from '../fake-engine/start.ts';
import { chat } from './client.ts';
import { startRouter, until } from './start-router.ts';

/** Two engines; requests go to `a` first. */
async function twoEngines(config: object = {}) {
  const [a, b] = await Promise.all([startFakeEngine(), startFakeEngine()]);
  const router = await startRouter({
    backends: { a: { url: a.url, priority: 0 }, b: { url: b.url, priority: 1 } },
    scheduling: { scorers: { priority: 1 } },
    ...config,
  });
  await router.ready();
  return {
    a,
    b,
    router,
    posts: async (engine: typeof a) =>
      (await engine.report()).requests.filter(({ method }) => method === 'POST').length,
    async [Symbol.asyncDispose]() {
      await router[Symbol.asyncDispose]();
      await Promise.all([a.close(), b.close()]);
    },
  };
}

const path = '/v1/chat/completions';

describe('before the first byte another backend takes over', () => {
  test.each<[string, Fault, RegExp]>([
    ['nobody listens', { kind: 'refuse', ms: 60_000 }, /ECONNREFUSED/],
    [
      'it answers 503',
      {
        kind: 'status',
        status: 503,
        body: '{"error":{"message":"Loading model","type":"unavailable_error","code":503}}',
        path,
      },
      /status 503/,
    ],
  ])('when %s', async (_name, fault, reason) => {
    await using fleet = await twoEngines({ probes: { interval: '1m', deadInterval: '1m' } });
    await fleet.a.fault(fault);
    const answer = await chat(fleet.router.url, { stream: true }).answer;
    expect([answer.status, answer.complete, answer.headers['x-llamero-backend']]).toEqual([200, true, 'b']);
    expect(answer.headers['x-llamero-attempts']).toMatch(reason);
    await until(() => fleet.router.logLines.some(({ msg }) => msg === 'request'));
    expect(JSON.stringify(fleet.router.logLines.find(({ msg }) => msg === 'request'))).toContain(
      '"failedAttempts":["a: ',
    );
  });

  test('when the engine was killed in the middle of the prompt', async () => {
    const a = await spawnFakeEngine({
      models: [{ id: 'tiny', contextTokens: 4096, promptTokensPerS: 5, tokensPerS: 100 }],
    });
    const b = await startFakeEngine();
    await using router = await startRouter({
      backends: { a: { url: a.url, priority: 0 }, b: { url: b.url, priority: 1 } },
      scheduling: { scorers: { priority: 1 } },
    });
    await router.ready();
    const asking = chat(router.url, { stream: true });
    await until(async () => (await a.report()).concurrency === 1);
    await a.kill9();
    const answer = await asking.answer;
    expect([answer.status, answer.complete, answer.headers['x-llamero-backend']]).toEqual([200, true, 'b']);
    await b.close();
  });

  test('the connection that was closed while idle is replaced, once, on the same backend', async () => {
    await using fleet = await twoEngines();
    await chat(fleet.router.url).answer;
    await fleet.a.fault({ kind: 'reset', at: 'reuse', times: 1 });
    const answer = await chat(fleet.router.url).answer;
    expect([
      answer.status,
      answer.headers['x-llamero-backend'],
      answer.headers['x-llamero-attempts'],
    ]).toEqual([200, 'a', undefined]);
  });
});

describe('no other backend is asked', () => {
  test('when the connection breaks after the request while the engine lives on: it may be computing', async () => {
    await using fleet = await twoEngines();
    await fleet.a.fault({ kind: 'reset', at: 'request', path });
    const answer = await chat(fleet.router.url).answer;
    expect(answer.status).toBe(502);
    expect(answer.json()).toMatchObject({ error: { code: 'backend_reset', type: 'server_error' } });
    expect(await fleet.posts(fleet.b)).toBe(0);
  });

  test.each([400, 404, 422, 429, 500])('after status %i, which passes as it is', async (status) => {
    await using fleet = await twoEngines();
    await fleet.a.fault({ kind: 'status', status, body: '{"error":{"message":"own words"}}', path });
    const answer = await chat(fleet.router.url).answer;
    expect([answer.status, answer.body.toString()]).toEqual([status, '{"error":{"message":"own words"}}']);
    expect(await fleet.posts(fleet.b)).toBe(0);
  });

  test('once every backend has refused: the client sees the last refusal', async () => {
    await using fleet = await twoEngines({ probes: { interval: '1m' } });
    for (const engine of [fleet.a, fleet.b]) {
      await engine.fault({
        kind: 'status',
        status: 503,
        body: '{"error":{"message":"Loading model"}}',
        path,
      });
    }
    const answer = await chat(fleet.router.url).answer;
    expect([answer.status, answer.body.toString()]).toEqual([503, '{"error":{"message":"Loading model"}}']);
  });

  test('once no backend can be reached: 502 names every attempt', async () => {
    await using fleet = await twoEngines({
      probes: { interval: '1m', deadInterval: '1m' },
      scheduling: { scorers: { priority: 1 }, deadWait: 0 },
    });
    await fleet.a.fault({ kind: 'refuse', ms: 60_000 });
    await fleet.b.fault({ kind: 'refuse', ms: 60_000 });
    const answer = await chat(fleet.router.url).answer;
    expect([answer.status, answer.json()]).toMatchObject([
      502,
      { error: { code: 'backend_connect_failed' } },
    ]);
    expect(answer.headers['x-llamero-attempts']).toBe('a (ECONNREFUSED), b (ECONNREFUSED)');
    expect(answer.headers['retry-after']).toBeDefined();
  });
});

describe('after the first byte a failure is visible', () => {
  test.each<[string, Fault, string]>([
    [
      'the engine drops the connection between events',
      { kind: 'drop', how: 'fin', afterEvents: 3, path },
      'backend_reset',
    ],
    ['the engine resets the connection', { kind: 'drop', how: 'rst', afterEvents: 3, path }, 'backend_reset'],
    ['the stream ends cleanly without its end mark', { kind: 'noDone', path }, 'own'],
    ['raw text follows the events', { kind: 'rawTail', afterEvents: 2, path }, 'own'],
    [
      'the engine reports an error in its stream',
      { kind: 'errorFrame', afterEvents: 2, message: 'Context size has been exceeded.', path },
      'own',
    ],
  ])('when %s', async (_name, fault, code) => {
    await using fleet = await twoEngines();
    await fleet.a.fault(fault);
    const answer = await chat(fleet.router.url, { stream: true, max_tokens: 50 }).answer;
    expect([answer.status, answer.complete]).toEqual([200, false]);
    if (code === 'own') expect(answer.body.toString()).not.toContain('"backend_reset"');
    else expect(answer.body.toString()).toMatch(new RegExp(`data: {"error":.*"code":"${code}"}}\\n\\n$`));
    await until(() => fleet.router.logLines.some(({ msg }) => msg === 'request'));
    expect(fleet.router.logLines.find(({ msg }) => msg === 'request')).toMatchObject({
      outcome: 'failed_midstream',
    });
    await until(async () => (await fleet.router.status()).backends.every(({ slots }) => slots.own === 0));
  });

  test('a cut in the middle of an event adds nothing to it', async () => {
    await using fleet = await twoEngines();
    await fleet.a.fault({ kind: 'drop', how: 'fin', afterBytes: 700, path });
    const answer = await chat(fleet.router.url, { stream: true, max_tokens: 50 }).answer;
    expect([answer.complete, answer.body.includes('"error"')]).toEqual([false, false]);
  });
});

test.each<[string, Fault]>([
  ['garbage', { kind: 'garbage', path }],
  ['a huge header', { kind: 'hugeHeader', bytes: 200_000, path }],
  ['a body longer than declared', { kind: 'wrongLength', delta: -10, path }],
  ['a body shorter than declared', { kind: 'wrongLength', delta: 10, path }],
])('an engine that answers %s hurts one request only', async (_name, fault) => {
  await using fleet = await twoEngines();
  await fleet.a.fault({ ...fault, times: 1 });
  const broken = await chat(fleet.router.url).answer.catch(() => undefined);
  expect(broken === undefined || !broken.complete || broken.status === 502 || broken.status === 200).toBe(
    true,
  );
  const next = await chat(fleet.router.url).answer;
  expect([next.status, next.complete]).toEqual([200, true]);
  await until(async () => (await fleet.router.status()).backends.every(({ slots }) => slots.own === 0));
});
