/**
 * Metrics as functions with names: callers say what happened, never a metric's name. Owns the registry. Numbers that
 * others own are asked for when somebody looks.
 */
import { keyErrorCodes } from '../domain/errors.ts';
import type { HostReading } from '../domain/host-reading.ts';
import type { BackendId, ModelName } from '../domain/ids.ts';
import type { PromptsReading } from '../scheduler/prompt-caches.ts';
import type { SchedulerSnapshot } from '../scheduler/snapshot.ts';
import { mergeExpositions } from './backend-metrics/merge-expositions.ts';
import { scrapeBackends, type ScrapeTarget } from './backend-metrics/scrape-backends.ts';
import { createProcessReader } from './process-reader.ts';
import type { FinishedRequest } from './finished-request.ts';
import { setFleetGauges } from './fleet-gauges.ts';
import { setHostGauges } from './host/host-gauges.ts';
import { createMetricRegistry } from './metric-registry.ts';
import type { MetricRegistry } from './metric-registry.ts';
import type { LoadReport, UnloadReport } from './model-loads.ts';
import { RequestMetrics } from './request-metrics.ts';
import { showZeroCounts } from './zero-counts.ts';

/** What is read when `/metrics` is asked for. */
export interface MetricReadings {
  readonly scheduler: Pick<
    SchedulerSnapshot,
    'queuedTotal' | 'queued' | 'backends' | 'sessions' | 'draining'
  >;
  readonly requestsInFlight: number;
  /** Open client connections. */
  readonly connections: number;
  /** Of the log, lost because they could not be written. */
  readonly logLinesLost: number;
  /** Of traces, by what became of them; undefined = nothing is traced. */
  readonly spans?: { readonly exported: number; readonly dropped: number } | undefined;
  /** State by model, of the processes of our own. */
  readonly processes: ReadonlyMap<ModelName, string>;
  readonly probes: ReadonlyMap<BackendId, ProbeReading>;
  /** What backends are believed to have cached. */
  readonly prompts: PromptsReading;
  /** Answers that are kept; undefined = nobody counts them. */
  readonly cache?: { readonly entries: number; readonly bytes: number } | undefined;
  /** Of this machine; undefined = nobody looks at it. */
  readonly host: HostReading | undefined;
}

export interface ProbeReading {
  /** Wall-clock time of the last finished round; undefined before the first. */
  readonly atEpochMs: number | undefined;
  readonly durationMs: number | undefined;
  readonly failuresInRow: number;
}

export interface MetricsOptions {
  readonly version: string;
  readonly startedEpochMs: number;
  /** Whether a backend lists the model. Other names become the label `unknown` until an answer came for them. */
  readonly knowsModel: (model: ModelName) => boolean;
  readonly collect: () => MetricReadings;
  /** Backends whose own metrics go on the page, too. */
  readonly scraped: () => readonly ScrapeTarget[];
}

export interface Metrics {
  readonly contentType: string;
  /** Call once per request, at its end. */
  requestFinished(request: FinishedRequest): void;
  /** A load of a model has ended. */
  modelLoaded(load: LoadReport): void;
  /** A model is told to stop. */
  modelUnloading(unload: UnloadReport): void;
  /** A connection was refused before it carried a request. */
  connectionRejected(): void;
  /** The page in Prometheus' text format. */
  text(): Promise<string>;
  /** Stops measuring the event loop. */
  close(): void;
}

export function createMetrics(options: MetricsOptions): Metrics {
  const registry = createMetricRegistry();
  const recorder = new RequestMetrics(registry, options.knowsModel);
  const processReader = createProcessReader(registry);
  const keyRejections = registry.counter('llamero_key_rejections_total');
  const connectionsRejected = registry.counter('llamero_connections_rejected_total').labels({});
  connectionsRejected.inc(0);
  registry.gauge('llamero_build_info').set({ version: options.version, node: process.versions.node }, 1);
  registry.gauge('llamero_start_time_seconds').set({}, options.startedEpochMs / 1000);
  return {
    contentType: registry.contentType,
    requestFinished: (request) => {
      recorder.record(request);
      const { errorCode: reason } = request;
      if (reason !== undefined && keyErrorCodes.has(reason)) keyRejections.labels({ reason }).inc();
    },
    modelLoaded: (load) => recordLoad(registry, load),
    modelUnloading: ({ model, reason }) => registry.counter('llamero_evictions_total').inc({ model, reason }),
    connectionRejected: () => connectionsRejected.inc(),
    async text() {
      const { pages, up } = await scrapeBackends(options.scraped());
      registry.gauge('llamero_backend_scrape_up').reset();
      for (const [backend, isUp] of up) {
        registry.gauge('llamero_backend_scrape_up').set({ backend }, isUp ? 1 : 0);
      }
      recorder.flush();
      processReader.read();
      const readings = options.collect();
      setFleetGauges(registry, readings);
      showZeroCounts(registry, readings);
      setHostGauges(registry, readings.host);
      return `${await registry.text()}${mergeExpositions(pages, (name) => name.startsWith('llamero_'))}`;
    },
    close: () => processReader.close(),
  };
}

function recordLoad(
  registry: MetricRegistry,
  { model, result, startedMs, endedMs, isSwap }: LoadReport,
): void {
  registry.counter('llamero_loads_total').inc({ model, result });
  if (result !== 'ready') return;
  registry
    .histogram('llamero_load_duration_seconds')
    .labels({ model })
    .observe((endedMs - startedMs) / 1000);
  if (isSwap) registry.counter('llamero_swaps_total').inc({ model });
}
