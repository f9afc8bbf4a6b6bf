import { expect, test } from 'vitest';
import { parsePrometheusText, valueOf } from '../../../test/prometheus-text.ts';
import { unknownGpu, type HostReading } from '../../domain/host-reading.ts';
import { createMetricRegistry } from '../metric-registry.ts';
import { hostMetricNames, setHostGauges } from './host-gauges.ts';

const reading: HostReading = {
  atEpochMs: 0,
  system: {
    cpuPercentByCore: [10, 90],
    memory: { totalBytes: 100, usedBytes: 40 },
    swap: { totalBytes: 10, usedBytes: 1 },
    loadAverages: [1.5, 2, 3],
    network: [{ name: 'eth0', receivedBytes: 7, sentBytes: 8 }],
    disk: { folder: '/models', totalBytes: 1000, freeBytes: 400 },
  },
  gpus: [
    {
      ...unknownGpu({ index: 0, vendor: 'nvidia', name: 'A "quoted" \\ name' }),
      uuid: 'GPU-1',
      utilizationPercent: 55,
      clockMhz: 1980,
    },
    { ...unknownGpu({ index: 1, vendor: 'amd', name: 'RX' }), powerWatts: 20.5 },
  ],
};

test('PERF-1 the page has the latest of each GPU, escapes names, and no uuid where there is none', async () => {
  const registry = createMetricRegistry(hostMetricNames);
  setHostGauges(registry, { ...reading, gpus: [] });
  setHostGauges(registry, reading);
  const families = parsePrometheusText(await registry.text());
  expect([...families.keys()]).toEqual(hostMetricNames);
  const first = { gpu: '0', vendor: 'nvidia', name: 'A "quoted" \\ name', uuid: 'GPU-1' };
  expect(valueOf(families, 'llamero_gpu_utilization_percent', first)).toBe(55);
  expect(valueOf(families, 'llamero_gpu_clock_hertz', first)).toBe(1_980_000_000);
  expect(valueOf(families, 'llamero_gpu_power_watts', { gpu: '1', vendor: 'amd', name: 'RX' })).toBe(20.5);
  expect(families.get('llamero_gpu_power_watts')?.samples).toHaveLength(1);
  expect(valueOf(families, 'llamero_host_cpu_utilization_percent', { core: '1' })).toBe(90);
  expect(valueOf(families, 'llamero_host_load_average', { interval: '15m' })).toBe(3);
  expect(valueOf(families, 'llamero_host_disk_bytes', { folder: '/models', kind: 'free' })).toBe(400);
  const sent = { interface: 'eth0', direction: 'sent' };
  expect(valueOf(families, 'llamero_host_network_bytes_total', sent)).toBe(8);
  expect(registry.contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
});

test('what is no longer told leaves the page', async () => {
  const registry = createMetricRegistry(hostMetricNames);
  setHostGauges(registry, reading);
  setHostGauges(registry, { atEpochMs: 1, system: undefined, gpus: [] });
  expect((await registry.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))).toEqual(
    [],
  );
});
