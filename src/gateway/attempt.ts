/**
 * One request at one backend, from the grant to what became of it there: sends it, again where it is repaired or has to be
 * put differently, gives the answer to the client, and tells the registry how the backend did. Owns the upstream call;
 * whether another backend is asked is for the exchange to decide.
 */
import { isOwnShortage } from '../base/own-shortage.ts';
import type { LlameroError } from '../domain/errors.ts';
import type { ModelName } from '../domain/ids.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { Backend } from '../engines/backend.ts';
import type { AttemptRecord, RequestRecord } from '../store/request-record.ts';
import { notesIn } from './answer-notes.ts';
import type { AnswerEnd, ClientAnswer } from './client-answer.ts';
import { headersToAnswer, headersToSend } from './exchange-headers.ts';
import type { GatewayParts } from './gateway.ts';
import { bodyBytes } from './headers.ts';
import type { Inbound } from './inbound.ts';
import { lingersAfter } from './lingering.ts';
import { nobodyListens } from './nobody-listens.ts';
import { toOutgoing, type Outgoing } from './outgoing.ts';
import { tryLoaded, type OwnAnswer } from './own-answer.ts';
import { failureError } from './rejection.ts';
import { beginRepairs, watchAnswer } from './repair/begin-repairs.ts';
import type { RequestRepairs } from './repair/request-repairs.ts';
import type { Resolved } from './resolve.ts';
import { upstreamPath } from './target.ts';
import { lacksRoute, mayBePutDifferently, mayLackRoute } from './translation/route-support.ts';
import type { UpstreamCall, UpstreamFailure, UpstreamHandler } from './upstream.ts';

/** The life of the request that the attempt is part of. */
export interface AttemptHost {
  readonly record: RequestRecord;
  readonly answer: ClientAnswer;
  /** Nothing more may be done for the request. */
  readonly ended: boolean;
  /** The backend cannot have accepted the request, so another may get it. `failure`: what is said if none does. */
  again(failure?: LlameroError): void;
  /** Reads the request once more, for this backend, by what is known of its engine now. @throws LlameroError where it is broken */
  readAgain(backend: Backend): Resolved;
  /** Gives an answer that is the router's own, and ends the request. */
  answerHere(answer: OwnAnswer): void;
  finish(outcome: Outcome): void;
  /** Answers with an error where that is still possible. */
  fail(error: LlameroError, outcome: Outcome): void;
  /** Ends an answer that has begun; `told`: the client has been told why. */
  brokeOff(error: LlameroError, told: boolean): void;
  /** What the step throws ends the request. */
  guarded(step: () => void): void;
}

export interface AttemptSource {
  readonly parts: GatewayParts;
  readonly inbound: Inbound;
  readonly host: AttemptHost;
  readonly body: Buffer;
  readonly resolved: Resolved;
  readonly backend: Backend;
  /** By its canonical name on the backend. */
  readonly model: ModelName | undefined;
  /** To be used there, where the engine lets it be named. */
  readonly slot: number | undefined;
  readonly record: AttemptRecord;
}

export class Attempt implements UpstreamHandler {
  readonly #source: AttemptSource;
  #resolved: Resolved;
  #repairs: RequestRepairs | undefined;
  #outgoing: Outgoing | undefined;
  #call: UpstreamCall | undefined;

  constructor(source: AttemptSource) {
    this.#source = source;
    this.#resolved = source.resolved;
  }

