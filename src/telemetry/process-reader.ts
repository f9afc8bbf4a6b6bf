/** What the router's own process costs: CPU, memory and how late its event loop runs. Read when `/metrics` is asked for. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { MetricRegistry } from './metric-registry.ts';

export interface ProcessReader {
  read(): void;
  close(): void;
}

const resolutionMs = 20;

export function createProcessReader(registry: MetricRegistry): ProcessReader {
  const delays = monitorEventLoopDelay({ resolution: resolutionMs });
  delays.enable();
  let seen = process.cpuUsage();
  registry.counter('llamero_process_cpu_seconds_total').inc({ mode: 'user' }, seen.user / 1e6);
  registry.counter('llamero_process_cpu_seconds_total').inc({ mode: 'system' }, seen.system / 1e6);

  return {
    read() {
      const now = process.cpuUsage();
      const cpu = registry.counter('llamero_process_cpu_seconds_total');
      cpu.inc({ mode: 'user' }, (now.user - seen.user) / 1e6);
      cpu.inc({ mode: 'system' }, (now.system - seen.system) / 1e6);
      seen = now;

      const memory = process.memoryUsage();
      registry.gauge('llamero_process_resident_memory_bytes').set({}, memory.rss);
      registry.gauge('llamero_process_heap_used_bytes').set({}, memory.heapUsed);

      const lag = registry.gauge('llamero_event_loop_lag_seconds');
      lag.set({ statistic: 'mean' }, lagSeconds(delays.mean));
      lag.set({ statistic: 'p50' }, lagSeconds(delays.percentile(50)));
      lag.set({ statistic: 'p99' }, lagSeconds(delays.percentile(99)));
      lag.set({ statistic: 'max' }, lagSeconds(delays.max));
      delays.reset();
    },
    close: () => delays.disable(),
  };
}

/** The monitor measures the distance between two of its timers, so its own interval is not lag. No sample: no lag. */
function lagSeconds(delayNs: number): number {
  return Number.isFinite(delayNs) ? Math.max(0, delayNs / 1e9 - resolutionMs / 1000) : 0;
}
