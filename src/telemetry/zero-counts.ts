/**
 * Counters that are on the page from the start, at 0: Prometheus sees no increase in a series that begins at 1, so the
 * first time of anything rare would be missed by every alert. Only label values that are known before they occur.
 */
import type { MetricRegistry } from './metric-registry.ts';
import type { MetricReadings } from './metrics.ts';

const loadResults = ['ready', 'failed', 'aborted'] as const;
const unloadReasons = ['ttl', 'evicted', 'requested'] as const;
/** Those that tell of a fleet that is too small; clients cause the others. */
const rejectionReasons = ['queue_full', 'queue_timeout'] as const;

/** Adds nothing to counts that there are. */
export function showZeroCounts(
  registry: MetricRegistry,
  { processes, scheduler }: Pick<MetricReadings, 'processes' | 'scheduler'>,
): void {
  for (const reason of rejectionReasons) registry.counter('llamero_rejections_total').inc({ reason }, 0);
  for (const backend of scheduler.backends.keys()) {
    registry.counter('llamero_failovers_total').inc({ backend }, 0);
    registry.counter('llamero_retries_total').inc({ backend }, 0);
    registry.counter('llamero_attempts_total').inc({ backend, result: 'failed' }, 0);
  }
  for (const model of processes.keys()) {
    registry.counter('llamero_swaps_total').inc({ model }, 0);
    for (const result of loadResults) registry.counter('llamero_loads_total').inc({ model, result }, 0);
    for (const reason of unloadReasons) registry.counter('llamero_evictions_total').inc({ model, reason }, 0);
  }
}
