/**
 * The metric table made real: one typed object per entry, built at once. The only file that knows the metrics library,
 * which is not yet at 1.0.
 */
import { Counter, Gauge, Registry, type Metric } from '@prometheus-io/client';
import { BucketHistogram } from './bucket-histogram.ts';
import { metricTable } from './metric-table.ts';
import type { MetricEntry, MetricLabel, MetricName, MetricNameOf } from './metric-table.ts';

/** A counter with its labels filled in; `value` defaults to 1. */
export interface CounterChild {
  inc(value?: number): void;
}

export interface HistogramChild {
  observe(value: number): void;
}

type Labels<Name extends MetricName> = Record<MetricLabel<Name>, string>;

interface CounterMetric<Name extends MetricName> {
  inc(labels: Labels<Name>, value?: number): void;
  /** Forgets all series: for counts that somebody else keeps. */
  reset(): void;
  labels(labels: Labels<Name>): CounterChild;
}

interface GaugeMetric<Name extends MetricName> {
  set(labels: Labels<Name>, value: number): void;
  /** Forgets all series. */
  reset(): void;
}

interface HistogramMetric<Name extends MetricName> {
  labels(labels: Labels<Name>): HistogramChild;
}

export interface MetricRegistry {
  readonly contentType: string;
  counter<Name extends MetricNameOf<'counter'>>(name: Name): CounterMetric<Name>;
  gauge<Name extends MetricNameOf<'gauge'>>(name: Name): GaugeMetric<Name>;
  histogram<Name extends MetricNameOf<'histogram'>>(name: Name): HistogramMetric<Name>;
  text(): Promise<string>;
}

/** `names`: default all of the table. */
export function createMetricRegistry(names?: readonly MetricName[]): MetricRegistry {
  const registry = new Registry();
  const metrics = new Map<string, unknown>();
  for (const [name, entry] of Object.entries<MetricEntry>(metricTable)) {
    if (names?.includes(name as MetricName) === false) continue;
    const shown = { name, help: entry.help, labelNames: [...entry.labels] };
    const settings = { ...shown, registers: [registry] };
    if (entry.kind === 'counter') metrics.set(name, new Counter(settings));
    else if (entry.kind === 'gauge') metrics.set(name, new Gauge(settings));
    else {
      const histogram = new BucketHistogram({ ...shown, buckets: entry.buckets ?? [] });
      metrics.set(name, histogram);
      // Its name and its `get` are all that the registry asks of a metric.
      registry.registerMetric(histogram as unknown as Metric);
    }
  }
  return {
    contentType: registry.contentType,
    counter: <Name extends MetricNameOf<'counter'>>(name: Name) => metrics.get(name) as CounterMetric<Name>,
    gauge: <Name extends MetricNameOf<'gauge'>>(name: Name) => metrics.get(name) as GaugeMetric<Name>,
    histogram: <Name extends MetricNameOf<'histogram'>>(name: Name) =>
      metrics.get(name) as HistogramMetric<Name>,
    text: () => registry.metrics(),
  };
}
