/** Commands around models: when they run, what they are told, and what a bad one can and cannot do. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { isAlive } from '../processes/harness.ts';
import { chat } from './client.ts';
import { fakeCommand, withModels } from './fake-models.ts';
import { startRouter, until } from './start-router.ts';

const script = resolve(import.meta.dirname, '../fixtures/hook.ts');

interface Run {
  readonly args: readonly string[];
  readonly pid: number;
  readonly atMs: number;
  readonly env: Readonly<Record<string, string>>;
}

/** A command that writes down how it was run, then does as it is told; see test/fixtures/hook.ts. */
function recorder() {
  const folder = mkdtempSync(join(tmpdir(), 'llamero-hooks-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const file = join(folder, 'runs');
  return {
    command: (...args: readonly string[]) => [process.execPath, script, file, ...args].join(' '),
    runs(): Run[] {
      if (!existsSync(file)) return [];
      return readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Run);
    },
  };
}

async function startHooks(models: Record<string, object>, hooks: object) {
  const router = await startRouter(await withModels(models, { hooks }));
  return {
    router,
    ask: (model: string) => chat(router.url, { model, max_tokens: 1 }).answer,
    unload: (model: string) => fetch(`${router.url}/api/models/unload/${model}`, { method: 'POST' }),
    pidOf: async (model: string) =>
      (await router.status()).backends.find(({ id }) => id === model)?.process?.pid ?? Number.NaN,
    failures: () => router.logLines.filter(({ msg }) => msg === 'Hook failed'),
    [Symbol.asyncDispose]: () => router.app.close(),
  };
}

describe('hooks', () => {
  test('on_load runs when a model is ready and on_unload when it is gone, and both know of whom', async () => {
    const hook = recorder();
    await using setup = await startHooks(
      { one: {}, two: {} },
      {
        on_load: [hook.command('loaded', '${MODEL_ID}', '${PID}', '${PORT}')],
        on_unload: [{ cmd: hook.command('gone'), models: ['one'], env: ['WHO=${MODEL_ID}'] }],
      },
    );
    expect((await setup.ask('one')).status).toBe(200);
    const pid = String(await setup.pidOf('one'));
    await until(() => hook.runs().length === 1);
    const [loaded] = hook.runs();
    const port = loaded?.env['LLAMERO_PORT'];
    expect(loaded).toMatchObject({
      args: ['loaded', 'one', pid, port],
      env: { LLAMERO_HOOK: 'on_load', LLAMERO_MODEL: 'one', LLAMERO_PID: pid, LLAMERO_REASON: '' },
    });
    expect((await setup.ask('two')).status).toBe(200);
    await until(() => hook.runs().length === 3);
    const gone = hook.runs().find(({ args }) => args[0] === 'gone');
    expect(gone).toMatchObject({
      env: {
        LLAMERO_MODEL: 'one',
        LLAMERO_PID: pid,
        LLAMERO_PORT: port,
        LLAMERO_REASON: 'evict',
        WHO: 'one',
      },
    });
    await setup.unload('two');
    expect(hook.runs().filter(({ args }) => args[0] === 'gone')).toHaveLength(1);
  });

  test('of a model itself run after the global ones, one at a time', async () => {
    const hook = recorder();
    await using setup = await startHooks(
      { one: { hooks: { on_load: [hook.command('own'), hook.command('${MODEL_ID}')] } } },
      { on_load: [hook.command('global', 'sleep', '300')] },
    );
    await setup.ask('one');
    await until(() => hook.runs().length === 3);
    const runs = hook.runs();
    expect(runs.map(({ args }) => args[0])).toEqual(['global', 'own', 'one']);
    expect((runs[1]?.atMs ?? 0) - (runs[0]?.atMs ?? 0)).toBeGreaterThanOrEqual(300);
  });

  test('that fail, hang or do not exist are told of and stand in nobody’s way', async () => {
    const hook = recorder();
    await using setup = await startHooks(
      { one: {} },
      {
        on_load: [
          hook.command('a', 'fail'),
          { cmd: hook.command('b', 'fork', 'sleep', '60000'), timeout: '2s' },
          '/no/such/program',
          '"unclosed',
        ],
      },
    );
    const events = new AbortController();
    const feed = await fetch(`${setup.router.url}/api/events`, { signal: events.signal });
    expect((await setup.ask('one')).status).toBe(200);
    await until(() => setup.failures().length === 4);
    expect(setup.failures()).toMatchObject([
      { model: 'one', event: 'on_load', problem: 'ended with exit code 3; last output: it went wrong' },
      { problem: expect.stringMatching(/^took longer than 2 s/) as unknown },
      { problem: 'could not be started: no such program: /no/such/program' },
      { problem: expect.stringMatching(/^cannot be read: Unclosed "/) as unknown },
    ]);
    // Whatever the hanging one started is gone as well.
    const forked = hook.runs().filter(({ args }) => args[0] === 'b' || args[0] === 'child');
    expect(forked).toHaveLength(2);
    expect(forked.filter(({ pid }) => isAlive(pid))).toEqual([]);
    let told = '';
    for await (const part of feed.body ?? []) {
      told += Buffer.from(part).toString();
      if (told.includes('no such program: /no/such/program')) break;
    }
    events.abort();
    expect(told).toContain('"type":"hook"');
    expect((await setup.ask('one')).status).toBe(200);
  });

  test('that are required come before the first request', async () => {
    const hook = recorder();
    await using setup = await startHooks(
      { one: {} },
      { on_load: [{ cmd: hook.command('warm', 'sleep', '300'), required: true }] },
    );
    expect((await setup.ask('one')).status).toBe(200);
    expect(hook.runs()).toMatchObject([{ args: ['warm', 'sleep', '300'] }]);
    expect(Date.now() - (hook.runs()[0]?.atMs ?? Infinity)).toBeGreaterThanOrEqual(300);
  });

  test('that are required and fail fail the load, with the reason, and leave nothing running', async () => {
    const hook = recorder();
    await using setup = await startHooks(
      { one: {} },
      {
        on_load: [{ cmd: hook.command('${PID}', 'fail'), required: true }],
        on_unload: [hook.command('gone')],
      },
    );
    const refused = await setup.ask('one');
    expect([refused.status, refused.json()]).toMatchObject([
      502,
      { error: { code: 'process_hook_failed', message: expect.stringMatching(/it went wrong/) as unknown } },
    ]);
    const [run] = hook.runs();
    expect(isAlive(Number(run?.args[0]))).toBe(false);
    // It was never in use, so nobody has to clean up after it.
    expect(hook.runs().filter(({ args }) => args[0] === 'gone')).toEqual([]);
  });

  test('that are required end with the load they belong to', async () => {
    const hook = recorder();
    await using setup = await startHooks(
      { one: {} },
      { on_load: [{ cmd: hook.command('warm', 'sleep', '60000'), required: true, timeout: '1m' }] },
    );
    const asking = setup.ask('one');
    await until(() => hook.runs().length === 1);
    expect((await setup.unload('one')).status).toBe(200);
    expect((await asking).status).toBeGreaterThanOrEqual(500);
    await until(() => !isAlive(hook.runs()[0]?.pid ?? Number.NaN));
  });

  test('a crash is a reason to run on_unload', async () => {
    const hook = recorder();
    await using setup = await startHooks({ one: {} }, { on_unload: [hook.command('gone')] });
    await setup.ask('one');
    process.kill(await setup.pidOf('one'), 'SIGKILL');
    await until(() => hook.runs().length === 1);
    expect(hook.runs()[0]?.env['LLAMERO_REASON']).toBe('exited');
  });

  test('at the end of the router on_unload still runs; at once, everything is killed', async () => {
    const gentle = recorder();
    const first = await startHooks({ one: {} }, { on_unload: [gentle.command('gone')] });
    await first.ask('one');
    await first.router.app.drain();
    expect(gentle.runs()).toMatchObject([{ env: { LLAMERO_REASON: 'shutdown' } }]);

    const hanging = recorder();
    const second = await startHooks(
      { one: {} },
      { on_load: [hanging.command('load', 'fork', 'sleep', '60000')] },
    );
    await second.ask('one');
    await until(() => hanging.runs().length === 2);
    await second.router.app.close();
    expect(hanging.runs().filter(({ pid }) => isAlive(pid))).toEqual([]);
  });

  test('a model that changes only its hooks keeps its process', async () => {
    const hook = recorder();
    const config = await withModels({ one: { cmd: fakeCommand('one') } });
    await using router = await startRouter(config);
    await chat(router.url, { model: 'one', max_tokens: 1 }).answer;
    const pid = async () => (await router.status()).backends[0]?.process?.pid;
    const before = await pid();
    await router.reload({ ...config, hooks: { on_unload: [hook.command('gone')] } });
    expect([typeof before, await pid()]).toEqual(['number', before]);
    await fetch(`${router.url}/api/models/unload/one`, { method: 'POST' });
    await until(() => hook.runs().length === 1);
  });
});
