/** Models that cannot be loaded or stopped: each is an error in bounded time, and nobody else's matter. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { isAlive } from '../processes/harness.ts';
import { ask, chat } from './client.ts';
import { fakeCommand, withModels } from './fake-models.ts';
import { freePorts } from './free-ports.ts';
import { loadsIn, pidsIn } from './model-log.ts';
import { startRouter, until, type TestRouter } from './start-router.ts';

const together = (...members: string[]) => ({
  groups: { all: { swap: false, exclusive: false, members } },
});

/** Asks for the bad model and for the good one at once, several times each. */
async function askBoth(router: TestRouter) {
  const startedMs = performance.now();
  const bad = Array.from({ length: 3 }, () => chat(router.url, { model: 'bad' }).answer);
  const good = await Promise.all(
    Array.from({ length: 3 }, () => chat(router.url, { model: 'good', max_tokens: 2 }).answer),
  );
  expect(good.map(({ status }) => status)).toEqual([200, 200, 200]);
  const answers = await Promise.all(bad);
  return { answers, tookMs: performance.now() - startedMs };
}

async function expectNothingHeld(router: TestRouter): Promise<void> {
  await until(async () => {
    const { requests, queue, backends } = await router.status();
    return (
      requests.in_flight === 0 &&
      queue.depth === 0 &&
      backends.every(({ slots }) => slots.own === 0 && slots.lingering === 0)
    );
  });
  expect((await chat(router.url, { model: 'good', max_tokens: 2 }).answer).status).toBe(200);
}

describe('a model that cannot be loaded is answered with the reason, and others are not concerned:', () => {
  test('one that never becomes healthy', { timeout: 40_000 }, async () => {
    const mute = { cmd: fakeCommand('bad', '--load-ms 600000') };
    const config = await withModels({ bad: mute, good: {} }, together('bad', 'good'));
    await using router = await startRouter({ ...config, healthCheckTimeout: 15 });
    const { answers, tookMs } = await askBoth(router);
    for (const answer of answers) {
      expect([answer.status, answer.json()]).toMatchObject([
        504,
        { error: { code: 'process_ready_timeout' } },
      ]);
      expect(answer.body.toString()).toMatch(/503/);
    }
    expect(tookMs).toBeLessThan(18_000);
    expect(loadsIn(router.logLines).toSorted()).toEqual(['bad', 'good']);
    await until(async () => {
      const { running } = (await ask(`${router.url}/running`).answer).json() as {
        running: { model: string }[];
      };
      return running.every(({ model }) => model === 'good');
    });
    await expectNothingHeld(router);
  });

  test('a program that is not there', async () => {
    const missing = { cmd: '/nowhere/llama-server --port ${PORT}' };
    await using router = await startRouter(
      await withModels({ bad: missing, good: {} }, together('bad', 'good')),
    );
    const { answers, tookMs } = await askBoth(router);
    for (const answer of answers) {
      expect([answer.status, answer.json()]).toMatchObject([
        502,
        { error: { code: 'process_spawn_failed' } },
      ]);
      expect(answer.body.toString()).toContain('/nowhere/llama-server');
    }
    expect(tookMs).toBeLessThan(10_000);
    await expectNothingHeld(router);
  });

  test('one whose fixed port is taken, which is loaded once it is free', async () => {
    const port = await freePorts(1);
    const stranger = createServer().listen(port, '127.0.0.1');
    await once(stranger, 'listening');
    const cmd = fakeCommand('bad').replace('${PORT}', String(port));
    const models = { bad: { cmd, proxy: `http://127.0.0.1:${port}` }, good: {} };
    await using router = await startRouter(await withModels(models, together('bad', 'good')));
    const { answers, tookMs } = await askBoth(router);
    for (const answer of answers) {
      expect(answer.status).toBe(502);
      expect(answer.body.toString()).toContain(String(port));
      expect(answer.body.toString()).toMatch(/port/);
    }
    expect(tookMs).toBeLessThan(10_000);
    await expectNothingHeld(router);
    stranger.close();
    await until(async () => (await chat(router.url, { model: 'bad', max_tokens: 2 }).answer).status === 200);
  });
});

test('a model whose cmdStop hangs is ended after its unloadTimeout, and the one that replaces it is loaded', async () => {
  const models = { bad: { cmdStop: 'sleep 600', unloadTimeout: 1 }, good: {} };
  const groups = { one: { swap: true, exclusive: true, members: ['bad', 'good'] } };
  await using router = await startRouter(await withModels(models, { groups }));
  expect((await chat(router.url, { model: 'bad', max_tokens: 2 }).answer).status).toBe(200);
  const [pid = 0] = pidsIn(router.logLines, 'bad');
  const startedMs = performance.now();
  expect((await chat(router.url, { model: 'good', max_tokens: 2 }).answer).status).toBe(200);
  const tookMs = performance.now() - startedMs;
  expect(tookMs).toBeGreaterThan(900);
  expect(tookMs).toBeLessThan(6000);
  expect(isAlive(pid)).toBe(false);
  await expectNothingHeld(router);
});
