/**
 * The life of one request, from its head to its outcome: read → resolve → wait for a slot → an attempt at a backend, again
 * from the wait when that backend could not have accepted it. Owns the permit between grant and finish, and ends exactly
 * once; what passes between a backend and the client is for its `Attempt`.
 */
import { keptText } from '../base/kept-text.ts';
import { LlameroError } from '../domain/errors.ts';
import type { ModelName } from '../domain/ids.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { Backend } from '../engines/backend.ts';
import type { Grant, Rejection } from '../scheduler/effects.ts';
import type { AttemptRecord, RequestRecord } from '../store/request-record.ts';
import type { CancelReason } from '../store/requests.ts';
import { Attempt, type AttemptHost } from './attempt.ts';
import { attemptsHeader } from './attempts-header.ts';
import { tryVisitCache, type CacheVisit, type LookedUp } from './cache/cache-visit.ts';
import { ClientAnswer } from './client-answer.ts';
import type { GatewayParts } from './gateway.ts';
import type { Inbound } from './inbound.ts';
import { tryBeginEnsemble } from './ensemble/begin-ensemble.ts';
import type { EnsembleHost } from './ensemble/ensemble-host.ts';
import type { EnsembleRun } from './ensemble/ensemble-run.ts';
import { hasEnsembles } from './ensemble/find-ensemble.ts';
import { enterExchange, enterForNothing } from './keys/enter-exchange.ts';
import type { KeyPass } from './keys/key-pass.ts';
import { noteCaller } from './note-caller.ts';
import { tryLookAgain } from './look-again.ts';
import { modelToLoad } from './model-to-load.ts';
import { noteResolved } from './note-resolved.ts';
import type { OwnAnswer } from './own-answer.ts';
import type { Placer, Waiter } from './placer.ts';
import { promptReport } from './prompt-report.ts';
import { cancelError, clientLeft, rejectionError, rejectionOutcome } from './rejection.ts';
import { readRequest, resolveRequest, type Resolved } from './resolve.ts';

const noBody: Buffer = Buffer.alloc(0);

/** Begins the life of a request. Returns its record, which tells how it goes. */
export function beginExchange(parts: GatewayParts, inbound: Inbound): RequestRecord {
  const exchange = new Exchange(parts, inbound);
  exchange.start();
  return exchange.record;
}

class Exchange implements Waiter, AttemptHost, EnsembleHost {
  readonly record: RequestRecord;
  readonly answer: ClientAnswer;
  readonly #parts: GatewayParts;
  readonly #inbound: Inbound;
  #placer: Placer | undefined;
  #body = noBody;
  #resolved: Resolved | undefined;
  /** Its answer may be kept, or be kept already. */
  #cache: CacheVisit | undefined;
  /** Works in place of an engine. */
  #ensemble: EnsembleRun | undefined;
  /** Names to try when nobody that has the model can be reached. */
  #alternatives: readonly ModelName[] = [];
  /** Room under the limits of the caller's key. */
  #keyPass: KeyPass | undefined;
  /** The last one. */
  #attempt: Attempt | undefined;
  /** Why the last one came to nothing. */
  #failure: LlameroError | undefined;
  #holdsPermit = false;
  #ended = false;

