import { describe, expect, test } from 'vitest';
import { unknownGpu, type HostReading } from '../../domain/host-reading.ts';
import { monitorBody, parseMonitorBody } from './monitor-body.ts';

const GiB = 2 ** 30;

const reading: HostReading = {
  atEpochMs: 1000,
  system: {
    cpuPercentByCore: [1.5, 99],
    memory: { totalBytes: 64 * GiB, usedBytes: 12 * GiB },
    swap: undefined,
    loadAverages: [1, 2, 3],
    network: [{ name: 'eth0', receivedBytes: 1, sentBytes: 2 }],
    disk: { folder: '/models', totalBytes: 100, freeBytes: 50 },
  },
  gpus: [
    {
      ...unknownGpu({ index: 0, vendor: 'nvidia', name: 'A' }),
      uuid: 'GPU-1',
      driver: { name: 'nvidia', version: undefined },
      memoryKind: 'dedicated',
      utilizationPercent: 80,
      memoryUsedBytes: 30 * GiB,
      memoryTotalBytes: 48 * GiB,
      temperatureCelsius: 71,
      powerWatts: 301.25,
    },
    {
      ...unknownGpu({ index: 1, vendor: 'nvidia', name: 'B' }),
      utilizationPercent: 31,
      memoryTotalBytes: 48 * GiB,
      temperatureCelsius: 40,
    },
  ],
};

/** What arrives of a body on the other side. */
const sent = (body: object): unknown => JSON.parse(JSON.stringify(body));

describe('what a monitor tells', () => {
  test("has all members of ollama-lb's sidecar, as numbers", () => {
    expect(sent(monitorBody(reading, 250))).toMatchObject({
      active_requests: 0,
      gpus: [
        {
          index: 0,
          name: 'A',
          utilization: 80,
          memory_used_gb: 30,
          memory_total_gb: 48,
          temperature: 71,
        },
        { index: 1, memory_used_gb: 0 },
      ],
      gpu_count: 2,
      gpu_utilization: 56,
      gpu_memory_used_gb: 30,
      gpu_memory_total_gb: 96,
      gpu_temperature: 71,
    });
    expect(sent(monitorBody({ ...reading, gpus: [] }, 0))).toMatchObject({
      gpus: [],
      gpu_count: 0,
      gpu_utilization: 0,
      gpu_temperature: 0,
    });
  });

  test('has names with underscores, and leaves out what is unknown', () => {
    const { host } = sent(monitorBody(reading, 250.4)) as { host: unknown };
    expect(host).toMatchObject({ age_ms: 250, gpus: [{ utilization_percent: 80, power_watts: 301.25 }, {}] });
    expect(JSON.stringify(host)).not.toContain('null');
  });

  test('arrives as it was sent', () => {
    const { atEpochMs: _, ...rest } = reading;
    expect(parseMonitorBody(sent(monitorBody(reading, 250)))).toStrictEqual({ reading: rest, ageMs: 250 });
    const bare = { ...reading, system: undefined, gpus: [] };
    expect(parseMonitorBody(sent(monitorBody(bare, 0)))).toStrictEqual({
      reading: { system: undefined, gpus: [] },
      ageMs: 0,
    });
  });
});

describe("an answer of ollama-lb's sidecar", () => {
  const sums = {
    active_requests: 3,
    gpu_utilization: 45,
    gpu_memory_used_gb: 12.5,
    gpu_memory_total_gb: 24,
    gpu_temperature: 66,
  };

  test('tells of several GPUs', () => {
    const gpus = [80, 30].map((utilization, index) => ({
      index,
      name: `RTX ${index}`,
      utilization,
      memory_used_gb: 6.25,
      memory_total_gb: 12,
      temperature: 66,
    }));
    const { reading: told, ageMs } = parseMonitorBody({ ...sums, gpus, gpu_count: 2 });
    expect(ageMs).toBe(0);
    expect(told.system).toBeUndefined();
    expect(told.gpus).toMatchObject([
      { index: 0, name: 'RTX 0', utilizationPercent: 80, memoryUsedBytes: 6.25 * GiB },
      { index: 1, utilizationPercent: 30, temperatureCelsius: 66 },
    ]);
  });

  test('of its first version tells of one', () => {
    expect(parseMonitorBody(sums).reading.gpus).toMatchObject([
      { utilizationPercent: 45, memoryUsedBytes: 12.5 * GiB, memoryTotalBytes: 24 * GiB },
    ]);
  });

  test('without a GPU tells of none', () => {
    expect(parseMonitorBody({ ...sums, gpus: [], gpu_count: 0 }).reading.gpus).toEqual([]);
  });
});

test.each([
  ['nothing', undefined],
  ['a text', 'healthy'],
  ['an empty object', {}],
  ['more than everything', { ...monitorBody(reading, 0), gpu_utilization: 101 }],
  ['a text for a number', { ...monitorBody(reading, 0), gpu_temperature: '71' }],
  ['a host that is none', { ...monitorBody(reading, 0), host: { age_ms: 0 } }],
  ['a host of an unknown age', { ...monitorBody(reading, 0), host: { gpus: [] } }],
])('%s is refused', (_, body) => {
  expect(() => parseMonitorBody(body)).toThrow(/invalid|expected|too big/i);
});
