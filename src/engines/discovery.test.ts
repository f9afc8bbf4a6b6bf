import { afterAll, beforeAll, expect, test } from 'vitest';
import { engineFixtures, startFixture, webSite } from '../../test/contract/engine-fixtures.ts';
import type { EngineFixture, FixtureServer } from '../../test/contract/engine-fixtures.ts';
import { discoverEngines } from './discovery.ts';

const servers: FixtureServer[] = [];
async function start(fixture: EngineFixture): Promise<FixtureServer> {
  const server = await startFixture(fixture);
  servers.push(server);
  return server;
}
afterAll(() => Promise.all(servers.map((server) => server.close())));

/** For a busy machine. */
const patient = { timeoutMs: 10_000 };

let llamacpp: FixtureServer;
let ollama: FixtureServer;
beforeAll(async () => {
  llamacpp = await start(engineFixtures.llamacpp);
  ollama = await start(engineFixtures.ollama);
});

test('discoverEngines finds engines by their answers and names them by kind and port', async () => {
  const web = await start(webSite);
  const silent = await start({ otherwise: () => undefined, routes: {} });
  const gone = await startFixture(webSite);
  await gone.close();
  const startedMs = performance.now();
  const found = await discoverEngines({
    ports: [ollama.port, web.port, gone.port, silent.port, llamacpp.port],
    timeoutMs: 1000,
  });
  expect(performance.now() - startedMs).toBeLessThan(3000);
  expect(found).toMatchObject([
    { id: `ollama-${ollama.port}`, models: ['llama3:latest', 'qwen3:8b'], problem: undefined },
    { id: `llamacpp-${llamacpp.port}`, url: `http://127.0.0.1:${llamacpp.port}`, models: ['tiny'] },
  ]);
  expect(found.map((engine) => engine.kind.name)).toEqual(['ollama', 'llamacpp']);
});

test('discoverEngines leaves out ports that are the own ones', async () => {
  expect(await discoverEngines({ ports: [ollama.port], skipPorts: [ollama.port], ...patient })).toEqual([]);
});

test('discoverEngines does not stir what it finds', async () => {
  llamacpp.asked.length = 0;
  await discoverEngines({ ports: [llamacpp.port], ...patient });
  expect(llamacpp.asked).not.toContain('/slots');
});

test('discoverEngines says why an engine cannot be used yet', async () => {
  const locked = await start({
    ...engineFixtures.llamacpp,
    routes: { '/health': { json: { status: 'ok' } } },
  });
  locked.override('/v1/models', { status: 401, json: {} });
  const loading = await start({
    headers: { server: 'llama.cpp' },
    otherwise: { status: 503, json: { error: { type: 'unavailable_error' } } },
    routes: {},
  });
  const found = await discoverEngines({ ports: [locked.port, loading.port], ...patient });
  expect(found.map(({ models, problem }) => ({ models, problem }))).toEqual([
    { models: [], problem: 'Backend refused its API key (status 401)' },
    { models: [], problem: 'it is loading its model' },
  ]);
});
