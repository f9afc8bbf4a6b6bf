/**
 * The life of one request, from its head to its outcome: read → resolve → wait for a slot → send → answer, again from
 * the wait when a backend could not have accepted it. Owns the permit between grant and finish, and ends exactly once.
 */
import { LlameroError } from '../domain/errors.ts';
import type { ModelName } from '../domain/ids.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { Backend } from '../engines/backend.ts';
import type { Grant, Rejection } from '../scheduler/effects.ts';
import type { AttemptRecord, RequestRecord } from '../store/request-record.ts';
import type { CancelReason } from '../store/requests.ts';
import { attemptsHeader } from './attempts-header.ts';
import { tryVisitCache, type CacheVisit, type LookedUp } from './cache/cache-visit.ts';
import { ClientAnswer, type AnswerEnd } from './client-answer.ts';
import type { GatewayParts } from './gateway.ts';
import { headersToAnswer, headersToSend } from './exchange-headers.ts';
import { bodyBytes } from './headers.ts';
import type { Inbound } from './inbound.ts';
import { tryBeginEnsemble } from './ensemble/begin-ensemble.ts';
import type { EnsembleRun } from './ensemble/ensemble-run.ts';
import { hasEnsembles } from './ensemble/find-ensemble.ts';
import { enterExchange, enterForNothing } from './keys/enter-exchange.ts';
import type { KeyPass } from './keys/key-pass.ts';
import { lingersAfter } from './lingering.ts';
import { noteCaller } from './note-caller.ts';
import { notesIn } from './answer-notes.ts';
import { tryLookAgain } from './look-again.ts';
import { modelToLoad } from './model-to-load.ts';
import { noteResolved } from './note-resolved.ts';
import { nobodyListens } from './nobody-listens.ts';
import { toOutgoing, type Outgoing } from './outgoing.ts';
import { tryLoaded, type OwnAnswer } from './own-answer.ts';
import type { Placer, Waiter } from './placer.ts';
import { promptReport } from './prompt-report.ts';
import { cancelError, clientLeft, failureError, rejectionError, rejectionOutcome } from './rejection.ts';
import { beginRepairs, watchAnswer } from './repair/begin-repairs.ts';
import type { RequestRepairs } from './repair/request-repairs.ts';
import { readRequest, resolveRequest, type Resolved } from './resolve.ts';
import { upstreamPath } from './target.ts';
import { lacksRoute, mayBePutDifferently, mayLackRoute } from './translation/route-support.ts';
import type { UpstreamCall, UpstreamFailure, UpstreamHandler } from './upstream.ts';

/** Begins the life of a request. Returns its record, which tells how it goes. */
export function beginExchange(parts: GatewayParts, inbound: Inbound): RequestRecord {
  const exchange = new Exchange(parts, inbound);
  exchange.start();
  return exchange.record;
}

class Exchange implements Waiter, UpstreamHandler {
  readonly #parts: GatewayParts;
  readonly #inbound: Inbound;
  readonly #record: RequestRecord;
  readonly #answer: ClientAnswer;
  #placer: Placer | undefined;
  #body: Buffer = Buffer.alloc(0);
  #resolved: Resolved | undefined;
  /** Its answer may be kept, or be kept already. */
  #cache: CacheVisit | undefined;
  /** Works in place of an engine. */
  #ensemble: EnsembleRun | undefined;
  /** Names to try when nobody that has the model can be reached. */
  #alternatives: readonly ModelName[] = [];
  /** Room under the limits of the caller's key. */
  #keyPass: KeyPass | undefined;
  #outgoing: Outgoing | undefined;
  #backend: Backend | undefined;
  /** By its canonical name on the backend. */
  #grantedModel: ModelName | undefined;
  /** Of the request, for this backend. */
  #repairs: RequestRepairs | undefined;
  #attempt: AttemptRecord | undefined;
  #call: UpstreamCall | undefined;
  #failure: LlameroError | undefined;
  #holdsPermit = false;
  #ended = false;

