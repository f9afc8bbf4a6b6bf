/** Stores on a disk that is full, or in files that are none: requests go on, the fault is told once, and counting resumes. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { healthSchema } from '../../src/admin/contract.ts';
import { startFakeEngine } from '../fake-engine/start.ts';
import { ask, chat } from '../integration/client.ts';
import { configText, startProgram } from '../integration/start-program.ts';
import { until } from '../integration/start-router.ts';

const prlimit = '/usr/bin/prlimit';

async function failingStores(url: string): Promise<readonly string[]> {
  return healthSchema.parse((await ask(`${url}/health`).answer).json()).stores_failing;
}

async function countedRequests(url: string): Promise<number> {
  const { body } = await ask(`${url}/api/usage/export?format=json`).answer;
  const rows = JSON.parse(body.toString()) as { readonly requests: number }[];
  return rows.reduce((sum, { requests }) => sum + requests, 0);
}

function config(engine: string): string {
  const store = { path: 'activity.db' };
  return configText({
    backends: { one: { url: engine } },
    store,
    cache: { enabled: true, store: 'sqlite' },
    log: { format: 'json' },
  });
}

test('a full disk costs no request, and no count once there is room again', async (context) => {
  context.skip(!existsSync(prlimit), 'this system has no prlimit');
  const engine = await startFakeEngine();
  context.onTestFinished(() => engine.close());
  await using router = await startProgram(['serve'], { 'llamero.yaml': config(engine.url) });
  const url = await router.url();
  const limitFiles = (bytes: string) =>
    promisify(execFile)(prlimit, ['--pid', String(router.pid), `--fsize=${bytes}:`]);
  const asks = async (times: number) => {
    for (let index = 0; index < times; index += 1) {
      const messages = [{ role: 'user', content: `${index} ${'x'.repeat(500)}` }];
      expect((await chat(url, { messages, temperature: 0 }).answer).status).toBe(200);
    }
  };
  await asks(1);
  // Where a file may not grow, a write fails as it does where the disk is full.
  await limitFiles('4096');
  await asks(10);
  await until(async () => (await failingStores(url)).includes('usage'));
  await asks(5);
  expect(await failingStores(url)).toEqual(['activity', 'usage']);
  await limitFiles('unlimited');
  await asks(1);
  await until(async () => (await countedRequests(url)) === 17);
  await until(async () => (await failingStores(url)).length === 0);
  const told = (await router.log()).filter(({ store }) => store === 'usage').map(({ level }) => level);
  expect(told).toEqual(['error', 'info']);
});

test('a file that is no store costs no request and no other store', async (context) => {
  const engine = await startFakeEngine();
  context.onTestFinished(() => engine.close());
  const garbage = 'no database '.repeat(1_000);
  const files = { 'activity.db.responses': garbage, 'activity.db.cache': garbage };
  await using router = await startProgram(['serve'], { 'llamero.yaml': config(engine.url), ...files });
  const url = await router.url();
  expect((await chat(url).answer).status).toBe(200);
  expect(await countedRequests(url)).toBe(1);
  expect(await failingStores(url)).toEqual(['responses', 'cache']);
  expect(existsSync(`${router.folder}/activity.db.usage`)).toBe(true);
});
