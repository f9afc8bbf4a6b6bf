/**
 * What finished requests add to the metrics. Keeps the number of series bounded, whatever clients send: the only file
 * that turns a request into labels.
 */
import type { BackendId, ModelName } from '../domain/ids.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { RouteName } from '../domain/routes.ts';
import { apiOf } from '../domain/route-groups.ts';
import type { FinishedRequest } from './finished-request.ts';
import type { CounterChild, HistogramChild, MetricRegistry } from './metric-registry.ts';

/** The series that one combination of route, model and backend writes to, looked up once. */
interface RequestSeries {
  readonly outcomes: Map<Outcome, OutcomeSeries>;
  readonly firstToken: HistogramChild;
  readonly tokenGap: HistogramChild;
  readonly tokenRate: HistogramChild;
  readonly input: Tally;
  readonly output: Tally;
  readonly cached: Tally;
  readonly reasoning: Tally;
}

interface OutcomeSeries {
  readonly requests: Tally;
  readonly duration: HistogramChild;
  readonly wait: HistogramChild;
}

interface SeriesLabels {
  readonly route: RouteName;
  readonly model: string;
  readonly backend: string;
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
export const modelLabelsMax = 200;

export class RequestMetrics {
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
    const labels = {
      route: request.route,
      model: this.#modelLabel(request),
      backend: request.backend ?? 'none',
    };
    const series = this.#seriesOf(labels);
    const ofOutcome = this.#outcomeOf(series, labels, outcome);
    ofOutcome.requests.add();
    ofOutcome.duration.observe((finishedAtMs - startedMs) / 1000);
    if (queuedAtMs !== undefined) {
      ofOutcome.wait.observe(((request.grantedAtMs ?? finishedAtMs) - queuedAtMs) / 1000);
    }
    if (request.stream && request.firstByteAtMs !== undefined) {
      series.firstToken.observe((request.firstByteAtMs - startedMs) / 1000);
    }
    if (usage !== undefined) {
      series.input.add(usage.inputTokens);
      series.output.add(usage.outputTokens);
      series.cached.add(usage.cachedTokens);
      if (usage.reasoningTokens !== undefined) series.reasoning.add(usage.reasoningTokens);
    }
    if (outcome === 'completed') recordSpeed(request, series);
    else this.#recordEnd(outcome, request);
    this.#recordAttempts(request);
    const { parent } = request;
    if (parent !== undefined) {
      this.#registry.counter('llamero_inner_requests_total').inc({ purpose: parent.purpose, outcome });
    }
    for (const { repair } of request.repairs) this.#registry.counter('llamero_repairs_total').inc({ repair });
    if (request.cache !== undefined) this.#recordCache(request.cache);
  }

