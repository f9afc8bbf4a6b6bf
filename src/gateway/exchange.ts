/**
 * The life of one request, from its head to its outcome: read → resolve → wait for a slot → send → relay, again from
 * the wait when a backend could not have accepted it. Owns the permit between grant and finish, and ends exactly once.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { LlameroError } from '../domain/errors.ts';
import type { ModelName } from '../domain/ids.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { Backend, BackendFailure } from '../engines/backend.ts';
import type { Grant, Rejection } from '../scheduler/effects.ts';
import type { AttemptRecord, RequestRecord } from '../store/request-record.ts';
import { canBeginEarly, EarlyStream } from './early-stream.ts';
import { errorEvent, sendError } from './error-response.ts';
import { ReplaceableAnswer } from './replaceable-answer.ts';
import type { GatewayParts } from './gateway.ts';
import { headerValue, toRequestHeaders, toResponseHeaders } from './headers.ts';
import { lateErrorEvent } from './late-error.ts';
import { LoadingText } from './loading-text.ts';
import { nobodyListens } from './nobody-listens.ts';
import { toOutgoing, type Outgoing } from './outgoing.ts';
import type { Placer, Waiter } from './placer.ts';
import { readBody } from './read-body.ts';
import { failureError, rejectionError, rejectionOutcome } from './rejection.ts';
import { Relay } from './relay.ts';
import { resolveRequest, type Resolved } from './resolve.ts';
import type { Route } from './routes.ts';
import { upstreamPath } from './target.ts';
import type { UpstreamCall, UpstreamFailure, UpstreamHandler } from './upstream.ts';

export interface Inbound {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly id: string;
  readonly route: Route;
  /** Path without the query, and the query without its question mark. */
  readonly path: string;
  readonly query: string;
  /** Name of the caller's key, else its address. */
  readonly flow: string;
  /** Path and query as an engine gets them, before the edits of a backend. */
  readonly url: string;
  /** Where the path names the model: body and query then pass as they came. */
  readonly modelInPath: ModelName | undefined;
}

export class Exchange implements Waiter, UpstreamHandler {
  readonly #parts: GatewayParts;
  readonly #inbound: Inbound;
  readonly #record: RequestRecord;
  readonly #relay: Relay;
  #placer: Placer | undefined;
  #body: Buffer = Buffer.alloc(0);
  #resolved: Resolved | undefined;
  /** Names to try when nobody that has the model can be reached. */
  #alternatives: readonly ModelName[] = [];
  #outgoing: Outgoing | undefined;
  #backend: Backend | undefined;
  #attempt: AttemptRecord | undefined;
  #call: UpstreamCall | undefined;
  /** An answer that another backend may replace (503, or 404 on a best-effort route), kept in case none does. */
  #refusal: ReplaceableAnswer | undefined;
  /** An answer that is no stream, for a client whose stream has begun. */
  #late: ReplaceableAnswer | undefined;
  #early: EarlyStream | undefined;
  #loading: LoadingText | undefined;
  #failure: LlameroError | undefined;
  #holdsPermit = false;
  #ended = false;

  constructor(parts: GatewayParts, inbound: Inbound) {
    const { id, route, path, flow, response } = inbound;
    this.#parts = parts;
    this.#inbound = inbound;
    const head = { id, route: route.name, method: inbound.request.method ?? 'GET', path, flow };
    this.#record = parts.requests.open(head, (reason) => this.#cancelled(reason));
    this.#relay = new Relay({ response, route, record: this.#record, clock: parts.clock });
  }

