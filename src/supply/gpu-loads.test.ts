import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventually } from '../../test/processes/harness.ts';
import { toGpuMonitor, type GpuMonitor } from '../config/schema-gpu.ts';
import { unknownGpu, type GpuReading, type HostReading, type HostSampler } from '../domain/host-reading.ts';
import { monitorBody } from '../telemetry/host/monitor-body.ts';
import { GpuLoads } from './gpu-loads.ts';

const GiB = 2 ** 30;

function gpu(percent: number | undefined, totalBytes = 24 * GiB): GpuReading {
  const known = unknownGpu({ index: 0, vendor: 'nvidia', name: 'RTX 3090' });
  return { ...known, utilizationPercent: percent, memoryTotalBytes: totalBytes };
}

const readingOf = (gpus: readonly GpuReading[]): HostReading => ({ atEpochMs: 0, system: undefined, gpus });

/** A machine with a monitor that can be made to say anything, or nothing. */
async function startHost(...percents: (number | undefined)[]) {
  const host = {
    gpus: percents.map((percent) => gpu(percent)),
    isSilent: false,
    asked: 0,
    keys: new Set<unknown>(),
  };
  const server = createServer((request, response) => {
    host.asked += 1;
    host.keys.add(request.headers.authorization);
    if (host.isSilent) response.destroy();
    else response.end(JSON.stringify(monitorBody(readingOf(host.gpus), 0)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return Object.assign(host, { url });
}

/** This machine. */
function fakeLocal() {
  const listeners = new Set<(reading: HostReading) => void>();
  let latest: HostReading | undefined;
  const sampler: HostSampler = {
    latest: () => latest,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => Promise.reject(new Error('it belongs to somebody else')),
  };
  return {
    sampler,
    listeners,
    say(reading: HostReading | undefined): void {
      latest = reading;
      if (reading !== undefined) for (const listener of listeners) listener(reading);
    },
  };
}

function setUp() {
  const time = { nowMs: 100_000 };
  const local = fakeLocal();
  const changes: string[] = [];
  const says: string[] = [];
  const loads: GpuLoads = new GpuLoads({
    clock: { nowMs: () => time.nowMs, epochMs: () => 1_700_000_000_000 + time.nowMs },
    log: { info: (_, message) => says.push(message), warn: (_, message) => says.push(message) },
    local: local.sampler,
    onChange: (id) => changes.push(`${id} ${loads.loadOf(id) ?? '?'}`),
    ageCheckMs: 5,
  });
  onTestFinished(() => loads.close());
  const watch = (
    monitors: Readonly<Record<string, string | GpuMonitor>>,
    intervalMs = 10,
    unwatched: readonly string[] = [],
  ) =>
    loads.configure({
      unwatched,
      monitors: new Map(Object.entries(monitors).map(([id, entry]) => [id, toGpuMonitor(entry)])),
      intervalMs,
    });
  return { time, local, changes, says, loads, watch };
}

describe('the load of GPUs', () => {
  test('is the mean over the GPUs that do the work, in whole percent, and told when it moves', async () => {
    const { loads, changes, watch } = setUp();
    const host = await startHost(50, 33.4, 20);
    // Drives a display.
    host.gpus.push(gpu(100, GiB));
    watch({ a: host.url });
    expect(loads.loadOf('a')).toBeUndefined();
    await eventually(() => loads.loadOf('a') === 34);
    host.gpus = [gpu(34.4)];
    const { asked } = host;
    await eventually(() => host.asked > asked + 2);
    expect(changes).toEqual(['a 34']);
    host.gpus = [gpu(90)];
    await eventually(() => changes.includes('a 90'));
    expect(loads.hostOf('a')?.reading?.gpus).toMatchObject([{ name: 'RTX 3090', utilizationPercent: 90 }]);
    expect(loads.hostOf('b')).toBeUndefined();
  });

  test.each<[string, readonly (number | undefined)[]]>([
    ['there is no GPU', []],
    ['no GPU tells it, as in MIG mode', [undefined, undefined]],
  ])('is unknown where %s', async (_, percents) => {
    const { loads, changes, watch } = setUp();
    const host = await startHost(...percents);
    watch({ a: host.url });
    await eventually(() => loads.hostOf('a')?.reading !== undefined);
    expect(loads.loadOf('a')).toBeUndefined();
    expect(changes).toEqual([]);
  });

  test('is asked for once for all backends of one monitor, each key by itself', async () => {
    const { loads, watch } = setUp();
    const host = await startHost(70);
    watch(
      { a: host.url, b: host.url, c: { url: `${host.url}/` }, d: { url: host.url, apiKey: 'hush' } },
      60_000,
    );
    await eventually(() => ['a', 'b', 'c', 'd'].every((id) => loads.loadOf(id) === 70));
    expect(host.asked).toBe(2);
    expect(host.keys).toEqual(new Set([undefined, 'Bearer hush']));
  });

  test('is that of the GPUs which a backend runs on, where these are named', async () => {
    const { loads, changes, watch } = setUp();
    const host = await startHost(90, 10, 20);
    host.gpus = host.gpus.map((each, index) => ({ ...each, index }));
    watch({
      a: { url: host.url, gpus: [0] },
      b: { url: host.url, gpus: [1, 2] },
      c: { url: host.url, gpus: [7] },
      d: host.url,
    });
    await eventually(() => loads.loadOf('d') === 40);
    expect(['a', 'b', 'c'].map((id) => loads.loadOf(id))).toEqual([90, 15, undefined]);
    expect(loads.hostOf('b')?.reading?.gpus).toMatchObject([{ index: 1 }, { index: 2 }]);
    changes.length = 0;
    watch({ a: { url: host.url, gpus: [2] }, b: { url: host.url, gpus: [1, 2] }, d: host.url });
    expect(changes).toEqual(['a 20']);
  });

  test('becomes unknown when its monitor was silent for ten seconds, told once, and comes back', async () => {
    const { loads, changes, says, time, watch } = setUp();
    const [host, other] = [await startHost(80), await startHost(10)];
    watch({ a: host.url, b: other.url });
    await eventually(() => loads.loadOf('a') === 80 && loads.loadOf('b') === 10);
    host.isSilent = true;
    await eventually(() => says.length === 1);
    time.nowMs += 9000;
    const { asked } = other;
    await eventually(() => other.asked > asked + 3);
    expect(loads.loadOf('a')).toBe(80);
    time.nowMs += 1500;
    await eventually(() => loads.loadOf('a') === undefined);
    await eventually(() => loads.loadOf('b') === 10);
    expect(says).toEqual(['The monitor of a host does not answer']);
    host.isSilent = false;
    await eventually(() => loads.loadOf('a') === 80);
    expect(changes.filter((change) => change.startsWith('a'))).toEqual(['a 80', 'a ?', 'a 80']);
    expect(says).toEqual(['The monitor of a host does not answer', 'The monitor of a host answers again']);
  });

  test('is about the mean of the others where it is not known, and moves in steps', async () => {
    const { loads, changes, watch } = setUp();
    const [busy, idle, mute] = [await startHost(96), await startHost(60), await startHost(undefined)];
    expect(loads.elsewhere).toBeUndefined();
    watch({ a: busy.url, b: idle.url, c: mute.url }, 10, ['d']);
    await eventually(() => loads.loadOf('a') === 96 && loads.loadOf('b') === 60);
    expect(loads.elsewhere).toBe(80);
    expect(changes.filter((change) => change.startsWith('d'))).not.toEqual([]);
    changes.length = 0;
    idle.gpus = [gpu(64)];
    await eventually(() => loads.loadOf('b') === 64);
    idle.gpus = [gpu(4)];
    await eventually(() => loads.elsewhere === 50);
    expect(changes).toEqual(['b 64', 'b 4', 'c ?', 'd ?']);
    watch({ c: mute.url });
    expect(loads.elsewhere).toBeUndefined();
  });

  test('of this machine is what its own readings say', () => {
    const { loads, changes, local, watch } = setUp();
    local.say(readingOf([gpu(15)]));
    watch({ model: 'local' });
    expect(changes).toEqual(['model 15']);
    local.say(readingOf([gpu(25)]));
    expect(loads.loadOf('model')).toBe(25);
  });

  test('of this machine is unknown as soon as nobody reads it any more', async () => {
    const { loads, local, watch } = setUp();
    local.say(readingOf([gpu(15)]));
    watch({ model: 'local' });
    local.say(undefined);
    await eventually(() => loads.loadOf('model') === undefined);
  });
});

describe('another set of monitors', () => {
  test('leaves alone what stays, ends what goes, and tells whose load is another', async () => {
    const { loads, changes, local, watch } = setUp();
    const [stays, goes] = [await startHost(40), await startHost(60)];
    local.say(readingOf([gpu(5)]));
    watch({ a: stays.url, b: goes.url, c: goes.url });
    await eventually(() => loads.loadOf('a') === 40 && loads.loadOf('b') === 60);
    changes.length = 0;
    watch({ a: stays.url, b: 'local', d: stays.url });
    expect(changes.toSorted()).toEqual(['b 5', 'c ?', 'd 40']);
    const [atStay, atGo] = [stays.asked, goes.asked];
    await eventually(() => stays.asked > atStay + 3);
    // One question may have been on its way.
    expect(goes.asked).toBeLessThanOrEqual(atGo + 1);
  });

  test('is asked at the new pace', async () => {
    const { loads, watch } = setUp();
    const host = await startHost(40);
    watch({ a: host.url }, 60_000);
    await eventually(() => loads.loadOf('a') === 40);
    expect(host.asked).toBe(1);
    watch({ a: host.url }, 10);
    await eventually(() => host.asked > 3);
  });

  test('asks nobody after the end', async () => {
    const { loads, local, watch } = setUp();
    const host = await startHost(40);
    watch({ a: host.url });
    await eventually(() => loads.loadOf('a') === 40);
    const late = await startHost(40);
    await loads.close();
    expect(local.listeners.size).toBe(0);
    const { asked } = host;
    watch({ a: host.url, b: late.url });
    // A question that was asked all the same would come before this one.
    await fetch(late.url);
    expect([host.asked, late.asked]).toEqual([asked, 1]);
  });
});
