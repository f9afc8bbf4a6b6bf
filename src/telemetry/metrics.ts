/**
 * Metrics as functions with names: callers say what happened, never a metric's name. Owns the registry and keeps the
 * number of series bounded, whatever clients send. Numbers that others own are asked for when somebody looks.
 */
import { backendStates } from '../domain/backend-view.ts';
import type { HostReading } from '../domain/host-reading.ts';
import type { BackendId, ModelName } from '../domain/ids.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { RouteName } from '../domain/routes.ts';
import type { SchedulerSnapshot } from '../scheduler/snapshot.ts';
import { createProcessReader } from './process-reader.ts';
import type { FinishedRequest } from './finished-request.ts';
import { setHostGauges } from './host/host-gauges.ts';
import { createMetricRegistry } from './metric-registry.ts';
import type { CounterChild, HistogramChild, MetricRegistry } from './metric-registry.ts';

/** What is read when `/metrics` is asked for. */
export interface MetricReadings {
  readonly scheduler: Pick<SchedulerSnapshot, 'queuedTotal' | 'backends' | 'sessions' | 'draining'>;
  readonly requestsInFlight: number;
  readonly probes: ReadonlyMap<BackendId, ProbeReading>;
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
}

export interface Metrics {
  readonly contentType: string;
  /** Call once per request, at its end. */
  requestFinished(request: FinishedRequest): void;
  /** A connection was refused before it carried a request. */
  connectionRejected(): void;
  /** The page in Prometheus' text format. */
  text(): Promise<string>;
  /** Stops measuring the event loop. */
  close(): void;
}

export function createMetrics(options: MetricsOptions): Metrics {
  const registry = createMetricRegistry();
  const recorder = new RequestRecorder(registry, options.knowsModel);
  const processReader = createProcessReader(registry);
  const connectionsRejected = registry.counter('llamero_connections_rejected_total').labels({});
  connectionsRejected.inc(0);
  registry.gauge('llamero_build_info').set({ version: options.version, node: process.versions.node }, 1);
  registry.gauge('llamero_start_time_seconds').set({}, options.startedEpochMs / 1000);
  return {
    contentType: registry.contentType,
    requestFinished: (request) => recorder.record(request),
    connectionRejected: () => connectionsRejected.inc(),
    text() {
      recorder.flush();
      processReader.read();
      const readings = options.collect();
      setFleetGauges(registry, readings);
      setHostGauges(registry, readings.host);
      return registry.text();
    },
    close: () => processReader.close(),
  };
}

/** The series that one combination of route, model and backend writes to, looked up once. */
interface RequestSeries {
  readonly outcomes: Map<Outcome, Tally>;
  readonly duration: HistogramChild;
  readonly firstToken: HistogramChild;
  readonly wait: HistogramChild;
  readonly input: Tally;
  readonly output: Tally;
  readonly cached: Tally;
}

/** Counts on its own until somebody looks: the library's counters cost as much as all other accounting of a request. */
class Tally {
  readonly #counter: CounterChild;
  /** Undefined = nothing was added: a counter that was never used is not on the page. */
  #value: number | undefined;

  constructor(counter: CounterChild) {
    this.#counter = counter;
  }

  add(value = 1): void {
    this.#value = (this.#value ?? 0) + value;
  }

  flush(): void {
    if (this.#value !== undefined) this.#counter.inc(this.#value);
    this.#value = undefined;
  }
}

/** Most model names that become labels; the rest is counted as `other`. */
const modelsMax = 1000;

class RequestRecorder {
  readonly #registry: MetricRegistry;
  readonly #knowsModel: (model: ModelName) => boolean;
  readonly #models = new Set<ModelName>();
  readonly #series = new Map<BackendId, Map<ModelName, Map<RouteName, RequestSeries>>>();
  readonly #answered = new Map<BackendId, Tally>();
  readonly #tallies: Tally[] = [];

  constructor(registry: MetricRegistry, knowsModel: (model: ModelName) => boolean) {
    this.#registry = registry;
    this.#knowsModel = knowsModel;
  }

  /** Brings the library's counters up to date. */
  flush(): void {
    for (const tally of this.#tallies) tally.flush();
  }

  record(request: FinishedRequest): void {
    const { outcome, finishedAtMs, queuedAtMs, startedMs, usage } = request;
    if (outcome === undefined || finishedAtMs === undefined) return;
    const backend = request.backend ?? 'none';
    const model = this.#modelLabel(request);
    const series = this.#seriesOf(request.route, model, backend);
    this.#outcomeOf(series, { route: request.route, model, backend, outcome }).add();
    series.duration.observe((finishedAtMs - startedMs) / 1000);
    if (queuedAtMs !== undefined) {
      series.wait.observe(((request.grantedAtMs ?? finishedAtMs) - queuedAtMs) / 1000);
    }
    if (request.stream && request.firstByteAtMs !== undefined) {
      series.firstToken.observe((request.firstByteAtMs - startedMs) / 1000);
    }
    if (usage !== undefined) {
      series.input.add(usage.inputTokens);
      series.output.add(usage.outputTokens);
      series.cached.add(usage.cachedTokens);
    }
    this.#recordAttempts(request);
    for (const { repair } of request.repairs) this.#registry.counter('llamero_repairs_total').inc({ repair });
  }

  #recordAttempts({ attempts }: FinishedRequest): void {
    for (let index = 0; index < attempts.length; index += 1) {
      const attempt = attempts[index];
      if (attempt === undefined) continue;
      const { backend } = attempt;
      if (attempt.failure === undefined) this.#answeredBy(backend).add();
      else {
        this.#registry.counter('llamero_attempts_total').inc({ backend, result: 'failed' });
        if (index < attempts.length - 1) this.#registry.counter('llamero_failovers_total').inc({ backend });
      }
    }
  }