  /** Begins. Everything after this happens by callbacks. */
  start(): void {
    const { request, response } = this.#inbound;
    response.on('close', () => this.#clientLeft());
    // node:http closes no answer that waits behind another one of its connection.
    if (response.socket === null) request.socket.once('close', () => this.#clientLeft());
    readBody(request, this.#parts.config().limits.body, (error, body) => {
      if (this.#ended) return;
      if (error === undefined) this.#guarded(() => this.#bodyRead(body));
      else this.#fail(error, 'rejected_other');
    });
  }

  granted(grant: Grant): void {
    const backend = this.#parts.fleet.get(grant.backend);
    const record = this.#record;
    this.#holdsPermit = true;
    this.#loading?.done();
    record.grantedAtMs = this.#parts.clock.nowMs();
    record.backend = grant.backend;
    this.#attempt = { backend: grant.backend, failure: undefined };
    record.attempts.push(this.#attempt);
    record.phase = 'connecting';
    this.#parts.requests.changed(record);
    if (backend === undefined) {
      this.#attempt.failure = 'left the configuration';
      this.#again();
      return;
    }
    this.#backend = backend;
    this.#guarded(() => this.#send(backend, grant.model));
  }

  rejected(rejection: Rejection): void {
    if (this.#elsewhere(rejection)) return;
    this.#placer = undefined;
    if (rejection.reason === 'exhausted' && this.#refusal !== undefined) {
      this.#passRefusal(this.#refusal);
      return;
    }
    const { config, fleet, names } = this.#parts;
    const context = { config: config(), fleet, names, model: this.#record.model };
    const error =
      rejection.reason === 'exhausted' && this.#failure !== undefined
        ? this.#failure
        : rejectionError(rejection, context);
    this.#fail(error, rejectionOutcome(rejection.reason));
  }

  onHead(status: number, headers: readonly string[]): void {
    const backend = this.#backend;
    if (backend === undefined) return;
    const record = this.#record;
    record.headAtMs = this.#parts.clock.nowMs();
    record.phase = 'waiting';
    this.#late = undefined;
    const forClient = toResponseHeaders(headers, {
      requestId: record.id,
      backend: backend.id,
      attempts: record.attempts.length > 1 ? attemptsHeader(record.attempts) : undefined,
    });
    if (this.#isReplaceable(status)) this.#refusal = new ReplaceableAnswer(status, forClient);
    else if (this.#early?.begun === true && !isStream(status, headers)) {
      this.#refusal = undefined;
      this.#early.end();
      this.#late = new ReplaceableAnswer(status, forClient);
    } else {
      this.#refusal = undefined;
      this.#outgoing?.assembly?.head(status, headers);
      this.#relay.head(status, forClient, backend.kind.endsWithDone);
    }
    if (status < 500) this.#parts.registry.reportSuccess(backend.id);
  }

  onData(chunk: Buffer): void {
    const kept = this.#refusal ?? this.#late;
    if (kept !== undefined) {
      kept.push(chunk);
      return;
    }
    const assembly = this.#outgoing?.assembly;
    if (assembly?.active === true) {
      this.#record.firstByteAtMs ??= this.#parts.clock.nowMs();
      assembly.push(chunk);
      return;
    }
    if (!this.#relay.begun) this.#firstByte(chunk);
    if (this.#relay.push(chunk)) return;
    this.#call?.pause();
    this.#inbound.response.once('drain', () => this.#call?.resume());
  }

  onEnd(): void {
    if (this.#refusal !== undefined) {
      this.#refused(this.#refusal);
      return;
    }
    if (this.#late !== undefined) {
      this.#passLate(this.#late);
      return;
    }
    const assembly = this.#outgoing?.assembly;
    if (assembly?.active === true) {
      const answer = assembly.finish();
      this.#relay.assembled(answer);
      this.#finish(answer.status < 400 ? 'completed' : 'passed_through_error');
      return;
    }
    const broken = this.#relay.end();
    if (broken === undefined) this.#finish(this.#relay.status < 400 ? 'completed' : 'passed_through_error');
    else this.#brokeOff(broken, true);
  }

  onError(failure: UpstreamFailure): void {
    const backend = this.#backend;
    if (backend === undefined || this.#ended) return;
    if (this.#attempt !== undefined) this.#attempt.failure = failure.reason;
    this.#parts.registry.reportFailure(backend.id, failure.kind);
    const error = failureError(failure, backend.id);
    if (this.#relay.begun) {
      this.#brokeOff(error, false);
      return;
    }
    this.#failure = error;
    if (failure.accepted === 'no') this.#again();
    else if (failure.kind === 'reset') this.#againIfDead(backend, error);
    else this.#fail(error, 'failed_before_first_byte');
  }

  #bodyRead(body: Buffer): void {
    this.#body = body;
    const record = this.#record;
    record.bytesIn = body.length;
    const resolved = resolveRequest(this.#parts, this.#inbound, body);
    if (resolved instanceof LlameroError) {
      record.model = resolved.code === 'model_missing' ? undefined : record.model;
      this.#fail(resolved, 'rejected_other');
      return;
    }
    const { facts, meaning } = resolved;
    this.#resolved = resolved;
    this.#alternatives = meaning?.alternatives ?? [];
    record.model = facts.model;
    record.requested = this.#inbound.modelInPath ?? resolved.peeked.model;
    record.selector = meaning?.selector;
    record.session = facts.session;
    record.stream = resolved.stream;
    record.tokensEstimated = facts.tokensEstimated;
    record.queuedAtMs = this.#parts.clock.nowMs();
    record.phase = 'queued';
    this.#placer = resolved.placer;
    this.#parts.requests.changed(record);
    resolved.placer.arrive(facts, this);
    if (resolved.stream) this.#beginEarly(facts.model);
  }

  /** After its admission, so that a refusal is an answer of its own and no event. */
  #beginEarly(model: string | undefined): void {
    const { response, route, id } = this.#inbound;
    if (this.#ended || !canBeginEarly(route)) return;
    const silenceMs = this.#parts.config().streaming.keepalive;
    const early = new EarlyStream({ response, route, requestId: id, silenceMs });
    this.#early = early;
    if (model === undefined || this.#holdsPermit || !this.#tellsOfLoading(model)) return;
    const position = (): number | undefined => this.#parts.dispatcher.position(id);
    this.#loading = new LoadingText({
      early,
      route,
      requestId: id,
      model,
      position,
      clock: this.#parts.clock,
    });
  }

  /** The model has to be loaded first, and wants its clients to be told. */
  #tellsOfLoading(model: string): boolean {
    if (this.#inbound.modelInPath !== undefined) return false;
    const serving = this.#parts.fleet.names().get(model) ?? [];
    const { models } = this.#parts.models();
    return (
      serving.length > 0 &&
      serving.every(({ id, view }) => !view.loaded.has(id) && models.get(id)?.sendLoadingState === true)
    );
  }

  /** The same model may be had from somebody else, by another name. */
  #elsewhere({ reason }: Rejection): boolean {
    const [model, ...others] = this.#alternatives;
    const resolved = this.#resolved;
    if (model === undefined || resolved === undefined) return false;
    if (reason !== 'exhausted' && reason !== 'noBackend') return false;
    this.#alternatives = others;
    this.#record.model = model;
    resolved.placer.arrive({ ...resolved.facts, model }, this);
    return true;
  }

  /** `model`: by its canonical name on the backend. */
  #send(backend: Backend, model: ModelName | undefined): void {
    const resolved = this.#resolved;
    if (resolved === undefined) return;
    const { request, route, id, url, modelInPath } = this.#inbound;
    const outgoing = toOutgoing({
      backend,
      route,
      url,
      body: this.#body,
      peeked: resolved.peeked,
      stream: this.#record.stream,
      requested: resolved.meaning?.requested,
      model: modelInPath === undefined ? model : undefined,
    });
    this.#outgoing = outgoing;
    this.#call = this.#parts.upstream.send(
      outgoing.target,
      {
        method: this.#record.method,
        path: upstreamPath(backend, outgoing.url),
        headers: toRequestHeaders(request.rawHeaders, {
          requestId: id,
          apiKey: backend.config.apiKey,
          withheld: backend.kind.headersWithheld,
          plain: route.name !== 'other',
        }),
        body: outgoing.body.length > 0 ? outgoing.body : undefined,
      },
      this,
    );
  }

  #isReplaceable(status: number): boolean {
    if (status === 503) return true;
    return this.#record.route === 'other' && (status === 404 || status === 405 || status === 501);
  }

  #refused(refusal: ReplaceableAnswer): void {
    if (this.#attempt !== undefined) this.#attempt.failure = `status ${refusal.status}`;
    if (refusal.status === 503 && this.#backend !== undefined) {
      this.#parts.registry.reportFailure(this.#backend.id, 'status');
      this.#parts.registry.probeNow(this.#backend.id);
    }
    this.#again();
  }

  #passRefusal(refusal: ReplaceableAnswer): void {
    if (this.#early?.begun === true) {
      this.#passLate(refusal);
      return;
    }
    this.#relay.head(refusal.status, refusal.headers, false);
    this.#relay.push(refusal.body());
    this.#relay.end();
    this.#finish('passed_through_error');
  }

  #passLate(answer: ReplaceableAnswer): void {
    const { response, route } = this.#inbound;
    const body = answer.body();
    this.#blame(answer.status, body);
    this.#endEarly(lateErrorEvent(answer.status, body, route.dialect));
    this.#record.status = response.statusCode;
    this.#finish('passed_through_error');
  }

  /** The last event of a stream in which nothing but the router itself has spoken. */
  #endEarly(event: string): void {
    this.#early?.end();
    this.#inbound.response.end(event);
  }

  #firstByte(chunk: Buffer): void {
    this.#early?.end();
    this.#blame(this.#relay.status, chunk);
  }

  #blame(status: number, bodyHead: Buffer): void {
    const backend = this.#backend;
    if (status < 500 || backend === undefined) return;
    if (!backend.kind.blamesClient(status, bodyHead.toString('latin1', 0, 2048))) {
      this.#parts.registry.reportFailure(backend.id, 'status');
    }
  }

