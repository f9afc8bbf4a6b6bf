/** What src/engines believes of llama.cpp, checked on the real thing. */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { configSchema } from '../../src/config/schema.ts';
import { discoverEngines } from '../../src/engines/discovery.ts';
import type { EngineReading } from '../../src/engines/engine-kind.ts';
import { detectEngineKind } from '../../src/engines/kinds/index.ts';
import { llamacpp } from '../../src/engines/kinds/llamacpp.ts';
import { createProbeClient } from '../../src/engines/probe-client.ts';
import { createBackendRegistry } from '../../src/engines/registry.ts';
import { modelFile } from './gguf.ts';
import { freePort, realLlamaServer, startLlamaServer } from './llama-server.ts';
import type { LlamaServer, LlamaServerOptions } from './llama-server.ts';

const { path, missing } = realLlamaServer();
const folder = mkdtempSync(join(tmpdir(), 'llamero-engine-'));
afterAll(() => rmSync(folder, { recursive: true }));

const servers: LlamaServer[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.stop())));

async function start(options: LlamaServerOptions): Promise<LlamaServer> {
  const server = await startLlamaServer(options);
  servers.push(server);
  return server;
}

/** llama-server closes idle sockets; a POST on one that is just closing would fail. */
const closing = { connection: 'close' };

const clientOf = (server: LlamaServer, apiKey?: string) =>
  createProbeClient({ url: new URL(server.url), apiKey, timeoutMs: 15_000 });
const read = (server: LlamaServer, mayStir = true) => llamacpp.read(clientOf(server), { mayStir });

/** Reads until the reading is as wanted; fails after fifteen seconds with the last one. */
async function readUntil(
  server: LlamaServer,
  wanted: (reading: EngineReading) => boolean,
  mayStir = true,
): Promise<EngineReading> {
  for (const deadline = Date.now() + 15_000; ;) {
    const reading = await read(server, mayStir);
    if (wanted(reading)) return reading;
    if (Date.now() > deadline) throw new Error(`still ${JSON.stringify(reading)}`);
  }
}

/** A stream that goes on until it is aborted. Resolves when a slot has it. */
async function generate(server: LlamaServer, model?: string): Promise<AbortController> {
  const leaving = new AbortController();
  const response = await fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST',
    headers: closing,
    signal: leaving.signal,
    body: JSON.stringify({
      model,
      messages: [{ role: 'user', content: 'go on' }],
      stream: true,
      ignore_eos: true,
      max_tokens: 3500,
    }),
  });
  expect(response.status).toBe(200);
  void response.text().catch(() => undefined);
  return leaving;
}

async function chat(server: LlamaServer, model: string): Promise<number> {
  const response = await fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST',
    headers: closing,
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hi' }], max_tokens: 2 }),
  });
  await response.text();
  return response.status;
}

