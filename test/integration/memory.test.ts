/** Models as processes under a memory budget, end to end: real children whose needs are declared or measured. */
import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { chat } from './client.ts';
import { fakeCommand, withModels } from './fake-models.ts';
import { startRouter, until, type TestRouter } from './start-router.ts';

const MiB = 2 ** 20;

/** The mark makes each command new, so that nothing measured in an earlier run of the tests counts. */
function withBudget(memory: object, models: Record<string, object>) {
  const env = [`TEST_MARK=${randomUUID()}`];
  const marked = Object.entries(models).map(([id, fields]) => [id, { cmd: fakeCommand(id), env, ...fields }]);
  const routing = { router: { use: 'memory', settings: { memory } } };
  return withModels(Object.fromEntries(marked) as Record<string, object>, { routing });
}

function told(router: TestRouter): string[] {
  return router.logLines.flatMap(({ msg, model, reason }) => {
    if (msg === 'Model is loading') return [`load ${String(model)}`];
    return msg === 'Model is unloading' ? [`${String(reason)} ${String(model)}`] : [];
  });
}

async function memoryOf(router: TestRouter, id: string) {
  const { backends } = await router.status();
  return backends.find((backend) => backend.id === id)?.memory;
}

const ask = async (router: TestRouter, model: string) => (await chat(router.url, { model }).answer).status;

const eight = { memory: { vram: '8GiB' } };

describe('a memory budget', () => {
  test('holds two of three models, and the least recently used one makes room', async () => {
    await using router = await startRouter(
      await withBudget({ vram: '20GiB' }, { a: eight, b: eight, c: eight }),
    );
    for (const model of ['a', 'b', 'a', 'c', 'a']) expect(await ask(router, model)).toBe(200);
    expect(told(router)).toEqual(['load a', 'load b', 'evicted b', 'load c']);
    expect((await memoryOf(router, 'a'))?.need.vram_bytes).toBe(8192 * MiB);
  });

  test('leaves a busy model alone, whoever was used before it', async () => {
    const slow = { ...eight, cmd: fakeCommand('a', '--tokens-per-s 4') };
    await using router = await startRouter(
      await withBudget({ vram: '20GiB' }, { a: slow, b: eight, c: eight }),
    );
    let streamed = 0;
    const onChunk = ({ length }: Buffer) => (streamed += length);
    const stream = chat(router.url, { model: 'a', stream: true, max_tokens: 100_000 }, { onChunk });
    await stream.head;
    expect(await ask(router, 'b')).toBe(200);
    expect(await ask(router, 'c')).toBe(200);
    expect(told(router)).toEqual(['load a', 'load b', 'evicted b', 'load c']);
    const before = streamed;
    await until(() => streamed > before);
    stream.leave();
  });

  test('of another size takes effect with a reload, and the pids stay', async () => {
    const config = await withBudget({ vram: '20GiB' }, { a: eight, b: eight, c: eight });
    await using router = await startRouter(config);
    for (const model of ['a', 'b']) await ask(router, model);
    await router.reload({
      ...config,
      routing: { router: { use: 'memory', settings: { memory: { vram: '24GiB' } } } },
    });
    expect(await ask(router, 'c')).toBe(200);
    expect(told(router)).toEqual(['load a', 'load b', 'load c']);
  });
});

describe('a model of unknown need', () => {
  beforeEach((context) => {
    context.skip(process.platform !== 'linux', 'main memory is measured on Linux only');
  });

  test('runs alone until its real main memory is measured, then beside others, also after a restart', async () => {
    const config = await withBudget({ ram: '2GiB' }, { a: {}, b: {} });
    const loads: string[][] = [];
    for (const run of [1, 2]) {
      await using router = await startRouter(config);
      expect(await ask(router, 'a')).toBe(200);
      if (run === 1) await until(async () => (await memoryOf(router, 'a'))?.measured.ram_bytes !== null);
      const measured = (await memoryOf(router, 'a'))?.measured.ram_bytes ?? 0;
      expect(measured).toBeGreaterThan(30 * MiB);
      expect(measured).toBeLessThan(500 * MiB);
      expect(await ask(router, 'b')).toBe(200);
      await until(async () => (await memoryOf(router, 'b'))?.measured.ram_bytes !== null);
      expect(await ask(router, 'a')).toBe(200);
      loads.push(told(router));
    }
    // The second router knows both at once; the first had to run b alone to get to know it.
    expect(loads).toEqual([
      ['load a', 'evicted a', 'load b', 'load a'],
      ['load a', 'load b'],
    ]);
  });

  test('that turns out to be larger than the budget is refused from then on, with both sizes', async () => {
    await using router = await startRouter(await withBudget({ ram: '16MiB' }, { a: {}, b: {} }));
    expect(await ask(router, 'a')).toBe(200);
    await until(async () => (await memoryOf(router, 'a'))?.measured.ram_bytes !== null);
    // It takes requests as long as it runs.
    expect(await ask(router, 'a')).toBe(200);
    expect(await ask(router, 'b')).toBe(200);
    const { status, headers, json } = await chat(router.url, { model: 'a' }).answer;
    expect([status, headers['retry-after']]).toEqual([503, undefined]);
    const { error } = json() as { error: { code: string; message: string } };
    expect(error.code).toBe('model_does_not_fit');
    expect(error.message).toMatch(
      /^Model 'a' needs 0\.\d+ GiB of RAM, and all models together may take 0\.016 GiB$/,
    );
  });

  test('is told from one whose declaration is too small', async () => {
    const models = { a: { memory: { ram: '10MiB' } } };
    await using router = await startRouter(await withBudget({ ram: '2GiB' }, models));
    await ask(router, 'a');
    await until(() => router.logLines.some(({ msg }) => String(msg).startsWith('Model takes more')));
    const memory = await memoryOf(router, 'a');
    expect(memory?.need.ram_bytes).toBe(10 * MiB);
    expect(memory?.measured.ram_bytes).toBeGreaterThan(10 * MiB);
  });
});
