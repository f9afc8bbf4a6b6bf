/**
 * Traces of requests and loads: hands out ids while a request runs, makes spans of it when it is over. Exists only while
 * tracing is on; nobody else knows what a trace is.
 */
import type { Logger } from 'pino';
import type { Clock } from '../../base/clock.ts';
import type { BackendId, ModelName, RequestId } from '../../domain/ids.ts';
import type { LoadReport } from '../model-loads.ts';
import { OtlpExporter } from './otlp-exporter.ts';
import { toRequestSpans, type FindBackend, type RequestTrace, type TracedRequest } from './request-spans.ts';
import { isSampled } from './sampler.ts';
import type { SpanLink } from './span.ts';
import { contextHeaders, newSpanId, newTraceId, tryParseContext, type SpanContext } from './trace-context.ts';
import type { TracingSettings } from './tracing-settings.ts';

export interface TracerOptions {
  readonly settings: TracingSettings;
  readonly clock: Clock;
  readonly log: Logger;
  readonly version: string;
  /** A running request. */
  readonly findRequest: (id: RequestId) => TracedRequest | undefined;
  readonly findBackend: FindBackend;
}

interface LoadTrace {
  readonly context: SpanContext;
  readonly report: LoadReport;
  readonly links: SpanLink[];
}

/** Most requests that a load's span names. */
const linksMax = 128;
const flushMsMax = 2000;

export class Tracer {
  readonly #options: TracerOptions;
  readonly #exporter: OtlpExporter;
  readonly #traces = new WeakMap<TracedRequest, RequestTrace>();
  /** The last one by model. */
  readonly #loads = new Map<ModelName, LoadTrace>();

  constructor(options: TracerOptions) {
    const { settings, log, version } = options;
    this.#options = options;
    this.#exporter = new OtlpExporter({ settings, log, version, resource: settings.resource });
  }

  /** Spans so far, by what became of them. */
  get counts(): { readonly exported: number; readonly dropped: number } {
    return this.#exporter.counts;
  }

  /** Headers that tell a backend where it is in the trace, names and values alternating. Again for the same attempt: the same. */
  headers(request: TracedRequest): readonly string[] {
    const { context, attempts } = this.#traceOf(request);
    const number = request.attempts.length;
    let attempt = attempts.at(-1);
    if (attempt?.number !== number) {
      const grantedAtMs = request.grantedAtMs ?? this.#options.clock.nowMs();
      attempt = { spanId: newSpanId(), number, grantedAtMs, sentAtMs: undefined, endedAtMs: undefined };
      attempts.push(attempt);
    }
    return contextHeaders({ ...context, spanId: attempt.spanId });
  }

  /** The request is written to the backend. */
  sent(request: TracedRequest): void {
    const attempt = this.#traces.get(request)?.attempts.at(-1);
    if (attempt !== undefined) attempt.sentAtMs ??= this.#options.clock.nowMs();
  }

  /** The backend failed the request, which waits for another attempt. */
  attemptEnded(request: TracedRequest): void {
    const attempt = this.#traces.get(request)?.attempts.at(-1);
    if (attempt !== undefined) attempt.endedAtMs ??= this.#options.clock.nowMs();
  }

  /** A waiting request got a place; if that was loaded while it waited, the two belong together. */
  placed(id: RequestId, backend: BackendId): void {
    const load = this.#loads.get(backend);
    const request = load === undefined ? undefined : this.#options.findRequest(id);
    if (load === undefined || request?.queuedAtMs === undefined) return;
    const { startedMs, endedMs } = load.report;
    if (endedMs < request.queuedAtMs) return;
    const trace = this.#traceOf(request);
    trace.load = { startedMs, endedMs, link: linkTo(load.context) };
    if (trace.context.sampled && load.links.length < linksMax) load.links.push(linkTo(trace.context));
  }

  loaded(report: LoadReport): void {
    const load = { context: this.#newContext(undefined), report, links: [] };
    this.#loads.set(report.model, load);
    // Those that waited for it are placed before the current turn ends.
    if (load.context.sampled) setImmediate(() => this.#exportLoad(load));
  }

  finished(request: TracedRequest): void {
    const trace = this.#traceOf(request);
    if (trace.context.sampled) {
      this.#exporter.add(toRequestSpans(request, trace, this.#options.findBackend));
    }
  }

  /** Where a request that is over can be looked up; undefined = its trace is not kept. */
  traceIdOf(request: TracedRequest): string | undefined {
    const context = this.#traces.get(request)?.context;
    return context?.sampled === true ? context.traceId : undefined;
  }

  /** Delivers what waits, within two seconds. */
  close(): Promise<void> {
    return this.#exporter.close(flushMsMax);
  }

  #traceOf(request: TracedRequest): RequestTrace {
    const known = this.#traces.get(request);
    if (known !== undefined) return known;
    const parent = this.#innerContext(request) ?? tryParseContext(request.requestHeaders);
    const trace: RequestTrace = {
      context: this.#newContext(parent),
      parentSpanId: parent?.spanId,
      attempts: [],
      load: undefined,
    };
    this.#traces.set(request, trace);
    return trace;
  }

  /** Of a request of the router's own: below the one that it is part of. */
  #innerContext({ parent }: TracedRequest): SpanContext | undefined {
    const request = parent && this.#options.findRequest(parent.id);
    return request && this.#traceOf(request).context;
  }

  #newContext(parent: SpanContext | undefined): SpanContext {
    const traceId = parent?.traceId ?? newTraceId();
    const sampled = isSampled(this.#options.settings, traceId, parent);
    return { traceId, spanId: newSpanId(), sampled, traceState: parent?.traceState ?? '' };
  }

  #exportLoad({ context, report, links }: LoadTrace): void {
    const { clock } = this.#options;
    const toEpochMs = (ms: number): number => clock.epochMs() - (clock.nowMs() - ms);
    const failed = report.result !== 'ready';
    this.#exporter.add([
      {
        ...linkTo(context),
        parentSpanId: undefined,
        traceState: '',
        name: `load ${report.model}`,
        kind: 'internal',
        startEpochMs: toEpochMs(report.startedMs),
        endEpochMs: toEpochMs(report.endedMs),
        attributes: {
          'llamero.backend': report.model,
          'llamero.load.result': report.result,
          'llamero.load.swap': report.isSwap,
          'error.type': failed ? report.result : undefined,
        },
        links,
        failed,
      },
    ]);
  }
}

function linkTo({ traceId, spanId }: SpanContext): SpanLink {
  return { traceId, spanId };
}