// Skipped: there is no llama-server; `npm run setup` says why.
describe.skipIf(path === undefined)(`llama-server with one model ${missing ?? ''}`, () => {
  test('is recognised and read: slots, aliases, context', async () => {
    const server = await start({ model: modelFile(), args: ['--alias', 'toy,toy-too'] });
    expect(await detectEngineKind(clientOf(server))).toBe(llamacpp);
    const reading = await read(server);
    expect(reading).toMatchObject({ readiness: 'ready', slotsTotal: 4, slotsBusy: 0, modelsMax: undefined });
    expect(reading.version).toMatch(/^b\d+/);
    const [id = ''] = reading.loaded ?? [];
    expect(reading.models?.get('toy')).toBe(id);
    expect(reading.models?.get('toy-too')).toBe(id);
    expect(reading.contextTokens?.get(id)).toBe(4096);
    expect(reading.modelObjects?.get(id)).toMatchObject({ object: 'model', owned_by: 'llamacpp' });
    const found = await discoverEngines({ ports: [server.port], timeoutMs: 10_000 });
    expect(found).toMatchObject([{ id: `llamacpp-${server.port}`, models: [id], problem: undefined }]);
  });

  test.each([
    ['its slots', []],
    ['its metrics', ['--metrics']],
  ])('tells by %s how many slots are busy', async (_by, args) => {
    const server = await start({ model: modelFile({ ballast: 24 }), args });
    const leaving = await Promise.all([generate(server), generate(server), generate(server)]);
    const byMetrics = args.length > 0;
    expect((await readUntil(server, ({ slotsBusy }) => slotsBusy === 3, !byMetrics)).slotsTotal).toBe(4);
    for (const leave of leaving) leave.abort();
    await readUntil(server, ({ slotsBusy }) => slotsBusy === 0, !byMetrics);
  });

  test('counts requests in its own queue, with metrics', async () => {
    const server = await start({ model: modelFile({ ballast: 24 }), slots: 1, args: ['--metrics'] });
    const leave = await generate(server);
    const queued = generate(server).catch(() => undefined);
    await readUntil(server, ({ slotsBusy }) => slotsBusy === 2);
    leave.abort();
    (await queued)?.abort();
    await readUntil(server, ({ slotsBusy }) => slotsBusy === 0);
  });

  test('is ready without /slots, its number of slots known', async () => {
    const server = await start({ model: modelFile(), slots: 2, args: ['--no-slots'] });
    expect(await read(server)).toMatchObject({ readiness: 'ready', slotsTotal: 2, slotsBusy: undefined });
  });

  test('says that it wants its key', async () => {
    const server = await start({ model: modelFile(), args: ['--api-key', 'k1'] });
    expect(await detectEngineKind(clientOf(server))).toBe(llamacpp);
    for (const key of [undefined, 'k2']) {
      await expect(llamacpp.read(clientOf(server, key), { mayStir: true })).rejects.toMatchObject({
        kind: 'status',
        message: 'Backend refused its API key (status 401)',
      });
    }
    const reading = await llamacpp.read(clientOf(server, 'k1'), { mayStir: true });
    expect(reading).toMatchObject({ readiness: 'ready', slotsTotal: 4, slotsBusy: 0 });
  });

  test('is seen loading before it is ready', async () => {
    const model = modelFile({ ballast: 150, ballastWidth: 8192 });
    const server = await start({ model, slots: 1, until: 'listening', args: ['--load-mode', 'none'] });
    expect(await read(server)).toMatchObject({
      readiness: 'loading',
      models: undefined,
      slotsTotal: undefined,
    });
    expect(await detectEngineKind(clientOf(server))).toBe(llamacpp);
  });

  test('is refused when it is gone', async () => {
    const server = await start({ model: modelFile() });
    await server.kill9();
    await expect(read(server)).rejects.toMatchObject({ kind: 'refused' });
  });
});

// Skipped: there is no llama-server; `npm run setup` says why.
describe.skipIf(path === undefined)(`llama-server that sleeps when idle ${missing ?? ''}`, () => {
  test.each([
    ['without metrics', []],
    ['with metrics', ['--metrics']],
  ])('falls asleep and stays so however often it is read, %s', async (_how, args) => {
    const server = await start({ model: modelFile(), args: ['--sleep-idle-seconds', '1', ...args] });
    const asleep = await readUntil(server, ({ readiness }) => readiness === 'sleeping', false);
    expect(asleep).toMatchObject({ slotsTotal: 4, slotsBusy: 0 });
    for (let i = 0; i < 20; i++) expect((await read(server)).readiness).toBe('sleeping');
    expect(server.log()).not.toContain('exiting sleeping state');
    expect(await chat(server, 'any')).toBe(200);
    expect(server.log()).toContain('exiting sleeping state');
    expect((await read(server, false)).readiness).toBe('ready');
  });

  test('is kept awake by readings that stir, which is why there are others', async () => {
    const server = await start({ model: modelFile(), args: ['--sleep-idle-seconds', '1'] });
    for (const deadline = Date.now() + 2500; Date.now() < deadline;) {
      expect((await read(server)).readiness).toBe('ready');
    }
  });
});