  constructor(parts: GatewayParts, inbound: Inbound) {
    const { id, route, path, flow, parent } = inbound;
    this.#parts = parts;
    this.#inbound = inbound;
    const head = { id, route: route.name, method: inbound.request.method, path, flow, parent };
    this.#record = parts.requests.open(head, (reason) => this.#cancelled(reason));
    noteCaller(this.#record, inbound.request);
    if (head.method === 'POST' && route.name !== 'other') this.#record.capture = parts.captures.begin(path);
    this.#answer = new ClientAnswer({
      parts,
      inbound,
      record: this.#record,
      onErrorPassed: (status, bodyHead) => this.#blame(status, bodyHead),
    });
  }

  get record(): RequestRecord {
    return this.#record;
  }

  /** Everything after this happens by callbacks. */
  start(): void {
    const { request, response } = this.#inbound;
    response.onLeft(() => this.#clientLeft());
    request.readBody(this.#parts.config().limits.body, (error, body) => {
      if (this.#ended) return;
      if (error === undefined) this.#guarded(() => this.#bodyRead(body));
      else this.#fail(error, 'rejected_other');
    });
  }

  granted(grant: Grant): void {
    const backend = this.#parts.fleet.get(grant.backend);
    const record = this.#record;
    this.#holdsPermit = true;
    this.#answer.granted();
    record.grantedAtMs = this.#parts.clock.nowMs();
    record.backend = grant.backend;
    this.#attempt = { backend: grant.backend, failure: undefined };
    record.attempts.push(this.#attempt);
    record.phase = 'connecting';
    record.promptProgress = undefined;
    this.#parts.requests.changed(record);
    if (backend === undefined) {
      this.#attempt.failure = 'left the configuration';
      this.#again();
      return;
    }
    this.#backend = backend;
    this.#grantedModel = grant.model;
    this.#guarded(() => {
      this.#repairs = this.#beginRepairs(backend, grant.model);
      this.#send(backend, grant.model);
    });
  }

  rejected(rejection: Rejection): void {
    if (this.#elsewhere(rejection) || tryLookAgain(this.#parts, rejection, this.#resolved, this)) return;
    this.#placer = undefined;
    if (rejection.reason === 'exhausted' && this.#tryPassRefusal()) return;
    const context = { ...this.#parts, config: this.#parts.config(), model: this.#record.model };
    const failure = rejection.reason === 'exhausted' ? this.#failure : undefined;
    this.#fail(failure ?? rejectionError(rejection, context), rejectionOutcome(rejection.reason));
  }

  onSent(): void {
    if (this.#record.phase !== 'connecting') return;
    this.#record.phase = 'waiting';
    this.#parts.requests.changed(this.#record);
  }

  onHead(status: number, received: readonly string[]): void {
    const backend = this.#backend;
    if (backend === undefined) return;
    const record = this.#record;
    record.headAtMs = this.#parts.clock.nowMs();
    record.phase = 'waiting';
    const exchanged = { parts: this.#parts, inbound: this.#inbound, record, backend };
    const headers = headersToAnswer(exchanged, received, this.#outgoing?.dropped ?? []);
    const { endsWithDone: doneRequired } = backend.kind;
    const transform = this.#outgoing?.transform;
    const mayLack =
      mayLackRoute(status, bodyBytes(received)) && mayBePutDifferently(this.#inbound, this.#outgoing);
    this.#answer.head({ status, received, headers, doneRequired, transform, mayLackRoute: mayLack });
    if (status < 500) this.#parts.registry.reportSuccess(backend.id, this.#grantedModel);
  }

  onData(chunk: Buffer, isLast: boolean): void {
    if (this.#answer.push(chunk, isLast)) return;
    this.#call?.pause();
    this.#inbound.response.onDrain(() => this.#call?.resume());
  }

  onEnd(): void {
    this.#answerEnded(this.#answer.end());
  }

  #tryPassRefusal(): boolean {
    const end = this.#answer.tryPassRefusal();
    if (end !== undefined) this.#answerEnded(end);
    return end !== undefined;
  }

  #answerEnded(end: AnswerEnd): void {
    if (end.kind === 'refused') this.#refused(end.status);
    else if (end.kind === 'broken') this.#brokeOff(end.error, true);
    else this.#finish(end.isError ? 'passed_through_error' : 'completed');
  }

  onError(failure: UpstreamFailure): void {
    const backend = this.#backend;
    if (backend === undefined || this.#ended) return;
    if (this.#attempt !== undefined) this.#attempt.failure = failure.reason;
    this.#parts.registry.reportFailure(backend.id, failure.kind, this.#grantedModel);
    const error = failureError(failure, backend.id);
    if (this.#answer.begun) {
      this.#brokeOff(error, false);
      return;
    }
    this.#failure = error;
    if (failure.accepted === 'no') this.#again();
    else if (failure.kind === 'reset') this.#againIfDead(backend, error);
    else this.#fail(error, 'failed_before_first_byte');
  }

  #bodyRead(received: Buffer): void {
    const record = this.#record;
    record.bytesIn = received.length;
    record.capture?.request(received);
    this.#cache = tryVisitCache(this.#parts, this.#inbound, { record, received, begin: beginExchange });
    this.#body = this.#cache?.body ?? received;
    if (hasEnsembles(this.#parts) && this.#leaveToEnsemble(this.#body)) return;
    const resolved = resolveRequest(this.#parts, this.#inbound, this.#body);
    if (resolved instanceof LlameroError) {
      this.#fail(resolved, 'rejected_other');
      return;
    }
    this.#resolved = resolved;
    this.#alternatives = resolved.meaning?.alternatives ?? [];
    noteResolved(record, this.#inbound, resolved);
    if (this.#cache === undefined) this.#enter(resolved);
    else this.#cache.lookUp(resolved, (found) => this.#guarded(() => this.#lookedUp(resolved, found)));
  }

  #lookedUp(resolved: Resolved, found: LookedUp): void {
    if (this.#ended) return;
    if (found === undefined) this.#enter(resolved);
    else if (found instanceof LlameroError) this.#fail(found, 'rejected_other');
    else if (this.#mayPass(enterForNothing(this.#parts, this.#inbound))) {
      this.#answer.replay(found);
      this.#finish('completed');
    }
  }

  #mayPass(keyPass: KeyPass | LlameroError | undefined): boolean {
    if (keyPass instanceof LlameroError) this.#fail(keyPass, 'rejected_other');
    else this.#keyPass = keyPass;
    return !this.#ended;
  }

  #enter(resolved: Resolved): void {
    const record = this.#record;
    if (!this.#mayPass(enterExchange(this.#parts, this.#inbound, this.#body, resolved))) return;
    record.queuedAtMs = this.#parts.clock.nowMs();
    record.phase = 'queued';
    if (resolved.ownAnswer !== undefined) {
      this.#answerHere(resolved.ownAnswer);
      return;
    }
    this.#placer = resolved.placer;
    this.#parts.requests.changed(record);
    resolved.placer.arrive(resolved.facts, this);
    if (resolved.stream && !this.#ended) {
      const loading = this.#holdsPermit ? undefined : modelToLoad(this.#parts, this.#inbound, record.model);
      this.#answer.beginEarly(loading);
    }
  }

  /** False: the request is for no ensemble. */
  #leaveToEnsemble(body: Buffer): boolean {
    const record = this.#record;
    const ensemble = tryBeginEnsemble({
      parts: this.#parts,
      inbound: this.#inbound,
      body,
      host: {
        record,
        answer: this.#answer,
        begin: (inner) => beginExchange(this.#parts, inner),
        finish: (outcome) => this.#finish(outcome),
        fail: (error, outcome) => this.#fail(error, outcome),
        brokeOff: (error, told) => this.#brokeOff(error, told),
      },
    });
    if (ensemble === undefined) return false;
    if (ensemble instanceof LlameroError) {
      this.#fail(ensemble, 'rejected_other');
      return true;
    }
    this.#ensemble = ensemble;
    record.phase = 'waiting';
    this.#parts.requests.changed(record);
    if (record.stream) this.#answer.beginEarly(undefined);
    ensemble.start();
    return true;
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
    const { route, id, url, modelInPath } = this.#inbound;
    const { asked, meaning } = resolved;
    const requested = this.#record.requested ?? model ?? '';
    const loaded =
      asked === undefined || model === undefined
        ? undefined
        : tryLoaded(this.#parts, { request: asked, requested, model });
    if (loaded !== undefined) {
      this.#answerHere(loaded);
      return;
    }
    const repaired = this.#repairs?.repaired;
    const outgoing = toOutgoing({
      backend,
      route,
      url,
      body: repaired?.body ?? this.#body,
      peeked: repaired?.peeked ?? resolved.peeked,
      stream: this.#record.stream,
      requested: meaning?.requested,
      said: this.#record.requested,
      asked: repaired?.asked ?? asked,
      repaired: repaired?.request,
      notes: notesIn(this.#record),
      conversation: resolved.conversation,
      model: modelInPath === undefined ? model : undefined,
      requestId: id,
      arrivedEpochMs: this.#record.startedEpochMs,
      clock: this.#parts.clock,
      support: this.#parts.fleet.support,
    });
    this.#outgoing = outgoing;
    this.#call = this.#parts.upstream.send(
      outgoing.target,
      {
        method: this.#record.method,
        path: upstreamPath(backend, outgoing.url),
        headers: headersToSend({ parts: this.#parts, inbound: this.#inbound, record: this.#record, backend }),
        body: outgoing.body.length > 0 ? outgoing.body : undefined,
      },
      watchAnswer(this.#repairs, {
        dialect: outgoing.dialect,
        handler: this,
        onRepaired: () => {
          this.#call?.abort();
          this.#guarded(() => this.#send(backend, model));
        },
      }),
    );
  }

  #beginRepairs(backend: Backend, model: ModelName | undefined): RequestRepairs | undefined {
    const { route, modelInPath } = this.#inbound;
    return beginRepairs({
      backend,
      model: modelInPath === undefined ? model : undefined,
      route,
      body: this.#body,
      asked: this.#resolved?.asked,
      contexts: this.#parts.fleet.contexts,
      record: this.#record,
    });
  }

  #sendDifferently(backend: Backend): void {
    const resolved = this.#resolved;
    if (resolved === undefined) return;
    const source = { model: resolved.facts.model, body: this.#body, peeked: resolved.peeked };
    const reading = readRequest(this.#parts, this.#inbound, source);
    this.#resolved = { ...resolved, ...reading };
    if (reading.ownAnswer === undefined) this.#send(backend, this.#grantedModel);
    else this.#answerHere(reading.ownAnswer);
  }

  #answerHere(answer: OwnAnswer): void {
    this.#answer.answer(answer);
    this.#finish('completed');
  }

  #refused(status: number): void {
    const backend = this.#backend;
    if (backend !== undefined && status !== 503 && mayBePutDifferently(this.#inbound, this.#outgoing)) {
      this.#refusedRoute(backend, status);
      return;
    }
    if (this.#attempt !== undefined) this.#attempt.failure = `status ${status}`;
    if (status === 503 && this.#backend !== undefined) {
      this.#parts.registry.reportFailure(this.#backend.id, 'status', this.#grantedModel);
      this.#parts.registry.probeNow(this.#backend.id);
    }
    this.#again();
  }

  /** The engine has not the route, or has not the model: only the words tell. */
  #refusedRoute(backend: Backend, status: number): void {
    const { name: route } = this.#inbound.route;
    const asked = { route, tried: this.#outgoing?.route ?? route };
    if (lacksRoute(status, this.#answer.refusalText) && this.#parts.fleet.support.lacks(backend, asked)) {
      this.#guarded(() => this.#sendDifferently(backend));
      return;
    }
    this.#tryPassRefusal();
  }

  #blame(status: number, bodyHead: Buffer): void {
    const backend = this.#backend;
    if (status < 500 || backend === undefined) return;
    if (!backend.kind.blamesClient(status, bodyHead.toString('latin1', 0, 2048))) {
      this.#parts.registry.reportFailure(backend.id, 'status', this.#grantedModel);
    }
  }

  #again(): void {
    this.#call = undefined;
    this.#holdsPermit = false;
    this.#record.phase = 'queued';
    this.#parts.traces?.attemptEnded(this.#record);
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
      this.#parts.registry.reportFailure(this.#backend.id, 'protocol', this.#grantedModel);
    this.#answer.break(error, told);
    this.#finish('failed_midstream', error);
  }

  #clientLeft(): void {
    if (this.#ended) return;
    this.#call?.abort();
    this.#finish(this.#cancelledOutcome(), clientLeft());
  }

  #cancelled(reason: CancelReason): void {
    if (this.#ended) return;
    this.#call?.abort();
    this.#fail(cancelError(reason), this.#cancelledOutcome());
  }

  #cancelledOutcome(): Outcome {
    if (this.#answer.begun) return 'cancelled_streaming';
    return this.#holdsPermit || this.#ensemble !== undefined ? 'cancelled_waiting' : 'cancelled_queued';
  }

  /** Answers with an error where that is still possible, else breaks the answer off. */
  #fail(error: LlameroError, outcome: Outcome): void {
    if (this.#ended) return;
    const { attempts } = this.#record;
    const tried = attempts.length > 0 ? ['x-llamero-attempts', attemptsHeader(attempts)] : [];
    this.#answer.fail(error, tried);
    this.#finish(outcome, error);
  }

  #finish(outcome: Outcome, error?: LlameroError): void {
    if (this.#ended) return;
    const record = this.#record;
    this.#ensemble?.abort();
    this.#answer.settle();
    this.#cache?.ended(outcome);
    this.#keyPass?.settle(record, outcome);
    const lingers = this.#lingers(outcome);
    this.#ended = true;
    this.#resolved?.meaning?.release();
    if (this.#holdsPermit) this.#placer?.finish(record.id, lingers, promptReport(record, outcome));
    else this.#placer?.cancel(record.id);
    // Only a reading that begins now can tell when the engine is done with it.
    if (lingers && this.#backend !== undefined) this.#parts.registry.probeNow(this.#backend.id);
    if (record.capture === undefined) this.#inbound.request.releaseBody();
    this.#record.errorMessage ??= error?.message;
    if (error?.code === 'internal')
      this.#parts.log.error({ requestId: record.id, err: error.cause }, error.message);
    this.#parts.requests.finish(record, { outcome, status: record.status, errorCode: error?.code });
  }

  #lingers(outcome: Outcome): boolean {
    const kind = this.#backend?.kind;
    if (kind === undefined || !this.#holdsPermit) return false;
    const isStream = this.#outgoing?.stream === true;
    return lingersAfter(outcome, { kind, attempt: this.#attempt, record: this.#record, isStream });
  }

  #guarded(step: () => void): void {
    try {
      step();
    } catch (thrown) {
      this.#fail(LlameroError.from(thrown), 'internal');
    }
  }
}