  #answeredBy(backend: BackendId): Tally {
    const known = this.#answered.get(backend);
    if (known !== undefined) return known;
    const counter = this.#registry.counter('llamero_attempts_total');
    const tally = this.#tally(counter.labels({ backend, result: 'answered' }));
    this.#answered.set(backend, tally);
    return tally;
  }

  #modelLabel({ model, outcome }: FinishedRequest): string {
    if (model === undefined) return 'none';
    if (this.#models.has(model)) return model;
    if (outcome !== 'completed' && !this.#knowsModel(model)) return 'unknown';
    if (this.#models.size >= modelsMax) return 'other';
    this.#models.add(model);
    return model;
  }

  #outcomeOf(
    series: RequestSeries,
    labels: { readonly route: RouteName; model: string; backend: string; outcome: Outcome },
  ): Tally {
    const known = series.outcomes.get(labels.outcome);
    if (known !== undefined) return known;
    const tally = this.#tally(this.#registry.counter('llamero_requests_total').labels(labels));
    series.outcomes.set(labels.outcome, tally);
    return tally;
  }

  #tally(counter: CounterChild): Tally {
    const tally = new Tally(counter);
    this.#tallies.push(tally);
    return tally;
  }

  #seriesOf(route: RouteName, model: string, backend: string): RequestSeries {
    let byModel = this.#series.get(backend);
    if (byModel === undefined) this.#series.set(backend, (byModel = new Map()));
    let byRoute = byModel.get(model);
    if (byRoute === undefined) byModel.set(model, (byRoute = new Map()));
    const known = byRoute.get(route);
    if (known !== undefined) return known;
    const tokens = this.#registry.counter('llamero_tokens_total');
    const series: RequestSeries = {
      outcomes: new Map(),
      duration: this.#registry.histogram('llamero_request_duration_seconds').labels({ route, model }),
      firstToken: this.#registry.histogram('llamero_time_to_first_token_seconds').labels({ model, backend }),
      wait: this.#registry.histogram('llamero_queue_wait_seconds').labels({ model }),
      input: this.#tally(tokens.labels({ model, backend, kind: 'input' })),
      output: this.#tally(tokens.labels({ model, backend, kind: 'output' })),
      cached: this.#tally(tokens.labels({ model, backend, kind: 'cached' })),
    };
    byRoute.set(route, series);
    return series;
  }
}

const fleetGauges = [
  'llamero_backend_state',
  'llamero_backend_in_flight',
  'llamero_backend_slots',
  'llamero_backend_slots_free',
  'llamero_backend_slots_used',
  'llamero_backend_slots_busy',
  'llamero_backend_models_loaded',
  'llamero_backend_probe_failures',
  'llamero_backend_probe_duration_seconds',
  'llamero_backend_probe_timestamp_seconds',
] as const;

/** Backends that left the configuration must leave the page too, so the gauges start empty each time. */
function setFleetGauges(
  registry: MetricRegistry,
  { scheduler, requestsInFlight, probes }: MetricReadings,
): void {
  registry.gauge('llamero_queue_depth').set({}, scheduler.queuedTotal);
  registry.gauge('llamero_requests_in_flight').set({}, requestsInFlight);
  registry.gauge('llamero_sessions').set({}, scheduler.sessions);
  registry.gauge('llamero_draining').set({}, scheduler.draining ? 1 : 0);
  for (const name of fleetGauges) registry.gauge(name).reset();
  for (const [backend, { view, inFlight, lingering, foreign, free }] of scheduler.backends) {
    for (const state of backendStates) {
      registry.gauge('llamero_backend_state').set({ backend, state }, view.state === state ? 1 : 0);
    }
    registry.gauge('llamero_backend_in_flight').set({ backend }, inFlight);
    registry.gauge('llamero_backend_slots').set({ backend }, view.slotsTotal);
    registry.gauge('llamero_backend_slots_free').set({ backend }, free);
    const used = registry.gauge('llamero_backend_slots_used');
    used.set({ backend, by: 'own' }, inFlight);
    used.set({ backend, by: 'lingering' }, lingering);
    used.set({ backend, by: 'foreign' }, foreign);
    if (view.slots !== undefined)
      registry.gauge('llamero_backend_slots_busy').set({ backend }, view.slots.busy);
    registry.gauge('llamero_backend_models_loaded').set({ backend }, view.loaded.size);
  }
  for (const [backend, probe] of probes) {
    registry.gauge('llamero_backend_probe_failures').set({ backend }, probe.failuresInRow);
    if (probe.durationMs !== undefined) {
      registry.gauge('llamero_backend_probe_duration_seconds').set({ backend }, probe.durationMs / 1000);
    }
    if (probe.atEpochMs !== undefined) {
      registry.gauge('llamero_backend_probe_timestamp_seconds').set({ backend }, probe.atEpochMs / 1000);
    }
  }
}
