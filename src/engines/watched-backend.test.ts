import { expect, onTestFinished, test } from 'vitest';
import { engineFixtures, startFixture } from '../../test/contract/engine-fixtures.ts';
import { eventually } from '../../test/processes/harness.ts';
import { createManualTime } from '../../test/manual-time.ts';
import { configSchema } from '../config/schema.ts';
import { WatchedBackend } from './watched-backend.ts';

test('a dead backend is left alone for `deadInterval`, but for knocks where nobody listened', async () => {
  const time = createManualTime();
  const server = await startFixture(engineFixtures.openai);
  const { probes, backends } = configSchema.parse({
    probes: { failures: 1, deadInterval: '30s' },
    backends: { b: { url: server.url.href, engine: 'openai' } },
  });
  const [config] = Object.values(backends);
  if (config === undefined) throw new Error('no backend');
  const backend = new WatchedBackend('b', config, {
    probes,
    defaults: { slots: 1, modelsMax: undefined },
    signature: undefined,
    clock: time.clock,
    timers: time.timers,
    random: { next: () => 0.5 },
    log: { info: () => {}, warn: () => {} },
    gpuLoadOf: () => undefined,
    gpuLoadElsewhere: () => undefined,
    changed: () => {},
  });
  onTestFinished(() => backend.close());
  const round = async (afterMs: number) => {
    const before = backend.probe;
    time.advance(afterMs);
    await eventually(() => backend.probe !== before);
    return backend.view.state;
  };
  backend.start();
  expect(await round(0)).toBe('live');
  server.override('/v1/models', { status: 500, text: '' });
  expect(await round(2000)).toBe('dead');
  expect(time.nextInMs()).toBe(30_000);

  await server.close();
  expect(await round(30_000)).toBe('dead');
  const { probe } = backend;
  for (let knocks = 0; knocks < 3; knocks += 1) {
    expect(time.nextInMs()).toBe(2000);
    time.advance(2000);
    await eventually(() => time.pending() === 2);
  }
  expect(backend.probe).toBe(probe);
  await backend.close();
  expect(time.pending()).toBe(0);
});
