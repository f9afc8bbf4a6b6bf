/** What metrics and the monitor's charts read of the running parts, put together when they ask. */
import type { AffinityLookup } from './admin/deps.ts';
import type { Clock } from './base/clock.ts';
import type { ResolvedModel } from './config/models.ts';
import type { Config } from './config/schema.ts';
import { localMonitor, toGpuMonitor } from './config/schema-gpu.ts';
import type { BackendState } from './domain/backend-view.ts';
import type { HostSampler } from './domain/host-reading.ts';
import type { BackendDirectory } from './engines/backend.ts';
import type { Dispatcher } from './gateway/dispatcher.ts';
import { explainPlacement } from './gateway/explain-placement.ts';
import { createHistory, type History, type HistorySample } from './store/history.ts';
import type { RequestTable } from './store/requests.ts';
import {
  PerformanceMonitor,
  type PerformanceMonitorOptions,
  type PerformanceSettings,
} from './telemetry/host/performance-monitor.ts';
import { modelFolderIn } from './process/model-files.ts';
import type { ProcessFleet } from './supply/process-fleet.ts';
import type { ScrapeTarget } from './telemetry/backend-metrics/scrape-backends.ts';
import type { MetricReadings } from './telemetry/metrics.ts';

/** Fifteen minutes. */
const historyPointsMax = 300;
const historyIntervalMs = 3000;

export interface ReadingSources {
  readonly dispatcher: Dispatcher;
  readonly backends: BackendDirectory;
  readonly requests: RequestTable;
  readonly processes: Pick<ProcessFleet, 'list'>;
  /** Open client connections. */
  readonly connections: () => number;
  readonly logLinesLost: () => number;
  readonly spans: () => MetricReadings['spans'];
  readonly host: Pick<HostSampler, 'latest'>;
  readonly cache: () => MetricReadings['cache'];
}

export function readMetrics(sources: ReadingSources): MetricReadings {
  const { dispatcher, backends, requests, processes, connections, spans, host, cache } = sources;
  return {
    scheduler: dispatcher.snapshot(Number.MAX_SAFE_INTEGER),
    requestsInFlight: requests.inFlightCount,
    connections: connections(),
    logLinesLost: sources.logLinesLost(),
    spans: spans(),
    processes: new Map(processes.list().map(({ id, process: { state } }) => [id, state.name])),
    probes: new Map(backends.list().map(({ id, probe }) => [id, probe])),
    host: host.latest(),
    cache: cache(),
    prompts: dispatcher.affinity(0).prompts,
  };
}

/** Where conversations and prompts are at home. */
export function createAffinityLookup(
  parts: Parameters<typeof explainPlacement>[0] & { readonly dispatcher: Dispatcher },
): AffinityLookup {
  return {
    settings() {
      const { enabled, ttl } = parts.config().affinity.session;
      return { enabled, ttlMs: ttl };
    },
    read: (sessionsMax) => parts.dispatcher.affinity(sessionsMax),
    explain: (asked) => explainPlacement(parts, asked),
  };
}

/** Backends that are asked for their own metrics, if the configuration wants those: all but processes that do not run. */
export function scrapeTargets({ telemetry }: Config, backends: BackendDirectory): readonly ScrapeTarget[] {
  if (!telemetry.metrics.backends) return [];
  const asleep: ReadonlySet<BackendState> = new Set(['stopped', 'starting', 'stopping']);
  return backends
    .list()
    .filter(({ view }) => !asleep.has(view.state))
    .map(({ id, url, config }) => ({ backend: id, url, apiKey: config.apiKey }));
}

/** The past of the fleet, as far as it is kept. */
export function createFleetHistory(clock: Clock, dispatcher: Dispatcher, requests: RequestTable): History {
  return createHistory({
    clock,
    max: historyPointsMax,
    intervalMs: historyIntervalMs,
    read: () => readHistorySample(dispatcher, requests),
  });
}

/** Looks at nothing before it is configured. The disk is that of the first model file, else that of the working folder. */
export function openPerformanceMonitor({
  env = {},
  models,
  ...options
}: Pick<PerformanceMonitorOptions, 'clock' | 'log'> & {
  readonly env: NodeJS.ProcessEnv | undefined;
  readonly models: () => Iterable<Pick<ResolvedModel, 'cmd'>>;
}): PerformanceMonitor {
  const { platform } = process;
  const diskFolder = (): string => {
    const commands = Array.from(models(), ({ cmd }) => cmd);
    return modelFolderIn(commands, platform) ?? process.cwd();
  };
  return new PerformanceMonitor({ ...options, env, platform, diskFolder });
}

/** Where requests are placed by the load of this machine, it is looked at as often as the monitors of others are asked. */
export function performanceSettings(config: Config): PerformanceSettings {
  const { performance, probes, models } = config;
  const backends = Object.values(config.backends);
  const isLocal = backends.some(
    ({ gpuMonitor }) => gpuMonitor !== undefined && toGpuMonitor(gpuMonitor).url === localMonitor,
  );
  const isCompared = backends.length > 0 && Object.keys(models).length > 0;
  if (!isLocal && !isCompared) return performance;
  return { ...performance, lookEvery: Math.min(performance.every, probes.gpuInterval) };
}

function readHistorySample(dispatcher: Dispatcher, requests: RequestTable): HistorySample {
  const { backends, queuedTotal } = dispatcher.snapshot(0);
  const { total } = requests.traffic();
  let slotsUsed = 0;
  let slotsTotal = 0;
  for (const { view, inFlight, lingering, foreign } of backends.values()) {
    if (view.state !== 'live' && view.state !== 'degraded') continue;
    slotsUsed += inFlight + lingering + foreign;
    slotsTotal += view.slotsTotal;
  }
  return {
    requestsPerMinute: total.requestsPerMinute,
    outputTokensPerSecond: total.outputTokensPerSecond,
    queued: queuedTotal,
    slotsUsed,
    slotsTotal,
  };
}
