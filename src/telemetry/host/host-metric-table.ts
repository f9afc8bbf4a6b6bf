/** Every metric of a machine, on the page of the router as on that of a monitor. */
import type { MetricEntry } from '../metric-table.ts';

const gpuLabels = ['gpu', 'vendor', 'name', 'uuid'] as const;

export const hostMetricTable = {
  llamero_host_cpu_utilization_percent: {
    kind: 'gauge',
    help: 'Busy share of each processor core of this machine between the last two readings.',
    labels: ['core'],
  },
  llamero_host_memory_bytes: {
    kind: 'gauge',
    help: 'Main memory of this machine, by kind: total, used (without what the system would give back).',
    labels: ['kind'],
  },
  llamero_host_swap_bytes: {
    kind: 'gauge',
    help: 'Swap space of this machine, by kind: total, used.',
    labels: ['kind'],
  },
  llamero_host_load_average: {
    kind: 'gauge',
    help: 'Programs that run or want to, as a mean over an interval: 1m, 5m or 15m.',
    labels: ['interval'],
  },
  llamero_host_network_bytes_total: {
    kind: 'counter',
    help: 'Bytes that a network interface received or sent, by direction: recv or sent.',
    labels: ['interface', 'direction'],
  },
  llamero_host_disk_bytes: {
    kind: 'gauge',
    help: 'The file system of a folder, by kind: total, free (for ordinary programs).',
    labels: ['folder', 'kind'],
  },
  llamero_gpu_utilization_percent: {
    kind: 'gauge',
    help: 'Share of the time in which a GPU did anything. Absent for GPUs that do not tell, such as those in MIG mode; so for all of the following.',
    labels: gpuLabels,
  },
  llamero_gpu_memory_busy_percent: {
    kind: 'gauge',
    help: 'Share of the time in which the memory of a GPU was read or written.',
    labels: gpuLabels,
  },
  llamero_gpu_memory_used_bytes: { kind: 'gauge', help: 'Memory of a GPU in use.', labels: gpuLabels },
  llamero_gpu_memory_total_bytes: { kind: 'gauge', help: 'Memory of a GPU.', labels: gpuLabels },
  llamero_gpu_temperature_celsius: { kind: 'gauge', help: 'Temperature of a GPU.', labels: gpuLabels },
  llamero_gpu_memory_temperature_celsius: {
    kind: 'gauge',
    help: 'Temperature of the memory of a GPU.',
    labels: gpuLabels,
  },
  llamero_gpu_power_watts: { kind: 'gauge', help: 'Power that a GPU draws.', labels: gpuLabels },
  llamero_gpu_power_limit_watts: { kind: 'gauge', help: 'Power that a GPU may draw.', labels: gpuLabels },
  llamero_gpu_clock_hertz: { kind: 'gauge', help: 'Clock of the cores of a GPU.', labels: gpuLabels },
  llamero_gpu_memory_clock_hertz: {
    kind: 'gauge',
    help: 'Clock of the memory of a GPU.',
    labels: gpuLabels,
  },
  llamero_gpu_fan_percent: { kind: 'gauge', help: 'Speed of the fan of a GPU.', labels: gpuLabels },
} as const satisfies Record<string, MetricEntry>;