  #recordCache({ result, saved, refusal }: NonNullable<FinishedRequest['cache']>): void {
    this.#registry.counter('llamero_cache_requests_total').inc({ result });
    if (saved !== undefined) {
      const tokens = this.#registry.counter('llamero_cache_saved_tokens_total');
      tokens.inc({ kind: 'input' }, saved.inputTokens);
      tokens.inc({ kind: 'output' }, saved.outputTokens);
    }
    if (refusal !== undefined)
      this.#registry.counter('llamero_cache_refusals_total').inc({ reason: refusal });
  }

  /** An end that was not the engine's. */
  #recordEnd(outcome: Outcome, { errorCode }: FinishedRequest): void {
    if (outcome.startsWith('rejected_') || outcome === 'evicted_timeout') {
      this.#registry.counter('llamero_rejections_total').inc({ reason: errorCode ?? outcome });
    } else if (outcome.startsWith('cancelled_')) {
      const phase = outcome.slice('cancelled_'.length);
      this.#registry.counter('llamero_aborts_total').inc({ phase, by: aborterOf(errorCode) });
    }
  }

  #recordAttempts({ attempts }: FinishedRequest): void {
    for (let index = 0; index < attempts.length; index += 1) {
      const attempt = attempts[index];
      if (attempt === undefined) continue;
      const { backend } = attempt;
      if (index > 0) this.#registry.counter('llamero_retries_total').inc({ backend });
      if (attempt.failure === undefined) this.#answeredBy(backend).add();
      else {
        this.#registry.counter('llamero_attempts_total').inc({ backend, result: 'failed' });
        const next = attempts[index + 1];
        if (next !== undefined && next.backend !== backend) {
          this.#registry.counter('llamero_failovers_total').inc({ backend });
        }
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
    if (this.#models.size >= modelLabelsMax) return 'other';
    this.#models.add(model);
    return model;
  }

  #outcomeOf(
    series: RequestSeries,
    { route, model, backend }: SeriesLabels,
    outcome: Outcome,
  ): OutcomeSeries {
    const known = series.outcomes.get(outcome);
    if (known !== undefined) return known;
    const dialect = apiOf(route);
    const requests = this.#registry.counter('llamero_requests_total');
    const duration = this.#registry.histogram('llamero_request_duration_seconds');
    const wait = this.#registry.histogram('llamero_queue_wait_seconds');
    const ofOutcome: OutcomeSeries = {
      requests: this.#tally(requests.labels({ route, model, backend, outcome })),
      duration: duration.labels({ model, backend, dialect, outcome }),
      wait: wait.labels({ model, dialect, outcome }),
    };
    series.outcomes.set(outcome, ofOutcome);
    return ofOutcome;
  }

  #tally(counter: CounterChild): Tally {
    const tally = new Tally(counter);
    this.#tallies.push(tally);
    return tally;
  }

  #seriesOf({ route, model, backend }: SeriesLabels): RequestSeries {
    let byModel = this.#series.get(backend);
    if (byModel === undefined) this.#series.set(backend, (byModel = new Map()));
    let byRoute = byModel.get(model);
    if (byRoute === undefined) byModel.set(model, (byRoute = new Map()));
    const known = byRoute.get(route);
    if (known !== undefined) return known;
    const tokens = this.#registry.counter('llamero_tokens_total');
    const labels = { model, backend, dialect: apiOf(route) };
    const series: RequestSeries = {
      outcomes: new Map(),
      firstToken: this.#registry.histogram('llamero_time_to_first_token_seconds').labels(labels),
      tokenGap: this.#registry.histogram('llamero_inter_token_latency_seconds').labels(labels),
      tokenRate: this.#registry.histogram('llamero_output_tokens_per_second').labels(labels),
      input: this.#tally(tokens.labels({ model, backend, kind: 'input' })),
      output: this.#tally(tokens.labels({ model, backend, kind: 'output' })),
      cached: this.#tally(tokens.labels({ model, backend, kind: 'cached' })),
      reasoning: this.#tally(tokens.labels({ model, backend, kind: 'reasoning' })),
    };
    byRoute.set(route, series);
    return series;
  }
}

/** The first token is there with the first byte; the others share the time from then to the end. */
function recordSpeed(
  { usage, timings, stream, firstByteAtMs, finishedAtMs }: FinishedRequest,
  { tokenGap, tokenRate }: RequestSeries,
): void {
  const gaps = (usage?.outputTokens ?? 0) - 1;
  const streamedMs =
    stream && firstByteAtMs !== undefined && finishedAtMs !== undefined ? finishedAtMs - firstByteAtMs : 0;
  const isMeasured = gaps > 0 && streamedMs > 0;
  if (isMeasured) tokenGap.observe(streamedMs / 1000 / gaps);
  const rate = timings?.predictedRate ?? (isMeasured ? (gaps * 1000) / streamedMs : undefined);
  if (rate !== undefined) tokenRate.observe(rate);
}

function aborterOf(code: FinishedRequest['errorCode']): 'client' | 'operator' | 'shutdown' {
  if (code === 'cancelled') return 'operator';
  return code === 'shutting_down' ? 'shutdown' : 'client';
}
