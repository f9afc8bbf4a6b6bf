import { describe, expect, test } from 'vitest';
import { unknownGpu } from '../domain/host-reading.ts';
import type { Hardware } from '../telemetry/host/hardware.ts';
import { gpuStatSchema, hardwareSchema, sysStatSchema } from './contract-performance.ts';
import { describeGpus, describeHardware, describeSystem } from './describe-host.ts';

const hardware: Hardware = {
  architecture: 'x86_64',
  system: { family: 'linux', name: 'Debian GNU/Linux', version: '13', kernel: '6.12.0' },
  environment: { kind: 'native', name: undefined },
  cpu: { vendor: undefined, model: undefined, sockets: undefined, cores: undefined, threads: 4 },
  memoryBytes: 1024,
  gpus: [
    { ...unknownGpu({ index: 0, vendor: 'nvidia', name: 'A40' }), uuid: 'GPU-secret', memoryTotalBytes: 0 },
  ],
};

const describeIt = (changes: Partial<Hardware>) =>
  hardwareSchema.parse(describeHardware({ ...hardware, ...changes }, { atEpochMs: 0, version: '1.2.3' }));

describe('HW-1 hardware', () => {
  test.each([
    ['x86_64', 'x86_64'],
    ['amd64', 'x86_64'],
    ['aarch64', 'arm64'],
    ['ARM64', 'arm64'],
    ['armv7l', 'armv7'],
    ['loongarch64', 'other'],
  ])('of the architecture %s is %s', (raw, name) => {
    expect(describeIt({ architecture: raw }).architecture).toEqual({ name, raw_name: raw });
  });

  test.each([
    ['darwin', 'macos', undefined],
    ['win32', 'windows', undefined],
    ['openbsd', 'other', 'openbsd'],
  ])('of the system %s is of the family %s', (raw, family, rawFamily) => {
    const system = { ...hardware.system, family: raw };
    expect(describeIt({ system }).operating_system).toMatchObject({ family });
    expect(describeIt({ system }).operating_system.raw_family).toBe(rawFamily);
  });

  test('says who looked, leaves out identities, and tells what is unknown as null', () => {
    const body = describeIt({});
    expect(body).toMatchObject({
      schema_version: 1,
      captured_at: '1970-01-01T00:00:00.000Z',
      capture: { scope: 'inference_host', method: 'detected', detector: { version: '1.2.3' } },
      cpu: { vendor: null, physical_core_count: null, logical_thread_count: 4 },
      accelerators: [{ kind: 'gpu', memory: { kind: 'unknown', capacity_bytes: null }, driver: null }],
    });
    expect(JSON.stringify(body)).not.toContain('GPU-secret');
  });
});

test('PERF-1 readings are told in megabytes of 2^20 bytes, and unknown ones as null', () => {
  const MiB = 2 ** 20;
  const system = {
    cpuPercentByCore: [12.5, 100],
    memory: { totalBytes: 1000 * MiB, usedBytes: 250 * MiB },
    swap: undefined,
    loadAverages: undefined,
    network: [{ name: 'eth0', receivedBytes: 5, sentBytes: 6 }],
    disk: { folder: 'models', totalBytes: 9 * MiB, freeBytes: 4 * MiB },
  };
  expect(sysStatSchema.parse(describeSystem(1000, system))).toEqual({
    timestamp: '1970-01-01T00:00:01.000Z',
    cpu_util_per_core: [12.5, 100],
    mem_total_mb: 1000,
    mem_used_mb: 250,
    mem_free_mb: 750,
    swap_total_mb: 0,
    swap_used_mb: 0,
    load_avg_1: null,
    load_avg_5: null,
    load_avg_15: null,
    net_io: [{ name: 'eth0', bytes_recv: 5, bytes_sent: 6 }],
    disk: { folder: 'models', total_mb: 9, free_mb: 4 },
  });
  const gpu = { ...unknownGpu({ index: 1, vendor: 'amd', name: 'RX' }), memoryUsedBytes: 3 * MiB };
  const [stat] = describeGpus({ atEpochMs: 0, system, gpus: [gpu] });
  expect(gpuStatSchema.parse(stat)).toMatchObject({ id: 1, uuid: '', mem_used_mb: 3, mem_total_mb: null });
});
