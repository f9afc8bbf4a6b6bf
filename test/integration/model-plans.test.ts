/** What loading and unloading a process of ours would do, asked for before it is done. */
import { expect, test } from 'vitest';
import { loadPlanSchema, runningSchema, unloadPlanSchema } from '../../src/admin/contract-models.ts';
import { ask, chat } from './client.ts';
import { fakeCommand, withModels } from './fake-models.ts';
import { startRouter, type TestRouter } from './start-router.ts';

const post = (router: TestRouter, path: string, headers: Readonly<Record<string, string>> = {}) =>
  ask(router.url + path, { method: 'POST', headers }).answer;
const running = async (router: TestRouter) =>
  runningSchema
    .parse((await ask(`${router.url}/running`).answer).json())
    .running.map(({ model, state }) => `${model} ${state}`);

test('a plan of a load names what stops for it, busy or not, and loads nothing', async () => {
  const models = { a: { cmd: fakeCommand('a', '--tokens-per-s 5') }, b: {} };
  await using router = await startRouter(await withModels(models));
  const plan = async (headers?: Readonly<Record<string, string>>) => {
    const path = headers === undefined ? '/api/models/load/b?plan=true' : '/api/models/load/b';
    return loadPlanSchema.parse((await post(router, path, headers)).json());
  };
  expect(await plan()).toMatchObject({ model_id: 'b', state: 'stopped', would: 'load', evicts: [] });
  await post(router, '/api/models/load/a');
  expect(await plan()).toMatchObject({ would: 'load', evicts: [{ model_id: 'a', busy: false }] });
  const stream = chat(router.url, { model: 'a', stream: true, max_tokens: 100 });
  await stream.head;
  const byHeader = await plan({ 'x-llamero-plan': 'true' });
  expect(byHeader).toMatchObject({ would: 'load', evicts: [{ model_id: 'a', busy: true }] });
  expect(await running(router)).toEqual(['a ready']);
  const unload = await post(router, '/api/models/unload?plan=true');
  expect(unloadPlanSchema.parse(unload.json()).models).toEqual([
    { model_id: 'a', state: 'ready', would: 'unload', requests: 1 },
    { model_id: 'b', state: 'stopped', would: 'nothing', requests: 0 },
  ]);
  expect(await running(router)).toEqual(['a ready']);
  stream.leave();
  await stream.answer;
});

test('a plan of a load goes by the memory that models take, and says when nothing is to be done', async () => {
  const models = {
    small: { memory: { vram: '1GiB' } },
    large: { memory: { vram: '4GiB' } },
  };
  const budget = { use: 'memory', settings: { memory: { vram: '4GiB' } } };
  const config = await withModels(models, { routing: { router: budget } });
  await using router = await startRouter(config);
  const plan = async (model: string) =>
    loadPlanSchema.parse((await post(router, `/api/models/load/${model}?plan=true`)).json());
  await post(router, '/api/models/load/small');
  expect(await plan('large')).toEqual({
    plan: 'load',
    model_id: 'large',
    state: 'stopped',
    would: 'load',
    need: { vram_bytes: 4 * 2 ** 30, ram_bytes: null },
    evicts: [{ model_id: 'small', busy: false }],
    awaits: [],
    because: 'memory',
  });
  expect(await plan('small')).toMatchObject({ would: 'nothing', state: 'ready', evicts: [] });
  const one = await post(router, '/api/models/unload/small?plan=true');
  expect(unloadPlanSchema.parse(one.json()).models).toMatchObject([{ would: 'unload' }]);
  expect(await running(router)).toEqual(['small ready']);
});

test.each([
  '/api/models/load/a?plan=perhaps',
  '/api/models/unload/a?plan=perhaps',
  '/api/models/unload?plan=',
])('%s, which is neither yes nor no, is refused and changes nothing', async (path) => {
  await using router = await startRouter(await withModels({ a: {} }));
  expect((await post(router, path)).status).toBe(400);
  expect(await running(router)).toEqual([]);
});
