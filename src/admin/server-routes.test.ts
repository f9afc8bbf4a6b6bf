import { describe, expect, test } from 'vitest';
import { createFakeFleet, type FakeBackend } from '../../test/fake-admin-deps.ts';
import { unknownGpu, type GpuReading } from '../domain/host-reading.ts';
import { createAdminApp } from './app.ts';
import { statusSchema } from './contract.ts';
import { serversSchema } from './contract-servers.ts';

const GiB = 2 ** 30;

function gpu(
  index: number,
  utilizationPercent: number | undefined,
  changes: Partial<GpuReading> = {},
): GpuReading {
  return {
    ...unknownGpu({ index, vendor: 'nvidia', name: 'RTX 3090' }),
    utilizationPercent,
    memoryUsedBytes: 12.5 * GiB,
    memoryTotalBytes: 24 * GiB,
    temperatureCelsius: 60.6 + index,
    ...changes,
  };
}

async function read(path: string, backends: readonly FakeBackend[]): Promise<unknown> {
  const fleet = createFakeFleet();
  fleet.backends = backends;
  const response = await createAdminApp(fleet.deps).request(path);
  expect(response.status).toBe(200);
  return response.json();
}

const serversOf = async (...backends: FakeBackend[]) =>
  serversSchema.parse(await read('/api/servers', backends)).servers;

describe('GET /api/servers', () => {
  test('has the members of ollama-lb, each server with its GPUs, sums and score', async () => {
    const [server] = await serversOf({
      id: 'gpu-1',
      url: 'http://ollama-1:11434',
      own: 2,
      slots: 8,
      gpus: [gpu(0, 80), gpu(1, 20)],
    });
    expect(server).toEqual({
      host: 'ollama-1',
      port: 11_434,
      active_requests: 2,
      gpus: [
        {
          index: 0,
          name: 'RTX 3090',
          utilization: 80,
          memory_used_gb: 12.5,
          memory_total_gb: 24,
          temperature: 61,
        },
        {
          index: 1,
          name: 'RTX 3090',
          utilization: 20,
          memory_used_gb: 12.5,
          memory_total_gb: 24,
          temperature: 62,
        },
      ],
      gpu_count: 2,
      gpu_utilization: 50,
      gpu_memory_used_gb: 25,
      gpu_memory_total_gb: 48,
      gpu_temperature: 62,
      is_healthy: true,
      score: 70,
      backend_id: 'gpu-1',
      state: 'live',
    });
  });

  test.each<[string, FakeBackend]>([
    ['nobody watches', { id: 'a' }],
    ['a silent monitor watches', { id: 'a', gpus: 'silent' }],
  ])('has zeros for GPUs that %s, and reckons with half a load', async (_, backend) => {
    const [server] = await serversOf({ ...backend, own: 1 });
    expect(server).toMatchObject({
      gpus: [],
      gpu_count: 0,
      gpu_utilization: 0,
      gpu_temperature: 0,
      score: 60,
    });
  });

  test.each<[FakeBackend['state'] & string, boolean]>([
    ['live', true],
    ['degraded', true],
    ['stopped', true],
    ['unknown', false],
    ['dead', false],
    ['draining', false],
  ])('calls one that is %s healthy: %s', async (state, isHealthy) => {
    expect(await serversOf({ id: 'a', state })).toMatchObject([{ is_healthy: isHealthy, state }]);
  });

  test.each([
    ['http://h', 80],
    ['https://h/base', 443],
    ['http://[::1]:8080', 8080],
  ])('knows the port of %s', async (url, port) => {
    expect(await serversOf({ id: 'a', url })).toMatchObject([{ port }]);
  });

  test('is at /servers, too', async () => {
    expect(await read('/servers', [{ id: 'a' }])).toEqual(await read('/api/servers', [{ id: 'a' }]));
  });
});

describe('GPUs in /api/status', () => {
  const gpuOf = async (backend: Omit<FakeBackend, 'id'>) => {
    const { backends } = statusSchema.parse(await read('/api/status', [{ id: 'a', ...backend }]));
    return backends[0]?.gpu;
  };

  test('are told as if they were one', async () => {
    expect(await gpuOf({ gpus: [gpu(0, 80), gpu(1, 21)] })).toEqual({
      load_percent: 50.5,
      count: 2,
      memory_used_bytes: 25 * GiB,
      memory_total_bytes: 48 * GiB,
      temperature_celsius: 61.6,
    });
  });

  test('that tell nothing, or not lately, are null within', async () => {
    const silent = { load_percent: null, count: null, temperature_celsius: null };
    expect(await gpuOf({ gpus: 'silent' })).toMatchObject(silent);
    expect(await gpuOf({ gpus: [gpu(0, undefined)] })).toMatchObject({ load_percent: null, count: 1 });
  });

  test('are null where nobody watches them, or there are none', async () => {
    expect(await gpuOf({})).toBeNull();
    expect(await gpuOf({ gpus: [] })).toBeNull();
  });
});
