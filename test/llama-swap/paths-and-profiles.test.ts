/** What llama-swap's tests pin of paths that name a model and of profiles, where peers, states and names meet. */
import { expect, test } from 'vitest';
import { startFakeEngine } from '../fake-engine/start.ts';
import { ask, chat } from '../integration/client.ts';
import { fakeCommand, withModels } from '../integration/fake-models.ts';
import { loadsIn } from '../integration/model-log.ts';
import { startRouter, until } from '../integration/start-router.ts';

async function startPeer(model: string) {
  const engine = await startFakeEngine({
    models: [{ id: model, contextTokens: 4096, promptTokensPerS: 50_000, tokensPerS: 200 }],
  });
  return {
    peers: { far: { proxy: engine.url, models: [model] } },
    paths: async () => (await engine.report()).requests.map(({ path }) => path),
    [Symbol.asyncDispose]: () => engine.close(),
  };
}

test('SRV-11 paths that are ignored are asked of a peer, which is never loaded', async () => {
  await using peer = await startPeer('p');
  await using router = await startRouter(await withModels({ m: {} }, { peers: peer.peers }));
  await until(async () => (await router.status()).backends.some(({ state }) => state === 'live'));
  expect((await ask(`${router.url}/upstream/m/app.js`).answer).status).toBe(409);
  for (const name of ['p', 'far/p']) {
    const { status } = await ask(`${router.url}/upstream/${name}/app.js?of=${name}`).answer;
    expect([name, status]).not.toEqual([name, 409]);
    expect(await peer.paths()).toContain(`/app.js?of=${name}`);
  }
});

test('SRV-13 a model of a peer is not what /comfyui/ stands for', async () => {
  await using peer = await startPeer('comfyui_auto');
  await using router = await startRouter(await withModels({ m: {} }, { peers: peer.peers }));
  await until(async () => (await router.status()).backends.some(({ state }) => state === 'live'));
  const before = (await peer.paths()).length;
  expect((await ask(`${router.url}/comfyui/`).answer).status).toBe(404);
  expect((await peer.paths()).slice(before).filter((path) => path === '/')).toEqual([]);
});

test('SRV-13 below /comfyui/ a model that still starts gives 409, like one that is stopped', async () => {
  const slow = { cmd: fakeCommand('comfyui_auto', '--load-ms 800') };
  await using router = await startRouter(await withModels({ comfyui_auto: slow }));
  const page = ask(`${router.url}/comfyui/`).answer;
  await until(() => loadsIn(router.logLines).length === 1);
  const asset = await ask(`${router.url}/comfyui/app.js`).answer;
  expect([asset.status, asset.body.toString()]).toEqual([409, expect.stringContaining('not loaded')]);
  expect((await page).status).not.toBe(409);
  expect((await ask(`${router.url}/comfyui/app.js`).answer).status).not.toBe(409);
});

const profiles = { one: { pins: { x: 'a' } }, two: { pins: { x: 'b' } } };
const together = { all: { swap: false, exclusive: false, members: ['a', 'b'] } };

test('SRV-15 models are unloaded and their logs read by their own names, whatever profile is active', async () => {
  await using router = await startRouter(await withModels({ a: {}, b: {} }, { profiles, groups: together }));
  await ask(`${router.url}/api/profiles/active`, { method: 'PUT', body: { name: 'one' } }).answer;
  expect((await chat(router.url, { model: 'x', max_tokens: 1 }).answer).status).toBe(200);
  const unload = (name: string) =>
    ask(`${router.url}/api/models/unload/${name}`, { method: 'POST' }).answer.then(({ status }) => status);
  const log = async (name: string) => {
    const asking = ask(`${router.url}/logs/stream/${name}`);
    const { statusCode } = await asking.head;
    asking.leave();
    return statusCode;
  };
  expect([await log('x'), await log('a')]).toEqual([400, 200]);
  expect([await unload('x'), await unload('a')]).toEqual([404, 200]);
});

test('SRV-15 profiles that are switched under load give every request one of the two, and the last one chosen stays', async () => {
  await using router = await startRouter(await withModels({ a: {}, b: {} }, { profiles, groups: together }));
  const choose = (name: string | null) =>
    ask(`${router.url}/api/profiles/active`, { method: 'PUT', body: JSON.stringify({ name }) }).answer;
  await choose('one');
  await Promise.all(['a', 'b'].map((model) => chat(router.url, { model, max_tokens: 1 }).answer));
  const rounds = Array.from({ length: 20 }, (_none, index) => index);
  const answers = await Promise.all(
    rounds.map(async (round) => {
      const [answer] = await Promise.all([
        chat(router.url, { model: 'x', max_tokens: 1 }).answer,
        choose(round % 2 === 0 ? 'two' : 'one'),
      ]);
      return `${answer.status} ${String(answer.headers['x-llamero-backend'])}`;
    }),
  );
  expect(answers.filter((answer) => !['200 a', '200 b'].includes(answer))).toEqual([]);
  await choose('two');
  expect((await chat(router.url, { model: 'x', max_tokens: 1 }).answer).headers['x-llamero-backend']).toBe(
    'b',
  );
  await choose(null);
  expect((await chat(router.url, { model: 'x', max_tokens: 1 }).answer).status).toBe(404);
});
