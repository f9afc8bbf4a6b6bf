/** Models as processes, end to end: a configuration as llama-swap's users write it, real children, real sockets. */
import { describe, expect, test } from 'vitest';
import { isAlive } from '../processes/harness.ts';
import { chat } from './client.ts';
import { fakeCommand, withModels } from './fake-models.ts';
import { loadsIn, pidsIn } from './model-log.ts';
import { startRouter, until, type TestRouter } from './start-router.ts';

function messages(router: TestRouter): { msg: string; model: string; reason?: string }[] {
  return router.logLines
    .filter(({ msg }) => String(msg).startsWith('Model is'))
    .map(({ msg, model, reason }) => ({ msg, model, reason })) as never;
}

const loads = (router: TestRouter) => loadsIn(router.logLines);
const pidOf = (router: TestRouter, id: string) => pidsIn(router.logLines, id).at(-1) ?? 0;

describe('models that replace each other', () => {
  test('FIFO-8 are loaded once each for A B C A B C, whatever their order', async () => {
    await using router = await startRouter(await withModels({ a: {}, b: {}, c: {} }));
    const asking = ['a', 'b', 'c', 'a', 'b', 'c'].map((model) => chat(router.url, { model }).answer);
    const answers = await Promise.all(asking);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
    expect(loads(router).sort()).toEqual(['a', 'b', 'c']);
  });

  test('never cut a stream: the swap waits for its end', async () => {
    await using router = await startRouter(
      await withModels({
        a: { cmd: fakeCommand('a', '--tokens-per-s 60') },
        b: {},
      }),
    );
    const stream = chat(router.url, { model: 'a', stream: true, max_tokens: 60 });
    await stream.head;
    const other = chat(router.url, { model: 'b' });
    const [first, second] = await Promise.all([stream.answer, other.answer]);
    expect([first.complete, first.body.includes('[DONE]'), second.status]).toEqual([true, true, 200]);
  });

  test('and a hot one cannot keep another out for longer than scheduling.maxWait', async () => {
    await using router = await startRouter(
      await withModels({ hot: {}, cold: {} }, { scheduling: { maxWait: '300ms' } }),
    );
    await chat(router.url, { model: 'hot' }).answer;
    const over = new AbortController();
    const keepHot = async () => {
      while (!over.signal.aborted) await chat(router.url, { model: 'hot', max_tokens: 10 }).answer;
    };
    const users = [keepHot(), keepHot(), keepHot()];
    const answer = await chat(router.url, { model: 'cold' }).answer;
    over.abort();
    expect(answer.status).toBe(200);
    await Promise.all(users);
  });

  test('GRP-1 stay together in a group without swap', async () => {
    const groups = { both: { swap: false, exclusive: true, members: ['a', 'b'] } };
    await using router = await startRouter(await withModels({ a: {}, b: {} }, { groups }));
    for (const model of ['a', 'b', 'a', 'b']) await chat(router.url, { model }).answer;
    expect(loads(router)).toEqual(['a', 'b']);
  });

  test('MXR-1 follow the sets of a matrix', async () => {
    const matrix = { sets: { s: 'a & b | c' } };
    await using router = await startRouter(await withModels({ a: {}, b: {}, c: {} }, { matrix }));
    for (const model of ['a', 'b', 'c', 'a']) await chat(router.url, { model }).answer;
    const unloaded = messages(router)
      .filter(({ msg }) => msg === 'Model is unloading')
      .map(({ model }) => model)
      .sort();
    expect([loads(router), unloaded]).toEqual([
      ['a', 'b', 'c', 'a'],
      ['a', 'b', 'c'],
    ]);
  });
});

describe('a model that cannot be loaded', () => {
  test('says why: exit code and last words, then a pause that Retry-After tells', async () => {
    await using router = await startRouter(
      await withModels({ bad: { cmd: "sh -c 'echo out of memory >&2; exit 3' ${PORT}" }, good: {} }),
    );
    const first = await chat(router.url, { model: 'bad' }).answer;
    expect([first.status, first.json()]).toMatchObject([502, { error: { code: 'process_exited' } }]);
    expect(first.body.toString()).toMatch(/exit code 3.*out of memory/);
    await chat(router.url, { model: 'bad' }).answer;
    const third = await chat(router.url, { model: 'bad' }).answer;
    expect(Number(third.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect((await chat(router.url, { model: 'good' }).answer).status).toBe(200);
  });
});

describe('what runs', () => {
  test('is unloaded after its time to live, counted from its last request', async () => {
    await using router = await startRouter(await withModels({ a: { ttl: 1 } }));
    await chat(router.url, { model: 'a' }).answer;
    const pid = pidOf(router, 'a');
    await until(() =>
      messages(router).some(({ msg, reason }) => msg === 'Model is unloading' && reason === 'ttl'),
    );
    await until(() => !isAlive(pid));
    expect((await chat(router.url, { model: 'a' }).answer).status).toBe(200);
  });

  test('is loaded by hooks.on_startup.preload, and is gone with the router', async () => {
    const hooks = { on_startup: { preload: ['a'] } };
    const router = await startRouter(await withModels({ a: {} }, { hooks }));
    await until(() => pidOf(router, 'a') > 0);
    const pid = pidOf(router, 'a');
    await router[Symbol.asyncDispose]();
    await until(() => !isAlive(pid));
  });

  test('keeps its process and its streams over a reload that does not concern it', async () => {
    const slow = { cmd: fakeCommand('a', '--tokens-per-s 50') };
    const config = await withModels({ a: slow, b: {} });
    await using router = await startRouter(config);
    const stream = chat(router.url, { model: 'a', stream: true, max_tokens: 80 });
    await stream.head;
    const pid = pidOf(router, 'a');
    await router.reload({
      ...config,
      models: {
        a: config.models.a,
        z: { cmd: fakeCommand('z') },
      },
    });
    const answer = await stream.answer;
    expect([answer.complete, isAlive(pid), pidOf(router, 'a')]).toEqual([true, true, pid]);
    expect((await chat(router.url, { model: 'b' }).answer).status).toBe(404);
    expect((await chat(router.url, { model: 'z' }).answer).status).toBe(200);
  });

  test('is replaced after its last request when its command changed', async () => {
    const config = await withModels({
      a: { cmd: fakeCommand('a', '--tokens-per-s 50') },
    });
    await using router = await startRouter(config);
    const stream = chat(router.url, { model: 'a', stream: true, max_tokens: 50 });
    await stream.head;
    const pid = pidOf(router, 'a');
    await router.reload({
      ...config,
      models: { a: { cmd: fakeCommand('a', '--slots 2') } },
    });
    expect((await stream.answer).complete).toBe(true);
    await until(() => !isAlive(pid));
    expect((await chat(router.url, { model: 'a' }).answer).status).toBe(200);
    expect(pidOf(router, 'a')).not.toBe(pid);
  });
});
