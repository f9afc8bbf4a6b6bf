/** Models and profiles by hand, through the routes that llama-swap's clients use. */
import { describe, expect, test } from 'vitest';
import {
  loadedSchema,
  profilesSchema,
  runningSchema,
  versionSchema,
} from '../../src/admin/contract-models.ts';
import { startFakeEngine } from '../fake-engine/start.ts';
import { ask, chat, type AskOptions } from './client.ts';
import { fakeCommand, withModels } from './fake-models.ts';
import { startRouter, until, type TestRouter } from './start-router.ts';

const together = (...members: string[]) => ({ groups: { all: { swap: false, exclusive: false, members } } });

async function running(router: TestRouter) {
  return runningSchema.parse((await ask(`${router.url}/running`).answer).json()).running;
}

const post = (router: TestRouter, path: string, options: AskOptions = {}) =>
  ask(router.url + path, { method: 'POST', ...options }).answer;

describe('loading and unloading', () => {
  test('SRV-4: /running has exactly seven fields of what runs', async () => {
    const config = await withModels(
      { a: { ttl: 300, name: 'A', description: 'first' }, b: {} },
      together('a', 'b'),
    );
    await using router = await startRouter(config);
    expect(await running(router)).toEqual([]);
    await chat(router.url, { model: 'a' }).answer;
    const [row, ...others] = await running(router);
    expect(others).toEqual([]);
    expect(row).toEqual({
      model: 'a',
      state: 'ready',
      cmd: expect.stringMatching(/--port \d+ --model a/) as string,
      proxy: expect.stringMatching(/^http:\/\/localhost:\d+\/?$/) as string,
      ttl: 300,
      name: 'A',
      description: 'first',
    });
  });

  test('/api/status tells the pid of what runs, and when it would be unloaded', async () => {
    const far = await startFakeEngine({});
    const config = await withModels({ a: { ttl: 300 } }, { backends: { far: { url: far.url } } });
    await using router = await startRouter(config);
    const processOf = async (id: string) =>
      (await router.status()).backends.find((backend) => backend.id === id)?.process;
    expect(await processOf('a')).toEqual({ pid: null, ttl_seconds: 300 });
    await post(router, '/api/models/load/a');
    const loaded = router.logLines.find(({ msg }) => msg === 'Model is loaded');
    expect(await processOf('a')).toEqual({ pid: loaded?.['pid'], ttl_seconds: 300 });
    expect(await processOf('far')).toBeNull();
    await post(router, '/api/models/unload/a');
    expect(await processOf('a')).toEqual({ pid: null, ttl_seconds: 300 });
    await far.close();
  });

  test('SRV-3: /unload and /api/models/unload stop everything before they answer', async () => {
    const models = { a: {}, 'org/b': { aliases: ['nick/name'] } };
    await using router = await startRouter(await withModels(models, together('a', 'org/b')));
    const loadBoth = () =>
      Promise.all([chat(router.url, { model: 'a' }).answer, chat(router.url, { model: 'org/b' }).answer]);
    await loadBoth();
    expect(await running(router)).toHaveLength(2);
    const all = await ask(`${router.url}/unload`).answer;
    expect([all.status, all.body.toString(), await running(router)]).toEqual([200, 'OK', []]);
    await loadBoth();
    const again = await post(router, '/api/models/unload');
    expect([again.json(), await running(router)]).toEqual([{ msg: 'ok' }, []]);
    await loadBoth();
    for (const name of ['nick/name', 'a']) {
      const one = await post(router, `/api/models/unload/${name}`);
      expect([one.status, one.body.toString()]).toEqual([200, 'OK']);
    }
    expect(await running(router)).toEqual([]);
    const unknown = await post(router, '/api/models/unload/nobody');
    expect([unknown.status, unknown.json()]).toMatchObject([404, { error: { code: 'model_not_found' } }]);
  });

  test('an unload lets running requests finish', async () => {
    await using router = await startRouter(
      await withModels({ a: { cmd: fakeCommand('a', '--tokens-per-s 50'), unloadTimeout: 20 } }),
    );
    const stream = chat(router.url, { model: 'a', stream: true, max_tokens: 50 });
    await stream.head;
    expect((await post(router, '/api/models/unload/a')).status).toBe(200);
    const { complete, body } = await stream.answer;
    expect([complete, body.includes('[DONE]')]).toEqual([true, true]);
  });

  test('a load waits until the model takes requests, or not if it is told so', async () => {
    await using router = await startRouter(
      await withModels({ 'org/a': {}, bad: { cmd: 'false ${PORT}' } }, together('org/a', 'bad')),
    );
    const loaded = await post(router, '/api/models/load/org%2Fa');
    expect([loaded.status, loadedSchema.parse(loaded.json())]).toEqual([
      200,
      { model_id: 'org/a', loaded: true },
    ]);
    expect(await running(router)).toMatchObject([{ model: 'org/a', state: 'ready' }]);
    await post(router, '/api/models/unload');
    const begun = await post(router, '/api/models/load/org/a?wait=false');
    expect([begun.status, loadedSchema.parse(begun.json())]).toEqual([
      202,
      { model_id: 'org/a', loaded: false },
    ]);
    await until(async () => (await running(router))[0]?.state === 'ready');
    const failed = await post(router, '/api/models/load/bad');
    expect([failed.status, failed.json()]).toMatchObject([502, { error: { code: 'process_exited' } }]);
    expect((await post(router, '/api/models/load/nobody')).status).toBe(404);
    expect((await post(router, '/api/models/load/org/a?wait=perhaps')).status).toBe(400);
  });

  test('a page of another site can neither load nor unload', async () => {
    await using router = await startRouter(await withModels({ a: {} }));
    const headers = { 'sec-fetch-site': 'cross-site' };
    expect((await ask(`${router.url}/unload`, { headers }).answer).status).toBe(403);
    expect((await post(router, '/api/models/load/a', { headers })).status).toBe(403);
  });
});

