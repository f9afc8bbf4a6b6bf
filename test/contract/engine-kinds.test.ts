/** Every engine kind keeps the same promises: knows its own, leaves others alone, survives what is not essential. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { engineNames } from '../../src/domain/engine-names.ts';
import type { EngineName } from '../../src/domain/engine-names.ts';
import { routeNames } from '../../src/domain/routes.ts';
import { ProbeFailure } from '../../src/engines/engine-kind.ts';
import type { EngineReading } from '../../src/engines/engine-kind.ts';
import { detectEngineKind, engineKinds } from '../../src/engines/kinds/index.ts';
import { createProbeClient } from '../../src/engines/probe-client.ts';
import { engineFixtures, otherApi, startFixture, webSite } from './engine-fixtures.ts';
import type { Answer, FixtureServer } from './engine-fixtures.ts';

const servers = new Map<string, FixtureServer>();
beforeAll(async () => {
  for (const name of engineNames) servers.set(name, await startFixture(engineFixtures[name]));
  servers.set('web site', await startFixture(webSite));
  servers.set('other API', await startFixture(otherApi));
});
afterAll(() => Promise.all(Array.from(servers.values(), (server) => server.close())));

function serverOf(name: string): FixtureServer {
  const server = servers.get(name);
  if (server === undefined) throw new Error(`no fixture ${name}`);
  return server;
}

const clientOf = (name: string, timeoutMs = 10_000) =>
  createProbeClient({ url: serverOf(name).url, timeoutMs, bodyBytesMax: 64 * 1024 });
const readFrom = (name: EngineName, timeoutMs?: number) =>
  engineKinds[name].read(clientOf(name, timeoutMs), { mayStir: true });

/** Paths without which a reading makes no sense, by kind; all others may fail. */
const essential: Readonly<Record<EngineName, readonly string[]>> = {
  llamacpp: ['/health'],
  ollama: ['/api/version'],
  vllm: ['/health'],
  sglang: ['/v1/models'],
  lmstudio: ['/v1/models'],
  openai: ['/v1/models'],
};

const faults: Readonly<Record<string, Answer>> = {
  'not there': { status: 404, json: { error: 'no' } },
  'status 500': { status: 500, text: 'Internal Server Error' },
  'no JSON': { text: '{"data": [' },
  'JSON of another shape': {
    json: { data: [7, null, { id: 4 }], models: 'x', total_slots: 'many', status: [] },
  },
  'JSON null': { text: 'null' },
  'an endless answer': { text: `["${'x'.repeat(100_000)}"]` },
  'a connection cut short': (response) => {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('{"data":');
    setTimeout(() => response.socket?.resetAndDestroy(), 5);
  },
  'no answer in time': () => undefined,
};

/** Short only where it is waited for in vain, and then long enough for a busy machine's other answers. */
const patienceMs = (fault: string) => (fault === 'no answer in time' ? 600 : 10_000);

