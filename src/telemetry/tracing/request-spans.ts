/**
 * A finished request as spans: one for the whole, one per phase, one per try on a backend. Reads the times that the
 * request's record has anyway; knows nothing of where spans go.
 */
import type { RouteName } from '../../domain/routes.ts';
import type { FinishedRequest } from '../finished-request.ts';
import type { Span, SpanAttributes, SpanLink } from './span.ts';
import { newSpanId, type SpanContext } from './trace-context.ts';

/** What a trace needs of a request beyond what the log and metrics read. */
export interface TracedRequest extends FinishedRequest {
  readonly startedEpochMs: number;
  /** The name that the client asked for. */
  readonly requested: string | undefined;
  /** As received, names and values alternating. */
  readonly requestHeaders: readonly string[];
}

/** One try on a backend. Times are Clock.nowMs. */
export interface TracedAttempt {
  readonly spanId: string;
  /** Number among the attempts of the request, from 1. */
  readonly number: number;
  readonly grantedAtMs: number;
  /** The request was written; undefined = it never was. */
  sentAtMs: number | undefined;
  /** It was given up; undefined = it lasted as long as the request. */
  endedAtMs: number | undefined;
}

export interface RequestTrace {
  readonly context: SpanContext;
  readonly parentSpanId: string | undefined;
  readonly attempts: TracedAttempt[];
  /** The load that it waited for. */
  load: { readonly startedMs: number; readonly endedMs: number; readonly link: SpanLink } | undefined;
}

/** The other side of a try. */
export interface TracedBackend {
  readonly engine: string;
  readonly url: URL;
}

export type FindBackend = (id: string) => TracedBackend | undefined;

const nameCharsMax = 256;

export function toRequestSpans(
  request: TracedRequest,
  trace: RequestTrace,
  findBackend: FindBackend,
): Span[] {
  const builder = new SpanBuilder(request, trace);
  const { startedMs, queuedAtMs } = request;
  builder.root();
  builder.phase('read', startedMs, queuedAtMs ?? builder.endMs);
  addWaits(builder, request, trace);
  for (const attempt of trace.attempts) addAttempt(builder, { request, attempt, findBackend });
  return builder.spans;
}

class SpanBuilder {
  readonly spans: Span[] = [];
  readonly endMs: number;
  readonly name: string;
  readonly #request: TracedRequest;
  readonly #trace: RequestTrace;

  constructor(request: TracedRequest, trace: RequestTrace) {
    this.#request = request;
    this.#trace = trace;
    this.endMs = request.finishedAtMs ?? request.startedMs;
    const model = request.requested ?? request.model;
    this.name = [operationOf(request.route), model].join(' ').trim().slice(0, nameCharsMax);
  }

  root(): void {
    const { startedMs, route, outcome } = this.#request;
    const failed = isFailure(this.#request);
    this.#add({
      spanId: this.#trace.context.spanId,
      parentSpanId: this.#trace.parentSpanId,
      name: this.name,
      kind: 'server',
      startMs: startedMs,
      endMs: this.endMs,
      failed,
      attributes: {
        'http.request.method': this.#request.method,
        'http.response.status_code': this.#request.status,
        'llamero.request.id': this.#request.id,
        'llamero.route': route,
        'llamero.outcome': outcome,
        'llamero.backend': this.#request.backend,
        'error.type': failed ? (this.#request.errorCode ?? outcome) : undefined,
      },
    });
  }

  /** Returns the id of the new span; `parentSpanId`: default the whole request. Nothing is added for a time that never was. */
  phase(name: string, startMs: number, endMs: number | undefined, more: PhaseOptions = {}): string {
    const spanId = newSpanId();
    if (endMs === undefined) return spanId;
    this.#add({
      spanId,
      parentSpanId: more.parentSpanId ?? this.#trace.context.spanId,
      name,
      kind: 'internal',
      startMs,
      endMs,
      failed: false,
      attributes: {},
      links: more.links ?? [],
    });
    return spanId;
  }

  client(span: Omit<BuiltSpan, 'parentSpanId' | 'name' | 'kind'>): void {
    this.#add({ ...span, parentSpanId: this.#trace.context.spanId, name: this.name, kind: 'client' });
  }

  #add({ startMs, endMs, links = [], ...span }: BuiltSpan): void {
    const { startedMs, startedEpochMs } = this.#request;
    const { traceId, traceState } = this.#trace.context;
    const toEpochMs = (ms: number): number => startedEpochMs + (ms - startedMs);
    const [startEpochMs, endEpochMs] = [toEpochMs(startMs), toEpochMs(Math.max(startMs, endMs))];
    this.spans.push({ traceId, traceState, links, startEpochMs, endEpochMs, ...span });
  }
}

interface PhaseOptions {
  readonly parentSpanId?: string;
  readonly links?: readonly SpanLink[];
}

/** Times are Clock.nowMs. */
interface BuiltSpan {
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly kind: Span['kind'];
  readonly startMs: number;
  readonly endMs: number;
  readonly failed: boolean;
  readonly attributes: SpanAttributes;
  readonly links?: readonly SpanLink[];
}