test('SRV-15: profiles are listed, chosen, and left again', async () => {
  const profiles = {
    work: { description: 'by day', pins: { x: 'a', off: null } },
    home: { pins: { x: 'b' } },
  };
  await using router = await startRouter(await withModels({ a: {}, b: {} }, { profiles }));
  const list = async () => profilesSchema.parse((await ask(`${router.url}/api/profiles`).answer).json());
  const choose = (body: unknown) =>
    ask(`${router.url}/api/profiles/active`, { method: 'PUT', body: JSON.stringify(body) }).answer;
  expect(await list()).toEqual({
    active: null,
    profiles: [
      { id: 'work', description: 'by day', pins: { x: 'a', off: '' } },
      { id: 'home', description: '', pins: { x: 'b' } },
    ],
  });
  expect((await choose({ name: 'work' })).json()).toEqual({ active: 'work' });
  expect((await choose({ name: 'nobody' })).status).toBe(404);
  expect((await list()).active).toBe('work');
  for (const body of [{}, { name: 5 }, 'no object', undefined]) expect((await choose(body)).status).toBe(400);
  expect((await choose({ name: null })).json()).toEqual({ active: null });
  expect((await list()).active).toBeNull();
});

test('API-1: the version has three fields', async () => {
  await using router = await startRouter({});
  const body = versionSchema.parse((await ask(`${router.url}/api/version`).answer).json());
  expect([body.version, body.llamero]).toEqual([expect.stringMatching(/^\d+\.\d+\.\d+$/), 'test']);
});

test('/wol-health is open and says OK', async () => {
  await using router = await startRouter({ apiKeys: ['k'] });
  const answer = await ask(`${router.url}/wol-health`).answer;
  expect([answer.status, answer.body.toString()]).toEqual([200, 'OK']);
});