describe.each(engineNames)('the engine kind %s', (name) => {
  const kind = engineKinds[name];

  test('declares itself completely', () => {
    expect(kind.name).toBe(name);
    expect(kind.title).not.toBe('');
    expect(kind.socketIdleMsMax).toBeGreaterThan(0);
    expect(kind.routes.has('chat-completions')).toBe(true);
    expect(kind.routes.has('other')).toBe(true);
    expect([...kind.routes].filter((route) => !routeNames.includes(route))).toEqual([]);
    expect(kind.headersWithheld.map((header) => header.toLowerCase())).toEqual(kind.headersWithheld);
    expect(kind.blamesClient(503, 'anything')).toBe(false);
  });

  test('knows its own kind of server', async () => {
    expect(await kind.detect(clientOf(name))).toBe(true);
    expect((await detectEngineKind(clientOf(name))).name).toBe(name);
  });

  const others = [...engineNames, 'web site', 'other API'].filter((other) => other !== name);
  test.each(others)('does not take a %s server for its own', async (other) => {
    // Speaking OpenAI's API is all that the fallback asks for, and comes last for that reason.
    const alike = name === 'openai' && other in engineKinds;
    expect(await kind.detect(clientOf(other))).toBe(alike);
  });

  test('reads a ready engine with models, each name leading to a canonical one', async () => {
    const reading = await readFrom(name);
    expect(reading.readiness).toBe('ready');
    const canonical = new Set(reading.models?.values());
    expect(canonical.size).toBeGreaterThan(0);
    for (const model of canonical) expect(reading.models?.get(model)).toBe(model);
    for (const model of reading.loaded ?? []) expect(canonical).toContain(model);
    for (const [model, tokens] of reading.contextTokens ?? []) {
      expect(canonical).toContain(model);
      expect(tokens).toBeGreaterThan(0);
    }
    for (const model of reading.modelObjects?.keys() ?? []) expect(canonical).toContain(model);
  });

  test('does not hand on what an engine says of its keys', async () => {
    const { models: _models, ...rest } = await readFrom(name);
    expect(JSON.stringify(rest, plain)).not.toContain('secret');
  });

  const paths = Object.keys(engineFixtures[name].routes).filter((path) => !essential[name].includes(path));
  describe.each(paths.length > 0 ? paths : ['/no-such-path'])('when %s fails', (path) => {
    afterEach(() => serverOf(name).override(path, undefined));
    test.each(Object.keys(faults))('with %s, still reads the rest', async (fault) => {
      serverOf(name).override(path, faults[fault]);
      const reading = await readFrom(name, patienceMs(fault));
      expect(reading.readiness).toBe('ready');
      expectSane(reading);
    });
  });

  describe.each(essential[name])('when the essential %s fails', (path) => {
    afterEach(() => serverOf(name).override(path, undefined));
    test.each(Object.keys(faults))('with %s, reads or says so with a ProbeFailure', async (fault) => {
      serverOf(name).override(path, faults[fault]);
      const outcome = await readFrom(name, patienceMs(fault)).catch((error: unknown) => error);
      if (outcome instanceof Error) expect(outcome).toBeInstanceOf(ProbeFailure);
      else expectSane(outcome as EngineReading);
    });
    test('with status 500, fails', async () => {
      serverOf(name).override(path, faults['status 500']);
      await expect(readFrom(name)).rejects.toMatchObject({ kind: 'status' });
    });
    test('with no answer in time, fails as a timeout', async () => {
      serverOf(name).override(path, faults['no answer in time']);
      await expect(readFrom(name, patienceMs('no answer in time'))).rejects.toMatchObject({
        kind: 'timeout',
      });
    });
  });

  test('says refused when nobody listens', async () => {
    const gone = await startFixture(engineFixtures[name]);
    await gone.close();
    const client = createProbeClient({ url: gone.url, timeoutMs: 10_000 });
    await expect(kind.read(client, { mayStir: true })).rejects.toMatchObject({ kind: 'refused' });
    await expect(detectEngineKind(client)).rejects.toMatchObject({ kind: 'refused' });
  });

  test('says that the key was refused', async () => {
    const server = await startFixture(engineFixtures[name]);
    for (const path of Object.keys(engineFixtures[name].routes)) {
      // Health stays open on all of them.
      if (path !== '/health')
        server.override(path, { status: 401, json: { error: { message: 'Invalid API Key' } } });
    }
    const client = createProbeClient({ url: server.url, apiKey: 'wrong', timeoutMs: 10_000 });
    await expect(kind.read(client, { mayStir: true })).rejects.toThrow(/refused its API key/);
    await server.close();
  });
});

/** No number that is none, no name without a model. */
function expectSane(reading: EngineReading): void {
  for (const count of [reading.slotsTotal, reading.slotsBusy, reading.modelsMax]) {
    if (count !== undefined) expect(Number.isSafeInteger(count)).toBe(true);
  }
  if (reading.slotsTotal !== undefined) expect(reading.slotsTotal).toBeGreaterThan(0);
  for (const [name, model] of reading.models ?? []) {
    expect(name).not.toBe('');
    expect(reading.models?.get(model)).toBe(model);
  }
}

function plain(_key: string, value: unknown): unknown {
  return value instanceof Map || value instanceof Set ? [...value] : value;
}

describe('detectEngineKind', () => {
  test.each(['web site', 'other API'])('takes a %s for no engine', async (name) => {
    await expect(detectEngineKind(clientOf(name))).rejects.toMatchObject({
      kind: 'status',
      message: 'No known inference API answers there',
    });
  });

  test('does not fall back while an engine of its own kind has not answered', async () => {
    const server = serverOf('ollama');
    server.override('/api/version', () => undefined);
    await expect(detectEngineKind(clientOf('ollama', 600))).rejects.toMatchObject({ kind: 'timeout' });
    server.override('/api/version', undefined);
  });

  test('asks every path once', async () => {
    const server = serverOf('openai');
    server.asked.length = 0;
    await detectEngineKind(clientOf('openai'));
    expect(server.asked).toHaveLength(new Set(server.asked).size);
  });

  test('knows a llama.cpp server that is still loading, by its signature', async () => {
    const loading: Answer = {
      status: 503,
      json: { error: { message: 'Loading model', type: 'unavailable_error', code: 503 } },
    };
    const server = await startFixture({ headers: { server: 'llama.cpp' }, otherwise: loading, routes: {} });
    const client = createProbeClient({ url: server.url, timeoutMs: 10_000 });
    expect((await detectEngineKind(client)).name).toBe('llamacpp');
    expect((await engineKinds.llamacpp.read(client, { mayStir: true })).readiness).toBe('loading');
    await server.close();
  });
});