  #again(): void {
    this.#call = undefined;
    this.#holdsPermit = false;
    this.#record.phase = 'queued';
    this.#placer?.retry(this.#record.id);
  }

  /** A broken connection proves nothing; a closed port does: the prompt died with the engine, so it may go elsewhere. */
  #againIfDead(backend: Backend, error: LlameroError): void {
    this.#call = undefined;
    void nobodyListens(backend.url).then((dead) => {
      if (this.#ended) return;
      if (dead) this.#again();
      else this.#fail(error, 'failed_before_first_byte');
    });
  }

  #brokeOff(error: LlameroError, told: boolean): void {
    if (this.#attempt !== undefined) this.#attempt.failure ??= error.message;
    if (this.#backend !== undefined)
      this.#parts.registry.reportFailure(this.#backend.id, 'protocol' satisfies BackendFailure);
    this.#relay.break(error, told);
    this.#finish('failed_midstream', error);
  }

  #clientLeft(): void {
    if (this.#ended) return;
    this.#call?.abort();
    this.#finish(
      this.#cancelledOutcome(),
      new LlameroError('client_closed', 'The client closed the connection'),
    );
  }

  #cancelled(reason: 'operator' | 'shutdown'): void {
    if (this.#ended) return;
    this.#call?.abort();
    const error =
      reason === 'operator'
        ? new LlameroError('cancelled', 'The request was cancelled by an operator')
        : new LlameroError('shutting_down', 'The router stopped before the answer was complete', {
            retryAfterS: 1,
          });
    this.#fail(error, this.#cancelledOutcome());
  }

  #cancelledOutcome(): Outcome {
    if (this.#relay.begun) return 'cancelled_streaming';
    return this.#holdsPermit ? 'cancelled_waiting' : 'cancelled_queued';
  }

  /** Answers with an error where that is still possible, else breaks the answer off. */
  #fail(error: LlameroError, outcome: Outcome): void {
    if (this.#ended) return;
    const { request, response, route, id } = this.#inbound;
    if (this.#relay.begun) this.#relay.break(error, false);
    else if (this.#early?.begun === true) {
      this.#endEarly(errorEvent(error, route.dialect));
      this.#record.status = response.statusCode;
    } else if (!response.headersSent) {
      const { attempts } = this.#record;
      const tried = attempts.length > 0 ? ['x-llamero-attempts', attemptsHeader(attempts)] : [];
      const accept = route.name === 'other' ? request.headers.accept : undefined;
      sendError(response, { error, dialect: route.dialect, requestId: id, headers: tried, accept });
      this.#record.status = error.status;
    }
    this.#finish(outcome, error);
  }

  #finish(outcome: Outcome, error?: LlameroError): void {
    if (this.#ended) return;
    const record = this.#record;
    this.#relay.settle();
    this.#early?.end();
    this.#loading?.stop();
    const lingers = this.#lingers(outcome);
    this.#ended = true;
    this.#resolved?.meaning?.release();
    if (this.#holdsPermit) this.#placer?.finish(record.id, lingers);
    else this.#placer?.cancel(record.id);
    // Only a reading that begins now can tell when the engine is done with it.
    if (lingers && this.#backend !== undefined) this.#parts.registry.probeNow(this.#backend.id);
    if (error?.code === 'internal')
      this.#parts.log.error({ requestId: record.id, err: error.cause }, error.message);
    this.#parts.requests.finish(record, { outcome, status: record.status, errorCode: error?.code });
  }

  /** Whether the engine goes on computing for a client that is gone (spec of the engine kind). */
  #lingers(outcome: Outcome): boolean {
    if (this.#backend?.kind.cancelsOnDisconnect !== 'streaming' || !this.#holdsPermit) return false;
    if (outcome === 'completed' || outcome === 'passed_through_error') return false;
    if (this.#attempt?.failure !== undefined && outcome !== 'failed_midstream') return false;
    const streamed = this.#outgoing?.assembly !== undefined || this.#record.stream;
    return !streamed || this.#record.firstByteAtMs === undefined;
  }

  #guarded(step: () => void): void {
    try {
      step();
    } catch (thrown) {
      this.#fail(LlameroError.from(thrown), 'internal');
    }
  }
}

function isStream(status: number, headers: readonly string[]): boolean {
  return status < 400 && (headerValue(headers, 'content-type') ?? '').startsWith('text/event-stream');
}

function attemptsHeader(attempts: readonly AttemptRecord[]): string {
  return attempts
    .map(({ backend, failure }) => (failure === undefined ? backend : `${backend} (${headerSafe(failure)})`))
    .join(', ');
}

function headerSafe(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 100);
}