// Skipped: there is no llama-server; `npm run setup` says why.
describe.skipIf(path === undefined)(`llama-server in router mode ${missing ?? ''}`, () => {
  async function startRouter(): Promise<LlamaServer> {
    const models = mkdtempSync(join(folder, 'models-'));
    for (const name of ['a', 'b']) copyFileSync(modelFile(), join(models, `${name}.gguf`));
    writeFileSync(join(models, 'broken.gguf'), 'no model');
    const preset = join(models, 'presets.ini');
    const own = ['ctx-size = 4096', 'parallel = 2', 'metrics = 1', 'alias = nick'];
    const sections = ['[preset]', `model = ${modelFile()}`, ...own, '[a]', 'parallel = 3'];
    writeFileSync(preset, `${sections.join('\n')}\n`);
    return start({ args: ['--models-dir', models, '--models-preset', preset, '--models-max', '2'] });
  }

  test('lists its models, loads none by being read, and tells the slots of the loaded ones', async () => {
    const server = await startRouter();
    expect(await detectEngineKind(clientOf(server))).toBe(llamacpp);
    for (let i = 0; i < 5; i++) {
      const idle = await read(server);
      expect(idle).toMatchObject({ readiness: 'ready', modelsMax: 2, slotsTotal: undefined });
      expect(idle.loaded).toEqual(new Set());
      expect([...(idle.models?.values() ?? [])]).toEqual(
        expect.arrayContaining(['a', 'b', 'broken', 'preset']),
      );
      expect(idle.models?.get('nick')).toBe('preset');
    }
    expect(await chat(server, 'nick')).toBe(200);
    const one = await read(server);
    expect(one).toMatchObject({ slotsTotal: 2, slotsBusy: 0, loaded: new Set(['preset']) });
    expect(one.contextTokens?.get('preset')).toBe(2048);
    expect(await chat(server, 'a')).toBe(200);
    const two = await read(server);
    expect(two).toMatchObject({ slotsTotal: 5, slotsBusy: 0, loaded: new Set(['a', 'preset']) });
    expect(JSON.stringify([...(two.modelObjects ?? [])])).not.toContain('--port');
  });

  test('counts busy slots over its models', async () => {
    const server = await startRouter();
    const leaving = await Promise.all([generate(server, 'a'), generate(server, 'preset')]);
    await readUntil(server, ({ slotsBusy, loaded }) => slotsBusy === 2 && loaded?.size === 2);
    for (const leave of leaving) leave.abort();
    await readUntil(server, ({ slotsBusy }) => slotsBusy === 0);
  });

  test('survives a model that does not load', async () => {
    const server = await startRouter();
    expect(await chat(server, 'broken')).toBe(500);
    const reading = await read(server);
    expect(reading).toMatchObject({ readiness: 'ready', loaded: new Set() });
    expect(reading.modelObjects?.get('broken')).toMatchObject({
      status: { value: 'unloaded', failed: true },
    });
  });
});

// Skipped: there is no llama-server; `npm run setup` says why.
describe.skipIf(path === undefined)(`the registry over a llama-server ${missing ?? ''}`, () => {
  test('sees it die by SIGKILL and come back on the same port, in a new epoch', async () => {
    const port = await freePort();
    const first = await start({ model: modelFile(), port });
    const states: string[] = [];
    let epoch = 0;
    const { probes, backends } = configSchema.parse({
      probes: { interval: '200ms', deadInterval: '200ms' },
      backends: { b: { url: first.url } },
    });
    const registry = createBackendRegistry({
      probes,
      defaults: { slots: 1, modelsMax: undefined },
      clock: systemClock,
      log: { info: () => undefined, warn: () => undefined },
      listener: {
        backendChanged(view) {
          epoch = view.epoch;
          if (states.at(-1) !== view.state) states.push(view.state);
        },
        backendRemoved: () => undefined,
      },
    });
    const until = async (condition: () => boolean) => {
      for (const deadline = Date.now() + 10_000; !condition();) {
        if (Date.now() > deadline) throw new Error(`states so far: ${states.join(' ')}`);
        await new Promise((resolve) => {
          setTimeout(resolve, 5);
        });
      }
    };
    try {
      registry.apply(backends);
      await until(() => states.at(-1) === 'live');
      await first.kill9();
      const deadAtMs = performance.now();
      registry.reportFailure('b', 'connect');
      await until(() => states.at(-1) === 'dead');
      expect(performance.now() - deadAtMs).toBeLessThan(5000);
      await start({ model: modelFile(), port });
      await until(() => states.at(-1) === 'live');
      expect(epoch).toBe(1);
      // Between its start and its first slot it may also be seen loading.
      expect(states.filter((state) => state !== 'unknown')).toEqual(['live', 'dead', 'degraded', 'live']);
    } finally {
      await registry.close();
    }
  });
});