  constructor(parts: GatewayParts, inbound: Inbound) {
    const { id, route, path, flow, parent } = inbound;
    this.#parts = parts;
    this.#inbound = inbound;
    const { method } = inbound.request;
    const head = { id, route: route.name, method, path: keptText(path), flow, parent };
    this.record = parts.requests.open(head, (reason) => this.#cancelled(reason));
    noteCaller(this.record, inbound.request);
    if (head.method === 'POST' && route.name !== 'other') this.record.capture = parts.captures.begin(path);
    this.answer = new ClientAnswer({
      parts,
      inbound,
      record: this.record,
      onErrorPassed: (status, bodyHead) => this.#attempt?.errorPassed(status, bodyHead),
    });
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Everything after this happens by callbacks. */
  start(): void {
    const { request, response } = this.#inbound;
    response.onLeft(() => this.#clientLeft());
    request.readBody(this.#parts.config().limits.body, (error, body) => {
      if (this.#ended) return;
      if (error === undefined) this.guarded(() => this.#bodyRead(body));
      else this.fail(error, 'rejected_other');
    });
  }

  granted(grant: Grant): void {
    const { record, answer } = this;
    const parts = this.#parts;
    this.#holdsPermit = true;
    answer.granted();
    record.grantedAtMs = parts.clock.nowMs();
    record.backend = grant.backend;
    const attempt = { backend: grant.backend, failure: undefined };
    record.attempts.push(attempt);
    record.phase = 'connecting';
    record.promptProgress = undefined;
    parts.requests.changed(record);
    this.#attemptAt(grant, attempt);
  }

  rejected(rejection: Rejection): void {
    if (this.#elsewhere(rejection) || tryLookAgain(this.#parts, rejection, this.#resolved, this)) return;
    this.#placer = undefined;
    if (rejection.reason === 'exhausted' && this.#attempt?.tryPassRefusal() === true) return;
    const context = { ...this.#parts, config: this.#parts.config(), model: this.record.model };
    const failure = rejection.reason === 'exhausted' ? this.#failure : undefined;
    this.fail(failure ?? rejectionError(rejection, context), rejectionOutcome(rejection.reason));
  }

  again(failure?: LlameroError): void {
    const { record } = this;
    this.#failure = failure ?? this.#failure;
    this.#holdsPermit = false;
    record.phase = 'queued';
    this.#parts.traces?.attemptEnded(record);
    this.#placer?.retry(record.id);
  }

  readAgain(backend: Backend): Resolved {
    const resolved = this.#resolved;
    if (resolved === undefined) throw new Error('A request that was never read is sent');
    const source = { model: resolved.facts.model, body: this.#body, peeked: resolved.peeked, backend };
    this.#resolved = { ...resolved, ...readRequest(this.#parts, this.#inbound, source) };
    return this.#resolved;
  }

  begin(inner: Inbound): RequestRecord {
    return beginExchange(this.#parts, inner);
  }

  answerHere(answer: OwnAnswer): void {
    this.answer.answer(answer);
    this.finish('completed');
  }

  brokeOff(error: LlameroError, told: boolean): void {
    this.answer.break(error, told);
    this.finish('failed_midstream', error);
  }

  /** Answers with an error where that is still possible, else breaks the answer off. */
  fail(error: LlameroError, outcome: Outcome): void {
    if (this.#ended) return;
    const { attempts } = this.record;
    const tried = attempts.length > 0 ? ['x-llamero-attempts', attemptsHeader(attempts)] : [];
    this.answer.fail(error, tried);
    this.finish(outcome, error);
  }

  finish(outcome: Outcome, error?: LlameroError): void {
    if (this.#ended) return;
    const { record } = this;
    const attempt = this.#attempt;
    this.#ensemble?.abort();
    this.answer.settle();
    this.#cache?.ended(outcome);
    this.#keyPass?.settle(record, outcome);
    const lingers = this.#holdsPermit && attempt?.lingers(outcome) === true;
    this.#ended = true;
    this.#resolved?.meaning?.release();
    if (this.#holdsPermit) this.#placer?.finish(record.id, lingers, promptReport(record, outcome));
    else this.#placer?.cancel(record.id);
    // Only a reading that begins now can tell when the engine is done with it.
    if (lingers) attempt?.probeBackend();
    if (record.capture === undefined) this.#inbound.request.releaseBody();
    record.errorMessage ??= error?.message;
    if (error?.code === 'internal')
      this.#parts.log.error({ requestId: record.id, err: error.cause }, error.message);
    this.#parts.requests.finish(record, { outcome, status: record.status, errorCode: error?.code });
  }

  guarded(step: () => void): void {
    try {
      step();
    } catch (thrown) {
      this.#attempt?.abort();
      this.fail(LlameroError.from(thrown), 'internal');
    }
  }

  #attemptAt({ backend: id, model, slot }: Grant, record: AttemptRecord): void {
    const backend = this.#parts.fleet.get(id);
    const resolved = this.#resolved;
    if (backend === undefined || resolved === undefined) {
      record.failure = 'left the configuration';
      this.again();
      return;
    }
    const known = { parts: this.#parts, inbound: this.#inbound, body: this.#body, resolved };
    const attempt = new Attempt({ ...known, host: this, backend, model, slot, record });
    this.#attempt = attempt;
    this.guarded(() => attempt.begin());
  }

  #bodyRead(received: Buffer): void {
    const { record } = this;
    record.bytesIn = received.length;
    record.capture?.request(received);
    this.#cache = tryVisitCache(this.#parts, this.#inbound, { record, received, begin: beginExchange });
    this.#body = this.#cache?.body ?? received;
    if (hasEnsembles(this.#parts) && this.#leaveToEnsemble(this.#body)) return;
    const resolved = resolveRequest(this.#parts, this.#inbound, this.#body);
    if (resolved instanceof LlameroError) {
      this.fail(resolved, 'rejected_other');
      return;
    }
    this.#resolved = resolved;
    this.#alternatives = resolved.meaning?.alternatives ?? [];
    noteResolved(record, this.#inbound, resolved);
    if (this.#cache === undefined) this.#enter(resolved);
    else this.#cache.lookUp(resolved, (found) => this.guarded(() => this.#lookedUp(resolved, found)));
  }

  #lookedUp(resolved: Resolved, found: LookedUp): void {
    if (this.#ended) return;
    if (found === undefined) this.#enter(resolved);
    else if (found instanceof LlameroError) this.fail(found, 'rejected_other');
    else if (this.#mayPass(enterForNothing(this.#parts, this.#inbound))) {
      this.answer.replay(found);
      this.finish('completed');
    }
  }

  #mayPass(keyPass: KeyPass | LlameroError | undefined): boolean {
    if (keyPass instanceof LlameroError) this.fail(keyPass, 'rejected_other');
    else this.#keyPass = keyPass;
    return !this.#ended;
  }

  #enter(resolved: Resolved): void {
    const { record } = this;
    if (!this.#mayPass(enterExchange(this.#parts, this.#inbound, this.#body, resolved))) return;
    record.queuedAtMs = this.#parts.clock.nowMs();
    record.phase = 'queued';
    if (resolved.ownAnswer !== undefined) {
      this.answerHere(resolved.ownAnswer);
      return;
    }
    this.#placer = resolved.placer;
    this.#parts.requests.changed(record);
    resolved.placer.arrive(resolved.facts, this);
    if (resolved.stream && !this.#ended) {
      const loading = this.#holdsPermit ? undefined : modelToLoad(this.#parts, this.#inbound, record.model);
      this.answer.beginEarly(loading);
    }
  }

  /** False: the request is for no ensemble. */
  #leaveToEnsemble(body: Buffer): boolean {
    const { record } = this;
    const ensemble = tryBeginEnsemble({ parts: this.#parts, inbound: this.#inbound, body, host: this });
    if (ensemble === undefined) return false;
    if (ensemble instanceof LlameroError) {
      this.fail(ensemble, 'rejected_other');
      return true;
    }
    this.#ensemble = ensemble;
    record.phase = 'waiting';
    this.#parts.requests.changed(record);
    if (record.stream) this.answer.beginEarly(undefined);
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
    this.record.model = model;
    resolved.placer.arrive({ ...resolved.facts, model }, this);
    return true;
  }

  #clientLeft(): void {
    if (this.#ended) return;
    this.#attempt?.abort();
    this.finish(this.#cancelledOutcome(), clientLeft());
  }

  #cancelled(reason: CancelReason): void {
    if (this.#ended) return;
    this.#attempt?.abort();
    this.fail(cancelError(reason), this.#cancelledOutcome());
  }

  #cancelledOutcome(): Outcome {
    if (this.answer.begun) return 'cancelled_streaming';
    return this.#holdsPermit || this.#ensemble !== undefined ? 'cancelled_waiting' : 'cancelled_queued';
  }
}
