import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { engineFixtures, startFixture } from '../../test/contract/engine-fixtures.ts';
import type { EngineFixture, FixtureServer } from '../../test/contract/engine-fixtures.ts';
import { createManualTime } from '../../test/manual-time.ts';
import { configSchema } from '../config/schema.ts';
import type { BackendConfig } from '../config/schema.ts';
import type { BackendView } from '../domain/backend-view.ts';
import type { Backend } from './backend.ts';
import { createBackendRegistry } from './registry.ts';
import type { ConfigurableRegistry } from './registry.ts';

const probes = configSchema.parse({}).probes;
const backendConfig = (url: URL, more: object = {}): BackendConfig => {
  const config = configSchema.parse({ backends: { b: { url: url.href, ...more } } }).backends['b'];
  if (config === undefined) throw new Error('no backend');
  return config;
};

let time: ReturnType<typeof createManualTime>;
let registry: ConfigurableRegistry;
let views: BackendView[];
let removed: string[];
let log: string[];
let loads: Map<string, number>;
const servers: FixtureServer[] = [];

beforeEach(() => {
  time = createManualTime();
  views = [];
  removed = [];
  log = [];
  loads = new Map();
  const write = (details: object, message: string) => log.push(`${message} ${JSON.stringify(details)}`);
  registry = createBackendRegistry({
    probes: { ...probes, timeout: 15_000 },
    defaults: { slots: 1, modelsMax: undefined },
    clock: time.clock,
    timers: time.timers,
    random: { next: () => 0.5 },
    gpuLoadOf: (id) => loads.get(id),
    log: { info: write, warn: write },
    listener: {
      backendChanged: (view) => views.push(view),
      backendRemoved: (id) => removed.push(id),
    },
  });
});
afterEach(async () => {
  await registry.close();
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function start(fixture: EngineFixture = engineFixtures.llamacpp): Promise<FixtureServer> {
  const server = await startFixture(fixture);
  servers.push(server);
  return server;
}

function backend(id = 'b'): Backend {
  const found = registry.get(id);
  if (found === undefined) throw new Error(`no backend ${id}`);
  return found;
}

async function until(condition: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 15_000; !condition();) {
    if (Date.now() > deadline) throw new Error('did not happen within 15 s');
    await new Promise((resolve) => {
      setTimeout(resolve, 2);
    });
  }
}

/** Moves the time and waits for the round that this starts. */
async function round(afterMs = 2000, id = 'b'): Promise<BackendView> {
  const before = backend(id).probe;
  time.advance(afterMs);
  await until(() => backend(id).probe !== before);
  return backend(id).view;
}

async function applyOne(server: FixtureServer, more: object = {}): Promise<BackendView> {
  registry.apply({ b: backendConfig(server.url, more) });
  return round(0);
}

describe('a watched backend', () => {
  test('is unknown first, then live with what its engine tells', async () => {
    const server = await start();
    const view = await applyOne(server);
    expect(views[0]).toMatchObject({ id: 'b', state: 'unknown', epoch: 0 });
    expect(view).toMatchObject({
      state: 'live',
      slotsTotal: 4,
      slots: { busy: 1, probeStartedMs: 0 },
      epoch: 0,
    });
    expect(view.models.get('tiny-alias')).toBe('tiny');
    expect(backend()).toMatchObject({
      version: 'b11669-Debian',
      probe: { error: undefined, failuresInRow: 0 },
    });
    expect(backend().modelObjects.get('tiny')).toMatchObject({ owned_by: 'llamacpp' });
  });

  test('tells of every new slot reading, and otherwise only of changes', async () => {
    const server = await start();
    await applyOne(server);
    await round();
    await round();
    expect(views.slice(1).map((view) => view.slots?.probeStartedMs)).toEqual([0, 2000, 4000]);
    server.become(engineFixtures.openai);
    registry.apply({ b: backendConfig(server.url, { engine: 'openai' }) });
    await round(0);
    const told = views.length;
    await round();
    await round();
    expect(views).toHaveLength(told);
  });

  test('takes over a new number of slots at once', async () => {
    const server = await start();
    await applyOne(server);
    server.override('/props', { json: { total_slots: 8, is_sleeping: false } });
    expect((await round()).slotsTotal).toBe(8);
  });

  test('keeps what it knew when a part of a round fails, but no old slot count', async () => {
    const server = await start();
    await applyOne(server);
    for (const path of ['/v1/models', '/props']) server.override(path, { status: 500, text: '' });
    const view = await round();
    expect(view).toMatchObject({ state: 'live', slotsTotal: 4, slots: undefined });
    expect(view.models.size).toBe(2);
    expect(view.loaded.has('tiny')).toBe(true);
  });

  test('is dead at once when refused, and comes back in a new epoch, on probation', async () => {
    const server = await start();
    await applyOne(server);
    await server.close();
    expect(await round()).toMatchObject({ state: 'dead', slots: undefined, epoch: 0 });
    expect(backend().probe).toMatchObject({ error: 'Connection refused', failuresInRow: 1 });
    await round();
    const again = await start();
    registry.apply({ b: backendConfig(again.url) });
    expect(await round(0)).toMatchObject({ state: 'live', epoch: 1 });
  });

  test('returns from the dead as degraded, then live, each written down once', async () => {
    const server = await start();
    await applyOne(server);
    server.override('/health', { status: 500, text: '' });
    expect((await round()).state).toBe('degraded');
    expect((await round()).state).toBe('dead');
    await round();
    server.override('/health', undefined);
    expect(await round()).toMatchObject({ state: 'degraded', epoch: 1, slots: { busy: 1 } });
    expect((await round()).state).toBe('live');
    const states = log.flatMap((line) => /^Backend is (\w+)/.exec(line)?.[1] ?? []);
    expect(states).toEqual(['live', 'degraded', 'dead', 'degraded', 'live']);
    expect(log.find((line) => line.startsWith('Backend is dead'))).toContain(
      '/health answered with status 500',
    );
  });

  test('that loads its model is not dead, and a restart is a new epoch', async () => {
    const server = await start();
    await applyOne(server);
    server.override('/health', { status: 503, json: { error: { type: 'unavailable_error' } } });
    for (let i = 0; i < 4; i++) expect((await round()).state).toBe('unknown');
    expect(backend().probe).toMatchObject({ error: 'Engine is loading its model', failuresInRow: 0 });
    server.override('/health', undefined);
    expect(await round()).toMatchObject({ state: 'degraded', epoch: 1 });
  });

  test('is not kept awake: the longer it is idle, the more rarely its slots are read', async () => {
    const server = await start();
    server.override('/slots', { json: [{ is_processing: false }] });
    await applyOne(server);
    const readings = () => server.asked.filter((path) => path === '/slots').length;
    for (let i = 0; i < 15; i++) await round();
    expect(readings()).toBe(16);
    const sent = views.length;
    for (let i = 0; i < 60; i++) await round();
    expect(readings()).toBe(18);
    expect(views).toHaveLength(sent + 2);
    expect(backend().view.slots?.busy).toBe(0);
    registry.reportSuccess('b');
    await round();
    expect(readings()).toBe(19);
  });
});

describe('the kind of a backend', () => {
  test('is found out at first contact and again after a recovery', async () => {
    const server = await start();
    registry.apply({ b: backendConfig(server.url) });
    expect(backend().kind.name).toBe('openai');
    await round(0);
    expect(backend().kind.name).toBe('llamacpp');
    server.become(engineFixtures.ollama);
    await round();
    expect((await round()).state).toBe('dead');
    const view = await round();
    expect(backend().kind.name).toBe('ollama');
    expect(view).toMatchObject({ state: 'degraded', epoch: 1, slotsTotal: 1 });
    expect([...view.models.keys()]).toEqual(['llama3:latest', 'llama3', 'qwen3:8b']);
  });

  test('is not asked for when it is configured', async () => {
    const server = await start();
    await applyOne(server, { engine: 'openai' });
    expect(backend().kind.name).toBe('openai');
    expect(server.asked).toEqual(['/v1/models']);
  });

  test('stays open while nothing known answers, with the reason', async () => {
    const server = await start({ otherwise: { text: 'hello' }, routes: {} });
    await applyOne(server);
    await round();
    expect(backend().view.state).toBe('dead');
    expect(backend().probe.error).toBe('No known inference API answers there');
  });

  test('goes with the key: a refused one is said so', async () => {
    const server = await start();
    server.override('/v1/models', { status: 401, json: {} });
    await applyOne(server, { apiKey: 'wrong' });
    expect(backend().probe.error).toBe('Backend refused its API key (status 401)');
  });
});

describe('configuration of a backend', () => {
  test('beats what the engine tells', async () => {
    const server = await start();
    const view = await applyOne(server, { slots: 2, maxModels: 3, weight: 5, priority: -1 });
    expect(view).toMatchObject({ slotsTotal: 2, slots: { busy: 1 }, modelsMax: 3, weight: 5, priority: -1 });
  });

  test('allows models by any of their names', async () => {
    const server = await start(engineFixtures.ollama);
    const view = await applyOne(server, { models: ['llama3', 'qwen3:8b', 'nope'] });
    expect([...view.models]).toEqual([
      ['llama3', 'llama3:latest'],
      ['qwen3:8b', 'qwen3:8b'],
    ]);
  });

  test('names the models of an engine without a list', async () => {
    const server = await start({ otherwise: { status: 404, text: '' }, routes: {} });
    const view = await applyOne(server, { engine: 'openai', models: ['m'] });
    expect([...view.models]).toEqual([['m', 'm']]);
  });

  test('has the slots that its kind of engine usually has, where nobody tells', async () => {
    expect(await applyOne(await start(engineFixtures.openai))).toMatchObject({ slotsTotal: 16 });
  });

  test('has defaults, which can change', async () => {
    const server = await start(engineFixtures.ollama);
    expect(await applyOne(server)).toMatchObject({ slotsTotal: 1, modelsMax: undefined });
    registry.configure(probes, { slots: 7, modelsMax: 2 });
    expect(backend().view).toMatchObject({ slotsTotal: 7, modelsMax: 2, state: 'live' });
  });
});

describe('apply', () => {
  test('keeps the object and the state of what did not change', async () => {
    const server = await start();
    await applyOne(server);
    const before = backend();
    const asked = server.asked.length;
    registry.apply({ b: backendConfig(server.url) });
    expect(backend()).toBe(before);
    registry.apply({ b: backendConfig(server.url, { slots: 9, timeouts: { connect: 1 } }) });
    expect(backend()).toBe(before);
    expect(before.view).toMatchObject({ state: 'live', slotsTotal: 9, epoch: 0 });
    expect(before.config.timeouts.connect).toBe(1000);
    expect(server.asked).toHaveLength(asked);
  });

  test.each([
    ['engine', { engine: 'llamacpp' }],
    ['key', { apiKey: 'k' }],
  ])('begins anew when the %s changed', async (_what, more) => {
    const server = await start();
    await applyOne(server);
    const before = backend();
    registry.apply({ b: backendConfig(server.url, more) });
    expect(backend()).not.toBe(before);
    expect(backend().view).toMatchObject({ state: 'unknown', epoch: 1 });
    expect(removed).toEqual([]);
    expect((await round(0)).state).toBe('live');
  });

  test('forgets what is gone and lists in the order of the configuration', async () => {
    const server = await start();
    const config = backendConfig(server.url);
    registry.apply({ b: config, c: config });
    registry.apply({ d: config, c: config });
    expect(removed).toEqual(['b']);
    expect(registry.list().map(({ id }) => id)).toEqual(['d', 'c']);
    expect(registry.get('b')).toBeUndefined();
    expect(time.pending()).toBe(2);
  });

  test('changes nothing when one URL is none', async () => {
    const server = await start();
    await applyOne(server);
    const before = backend();
    const bad = { ...before.config, url: 'nonsense' };
    expect(() => registry.apply({ c: backendConfig(server.url), d: bad })).toThrow(/Invalid URL/);
    expect(registry.list()).toEqual([before]);
  });
});

describe('what the data plane saw', () => {
  test('starts a probe at once after a failed connection', async () => {
    const server = await start();
    await applyOne(server);
    await server.close();
    registry.reportFailure('b', 'connect');
    expect(time.nextInMs()).toBeLessThanOrEqual(100);
    expect((await round(100)).state).toBe('dead');
  });

  test('kills a backend whose requests keep failing, until the hold is over', async () => {
    const server = await start();
    await applyOne(server);
    registry.reportFailure('b', 'reset');
    registry.reportFailure('b', 'timeout');
    expect(backend().view.state).toBe('live');
    registry.reportFailure('b', 'reset');
    expect(backend().view.state).toBe('dead');
    expect((await round()).state).toBe('degraded');
    expect((await round()).state).toBe('degraded');
    registry.reportSuccess('b');
    expect(backend().view.state).toBe('live');
  });

  test('distrusts a backend with the model that failed there, for the window or until it works', async () => {
    const server = await start();
    await applyOne(server);
    const distrusted = () => [...(backend().view.distrusted ?? [])];
    registry.reportFailure('b', 'status', 'm');
    registry.reportSuccess('b', 'other');
    expect(distrusted()).toEqual(['m']);
    registry.reportSuccess('b', 'm');
    expect(distrusted()).toEqual([]);
    registry.reportFailure('b', 'status', 'm');
    await round(probes.modelFailureWindow - 1);
    expect(distrusted()).toEqual(['m']);
    await round();
    expect(distrusted()).toEqual([]);
  });

  test('is void when the engine comes back from the dead', async () => {
    const server = await start();
    await applyOne(server);
    for (let count = 0; count < 3; count += 1) registry.reportFailure('b', 'reset', 'm');
    expect([...(backend().view.distrusted ?? [])]).toEqual([]);
  });

  test('of a backend that is gone is ignored', () => {
    registry.reportFailure('x', 'reset');
    registry.reportSuccess('x');
    registry.probeNow('x');
    expect(registry.setDraining('x', true)).toBe(false);
  });
});

describe('probed', () => {
  test('resolves when a round that began later has ended, and not for the running one', async () => {
    const server = await start();
    await applyOne(server);
    const rounds = () => server.asked.filter((path) => path === '/health').length;
    const before = rounds();
    let isOver = false;
    const running = round(2000);
    const probed = registry.probed('b').then(() => {
      isOver = true;
    });
    await running;
    expect([rounds() - before, isOver]).toEqual([1, false]);
    await round(100);
    await probed;
    expect(rounds() - before).toBe(2);
  });

  test('resolves for a backend that is gone or goes', async () => {
    await registry.probed('nobody');
    const server = await start();
    await applyOne(server);
    const probed = registry.probed('b');
    registry.apply({});
    await probed;
  });
});

describe('probeNow', () => {
  test('is one more round after the running one, however often it is asked for', async () => {
    const server = await start();
    await applyOne(server);
    const rounds = () => server.asked.filter((path) => path === '/health').length;
    const before = rounds();
    const release: (() => void)[] = [];
    server.override('/health', (response) => release.push(() => response.end('{}')));
    time.advance(2000);
    await until(() => release.length === 1);
    for (let i = 0; i < 5; i++) registry.probeNow('b');
    server.override('/health', undefined);
    const running = backend().probe;
    release[0]?.();
    await until(() => backend().probe !== running);
    expect(time.pending()).toBe(1);
    await round(100);
    expect(rounds()).toBe(before + 2);
    expect(time.nextInMs()).toBe(2000);
  });

  test('keeps a least distance between rounds', async () => {
    const server = await start();
    await applyOne(server);
    for (let i = 0; i < 5; i++) registry.probeNow('b');
    expect(time.pending()).toBe(1);
    expect(time.nextInMs()).toBe(100);
  });
});

test('a hung host delays nobody', async () => {
  const hung = await start({ otherwise: () => undefined, routes: {} });
  const well = await start();
  registry.configure({ ...probes, timeout: 1000 }, { slots: 1, modelsMax: undefined });
  registry.apply({ hung: backendConfig(hung.url), b: backendConfig(well.url) });
  expect((await round(0)).state).toBe('live');
  expect(backend('hung').view.state).toBe('unknown');
  await until(() => backend('hung').probe.error !== undefined);
  expect(backend('hung').probe.error).toMatch(/^No answer to GET \/\S+ within 1000 ms$/);
});

test('setDraining takes out of service and back, over a death', async () => {
  const server = await start();
  await applyOne(server);
  expect(registry.setDraining('b', true)).toBe(true);
  expect(backend().view.state).toBe('draining');
  expect((await round()).state).toBe('draining');
  server.override('/health', { status: 500, text: '' });
  await round();
  expect((await round()).state).toBe('dead');
  server.override('/health', undefined);
  expect((await round()).state).toBe('draining');
  registry.setDraining('b', false);
  expect(backend().view.state).toBe('degraded');
});

test('gpuLoadChanged tells the new load, and nothing where it is the same', async () => {
  const server = await start();
  loads.set('b', 40);
  expect((await applyOne(server)).gpuLoad).toBe(40);
  const before = views.length;
  registry.gpuLoadChanged('b');
  expect(views).toHaveLength(before);
  loads.delete('b');
  registry.gpuLoadChanged('b');
  registry.gpuLoadChanged('unheard of');
  expect(views.slice(before)).toMatchObject([{ id: 'b', state: 'live', gpuLoad: undefined }]);
});

test('configure plans the next round anew', async () => {
  const server = await start();
  await applyOne(server);
  expect(time.nextInMs()).toBe(2000);
  registry.configure({ ...probes, interval: 500 }, { slots: 1, modelsMax: undefined });
  expect(time.nextInMs()).toBe(500);
});

test('close ends hanging probes and all timers', async () => {
  const hung = await start({ otherwise: () => undefined, routes: {} });
  registry.apply({ b: backendConfig(hung.url) });
  registry.configure({ ...probes, timeout: 60_000 }, { slots: 1, modelsMax: undefined });
  time.advance(5000);
  await until(() => hung.asked.length > 0);
  const startedMs = performance.now();
  await registry.close();
  expect(performance.now() - startedMs).toBeLessThan(5000);
  expect(time.pending()).toBe(0);
  expect(backend().probe.atEpochMs).toBeUndefined();
  expect(log).toEqual([]);
});
