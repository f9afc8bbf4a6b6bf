/** Writes one reading of a machine into the metrics. What is not told leaves no series. */
import type { GpuReading, HostReading } from '../../domain/host-reading.ts';
import type { MetricRegistry } from '../metric-registry.ts';
import type { MetricLabel } from '../metric-table.ts';
import { hostMetricTable } from './host-metric-table.ts';

type HostMetric = keyof typeof hostMetricTable;
type GpuMetric = Extract<HostMetric, `llamero_gpu_${string}`>;

export const hostMetricNames = Object.keys(hostMetricTable) as HostMetric[];

/** Replaces what was there; undefined = nothing is known of the machine. */
export function setHostGauges(registry: MetricRegistry, reading: HostReading | undefined): void {
  for (const name of hostMetricNames) {
    if (name === 'llamero_host_network_bytes_total') registry.counter(name).reset();
    else registry.gauge(name).reset();
  }
  if (reading === undefined) return;
  setSystemGauges(registry, reading);
  for (const gpu of reading.gpus) setGpuGauges(registry, gpu);
}

function setSystemGauges(registry: MetricRegistry, { system }: HostReading): void {
  if (system === undefined) return;
  const { cpuPercentByCore, memory, swap, loadAverages, network, disk } = system;
  for (const [core, percent] of cpuPercentByCore.entries()) {
    registry.gauge('llamero_host_cpu_utilization_percent').set({ core: String(core) }, percent);
  }
  const memoryBytes = registry.gauge('llamero_host_memory_bytes');
  memoryBytes.set({ kind: 'total' }, memory.totalBytes);
  memoryBytes.set({ kind: 'used' }, memory.usedBytes);
  if (swap !== undefined) {
    registry.gauge('llamero_host_swap_bytes').set({ kind: 'total' }, swap.totalBytes);
    registry.gauge('llamero_host_swap_bytes').set({ kind: 'used' }, swap.usedBytes);
  }
  for (const [index, interval] of ['1m', '5m', '15m'].entries()) {
    const load = loadAverages?.[index];
    if (load !== undefined) registry.gauge('llamero_host_load_average').set({ interval }, load);
  }
  for (const { name, receivedBytes, sentBytes } of network) {
    const bytes = registry.counter('llamero_host_network_bytes_total');
    bytes.inc({ interface: name, direction: 'recv' }, receivedBytes);
    bytes.inc({ interface: name, direction: 'sent' }, sentBytes);
  }
  if (disk !== undefined) {
    const { folder } = disk;
    registry.gauge('llamero_host_disk_bytes').set({ folder, kind: 'total' }, disk.totalBytes);
    registry.gauge('llamero_host_disk_bytes').set({ folder, kind: 'free' }, disk.freeBytes);
  }
}

function setGpuGauges(registry: MetricRegistry, gpu: GpuReading): void {
  const values: Readonly<Record<GpuMetric, number | undefined>> = {
    llamero_gpu_utilization_percent: gpu.utilizationPercent,
    llamero_gpu_memory_busy_percent: gpu.memoryBusyPercent,
    llamero_gpu_memory_used_bytes: gpu.memoryUsedBytes,
    llamero_gpu_memory_total_bytes: gpu.memoryTotalBytes,
    llamero_gpu_temperature_celsius: gpu.temperatureCelsius,
    llamero_gpu_memory_temperature_celsius: gpu.memoryTemperatureCelsius,
    llamero_gpu_power_watts: gpu.powerWatts,
    llamero_gpu_power_limit_watts: gpu.powerLimitWatts,
    llamero_gpu_clock_hertz: inHertz(gpu.clockMhz),
    llamero_gpu_memory_clock_hertz: inHertz(gpu.memoryClockMhz),
    llamero_gpu_fan_percent: gpu.fanPercent,
  };
  const { index, vendor, name, uuid } = gpu;
  const known = { gpu: String(index), vendor, name, ...(uuid !== undefined && { uuid }) };
  // A label that is not set is not shown, which means the same as an empty one.
  const labels = known as Record<MetricLabel<GpuMetric>, string>;
  for (const [metric, value] of Object.entries(values)) {
    if (value !== undefined) registry.gauge(metric as GpuMetric).set(labels, value);
  }
}

function inHertz(megahertz: number | undefined): number | undefined {
  return megahertz === undefined ? undefined : megahertz * 1_000_000;
}