/** One wait before each attempt, and the last one of a request that got no slot. */
function addWaits(
  builder: SpanBuilder,
  { queuedAtMs }: TracedRequest,
  { attempts, load }: RequestTrace,
): void {
  let sinceMs = queuedAtMs;
  for (const { grantedAtMs, endedAtMs } of attempts) {
    if (sinceMs === undefined) return;
    addWait(builder, sinceMs, grantedAtMs, load);
    sinceMs = endedAtMs;
  }
  if (sinceMs !== undefined) addWait(builder, sinceMs, builder.endMs, load);
}

function addWait(builder: SpanBuilder, startMs: number, endMs: number, load: RequestTrace['load']): void {
  const parentSpanId = builder.phase('queue', startMs, endMs);
  if (load === undefined || load.endedMs < startMs || load.endedMs > endMs) return;
  const links = [load.link];
  builder.phase('load wait', Math.max(startMs, load.startedMs), load.endedMs, { parentSpanId, links });
}

interface AttemptParts {
  readonly request: TracedRequest;
  readonly attempt: TracedAttempt;
  readonly findBackend: FindBackend;
}

function addAttempt(builder: SpanBuilder, parts: AttemptParts): void {
  const { request, attempt } = parts;
  const { spanId, grantedAtMs, sentAtMs, endedAtMs } = attempt;
  const endMs = endedAtMs ?? builder.endMs;
  const isLast = endedAtMs === undefined;
  const failed = !isLast || isFailure(request);
  builder.client({ spanId, startMs: grantedAtMs, endMs, failed, attributes: attemptAttributes(parts) });
  const within = { parentSpanId: spanId };
  builder.phase('connect', grantedAtMs, sentAtMs ?? endMs, within);
  const firstByteAtMs = isLast ? request.firstByteAtMs : undefined;
  if (sentAtMs !== undefined) builder.phase('first byte', sentAtMs, firstByteAtMs ?? endMs, within);
  if (firstByteAtMs !== undefined)
    builder.phase(request.stream ? 'stream' : 'answer', firstByteAtMs, endMs, within);
}

function attemptAttributes({ request, attempt, findBackend }: AttemptParts): SpanAttributes {
  const record = request.attempts[attempt.number - 1];
  const backend = findBackend(record?.backend ?? '');
  const { url } = backend ?? {};
  const isLast = attempt.endedAtMs === undefined;
  const usage = isLast ? request.usage : undefined;
  const firstByteAtMs = isLast && request.stream ? request.firstByteAtMs : undefined;
  return {
    'gen_ai.operation.name': operationOf(request.route),
    'gen_ai.provider.name': backend?.engine,
    'gen_ai.request.model': (request.requested ?? request.model)?.slice(0, nameCharsMax),
    'gen_ai.request.stream': request.stream,
    'gen_ai.response.model': isLast && request.firstByteAtMs !== undefined ? request.model : undefined,
    'gen_ai.response.time_to_first_chunk':
      firstByteAtMs === undefined ? undefined : (firstByteAtMs - attempt.grantedAtMs) / 1000,
    'gen_ai.usage.input_tokens': usage?.inputTokens,
    'gen_ai.usage.output_tokens': usage?.outputTokens,
    'gen_ai.usage.cache_read.input_tokens': usage?.cachedTokens,
    'gen_ai.usage.reasoning.output_tokens': usage?.reasoningTokens,
    'server.address': url?.hostname.replace(/^\[(.*)\]$/, '$1'),
    'server.port': url === undefined ? undefined : portOf(url),
    'llamero.backend': record?.backend,
    'llamero.attempt': attempt.number,
    'error.type': isLast && !isFailure(request) ? undefined : errorTypeOf(record?.failure, request),
  };
}

/** A word, a system's error code or a status: what a failure says in sentences is for the log. */
function errorTypeOf(failure: string | undefined, { errorCode, outcome }: TracedRequest): string | undefined {
  if (failure === undefined) return errorCode ?? outcome;
  const status = /^status (\d{3})$/.exec(failure)?.[1];
  return status ?? (/^[A-Z_]+$/.test(failure) ? failure : '_OTHER');
}

/** What the client did to itself is no failure of the server. */
function isFailure({ outcome, status }: TracedRequest): boolean {
  return outcome === 'passed_through_error' ? (status ?? 0) >= 500 : outcome !== 'completed';
}

function portOf({ port, protocol }: URL): number {
  if (port !== '') return Number(port);
  return protocol === 'https:' ? 443 : 80;
}

/** The conventions' words where they have one, else the name of the route. */
function operationOf(route: RouteName): string {
  return operations[route] ?? route;
}

const operations: { readonly [Name in RouteName]?: string } = {
  'chat-completions': 'chat',
  responses: 'chat',
  messages: 'chat',
  'ollama-chat': 'chat',
  completions: 'text_completion',
  'ollama-generate': 'text_completion',
  'native-completion': 'text_completion',
  infill: 'text_completion',
  embeddings: 'embeddings',
  'ollama-embed': 'embeddings',
  'ollama-embeddings': 'embeddings',
};