  /** To be called once. @throws LlameroError where the request cannot be made for this backend */
  begin(): void {
    const { parts, inbound, host, body, backend, model } = this.#source;
    this.#repairs = beginRepairs({
      backend,
      model: inbound.modelInPath === undefined ? model : undefined,
      route: inbound.route,
      body,
      asked: this.#resolved.asked,
      contexts: parts.fleet.contexts,
      record: host.record,
    });
    this.#send();
  }

  /** Nothing more is wanted from the backend. */
  abort(): void {
    this.#call?.abort();
  }

  /** The backend works on although the request has ended so, which it did while it held its permit. */
  lingers(outcome: Outcome): boolean {
    const { backend, record: attempt, host } = this.#source;
    const isStream = this.#outgoing?.stream === true;
    return lingersAfter(outcome, { kind: backend.kind, attempt, record: host.record, isStream });
  }

  /** Looks whether the backend is done with it. */
  probeBackend(): void {
    this.#source.parts.registry.probeNow(this.#source.backend.id);
  }

  /** Gives the client the refusal that was kept, as nobody else has answered. False: there is none. */
  tryPassRefusal(): boolean {
    const end = this.#source.host.answer.tryPassRefusal();
    if (end !== undefined) this.#answerEnded(end);
    return end !== undefined;
  }

  /** An error of the backend goes to the client: is it the backend's fault? */
  errorPassed(status: number, bodyHead: Buffer): void {
    if (status < 500) return;
    const { kind } = this.#source.backend;
    if (!kind.blamesClient(status, bodyHead.toString('latin1', 0, 2048))) this.#reportFailure('status');
  }

  onSent(): void {
    const { parts, host } = this.#source;
    if (host.record.phase !== 'connecting') return;
    host.record.phase = 'waiting';
    parts.requests.changed(host.record);
  }

  onHead(status: number, received: readonly string[]): void {
    this.#source.host.guarded(() => this.#headCame(status, received));
  }

  onData(chunk: Buffer, isLast: boolean): void {
    this.#source.host.guarded(() => this.#dataCame(chunk, isLast));
  }

  onEnd(): void {
    this.#source.host.guarded(() => this.#answerEnded(this.#source.host.answer.end()));
  }

  onError(failure: UpstreamFailure): void {
    this.#source.host.guarded(() => this.#callFailed(failure));
  }

  #headCame(status: number, received: readonly string[]): void {
    const { parts, inbound, host, backend, model } = this.#source;
    const { record } = host;
    record.headAtMs = parts.clock.nowMs();
    record.phase = 'waiting';
    const outgoing = this.#outgoing;
    host.answer.head({
      status,
      received,
      headers: headersToAnswer({ parts, inbound, record, backend }, received, outgoing?.dropped ?? []),
      doneRequired: backend.kind.endsWithDone,
      transform: outgoing?.transform,
      mayLackRoute: mayLackRoute(status, bodyBytes(received)) && mayBePutDifferently(inbound, outgoing),
    });
    if (status < 500) parts.registry.reportSuccess(backend.id, model);
  }

  #dataCame(chunk: Buffer, isLast: boolean): void {
    const { host, inbound } = this.#source;
    if (host.answer.push(chunk, isLast)) return;
    this.#call?.pause();
    inbound.response.onDrain(() => this.#call?.resume());
  }

  #callFailed(failure: UpstreamFailure): void {
    const { host, backend, record } = this.#source;
    if (host.ended) return;
    record.failure = failure.reason;
    if (!isOwnShortage(failure.reason)) this.#reportFailure(failure.kind);
    const error = failureError(failure, backend.id);
    if (host.answer.begun) this.#brokeOff(error, false);
    else if (failure.accepted === 'no') host.again(error);
    else if (failure.kind === 'reset') this.#againIfDead(error);
    else host.fail(error, 'failed_before_first_byte');
  }

  #send(): void {
    const { parts, inbound, host, backend } = this.#source;
    const { record } = host;
    const loaded = this.#tryLoaded();
    if (loaded !== undefined) {
      host.answerHere(loaded);
      return;
    }
    const outgoing = this.#toOutgoing();
    this.#outgoing = outgoing;
    this.#call = parts.upstream.send(
      outgoing.target,
      {
        method: record.method,
        path: upstreamPath(backend, outgoing.url),
        headers: headersToSend({ parts, inbound, record, backend }),
        body: outgoing.body,
      },
      watchAnswer(this.#repairs, {
        dialect: outgoing.dialect,
        handler: this,
        onRepaired: () => {
          this.#call?.abort();
          host.guarded(() => this.#send());
        },
      }),
    );
  }

  #toOutgoing(): Outgoing {
    const { parts, inbound, host, body, backend, model, slot } = this.#source;
    const { route, id, url, modelInPath } = inbound;
    const { record } = host;
    const { asked, meaning, peeked, conversation } = this.#resolved;
    const repaired = this.#repairs?.repaired;
    return toOutgoing({
      backend,
      slot,
      route,
      url,
      body: repaired?.body ?? body,
      peeked: repaired?.peeked ?? peeked,
      stream: record.stream,
      requested: meaning?.requested,
      said: record.requested,
      asked: repaired?.asked ?? asked,
      repaired: repaired?.request,
      notes: notesIn(record),
      conversation,
      model: modelInPath === undefined ? model : undefined,
      requestId: id,
      arrivedEpochMs: record.startedEpochMs,
      clock: parts.clock,
      support: parts.fleet.support,
    });
  }

  /** The request wants the model loaded and nothing else. */
  #tryLoaded(): OwnAnswer | undefined {
    const { parts, host, model } = this.#source;
    const { asked } = this.#resolved;
    if (asked === undefined || model === undefined) return undefined;
    return tryLoaded(parts, { request: asked, requested: host.record.requested ?? model, model });
  }

  #answerEnded(end: AnswerEnd): void {
    if (end.kind === 'refused') this.#refused(end.status);
    else if (end.kind === 'broken') this.#brokeOff(end.error, true);
    else this.#source.host.finish(end.isError ? 'passed_through_error' : 'completed');
  }

  #refused(status: number): void {
    const { parts, inbound, host, backend, record } = this.#source;
    if (status !== 503 && mayBePutDifferently(inbound, this.#outgoing)) {
      this.#refusedRoute(status);
      return;
    }
    record.failure = `status ${status}`;
    if (status === 503) {
      this.#reportFailure('status');
      parts.registry.probeNow(backend.id);
    }
    host.again();
  }

  /** The engine has not the route, or has not the model: only the words tell. */
  #refusedRoute(status: number): void {
    const { parts, inbound, host, backend } = this.#source;
    const route = inbound.route.name;
    const asked = { route, tried: this.#outgoing?.route ?? route };
    if (
      lacksRoute(status, host.answer.refusalText, asked.tried) &&
      parts.fleet.support.lacks(backend, asked)
    ) {
      host.guarded(() => this.#sendDifferently());
      return;
    }
    this.tryPassRefusal();
  }

  #sendDifferently(): void {
    const { host, backend } = this.#source;
    this.#resolved = host.readAgain(backend);
    if (this.#resolved.ownAnswer === undefined) this.#send();
    else host.answerHere(this.#resolved.ownAnswer);
  }

  /** A broken connection proves nothing; a closed port does: the prompt died with the engine, so it may go elsewhere. */
  #againIfDead(error: LlameroError): void {
    const { host, backend } = this.#source;
    void nobodyListens(backend.url).then((dead) => {
      if (host.ended) return;
      host.guarded(() => (dead ? host.again(error) : host.fail(error, 'failed_before_first_byte')));
    });
  }

  #brokeOff(error: LlameroError, told: boolean): void {
    const { host, record } = this.#source;
    record.failure ??= error.message;
    this.#reportFailure('protocol');
    host.brokeOff(error, told);
  }

  #reportFailure(kind: UpstreamFailure['kind'] | 'status'): void {
    const { parts, backend, model } = this.#source;
    parts.registry.reportFailure(backend.id, kind, model);
  }
}
