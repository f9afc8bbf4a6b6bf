/**
 * What one client gets to read, from signs of life before any engine has spoken to the last byte or the error in its
 * place. Owns the response; which engine is asked, and whether another one is, is decided elsewhere.
 */
import type { LlameroError } from '../domain/errors.ts';
import type { ModelName } from '../domain/ids.ts';
import type { RequestRecord } from '../store/request-record.ts';
import { canBeginEarly, EarlyStream } from './early-stream.ts';
import { errorEvent, sendError } from './error-response.ts';
import type { Inbound } from './exchange.ts';
import type { GatewayParts } from './gateway.ts';
import { headerValue } from './headers.ts';
import { engineErrorMessage, lateErrorEvent } from './late-error.ts';
import { LoadingText } from './loading-text.ts';
import { Relay } from './relay.ts';
import { ReplaceableAnswer } from './replaceable-answer.ts';
import type { StreamAssembly } from './stream-assembly.ts';

export interface ClientAnswerOptions {
  readonly parts: GatewayParts;
  readonly inbound: Inbound;
  readonly record: RequestRecord;
  /** Told of the first bytes of an engine's error that goes to the client. */
  readonly onErrorPassed: (status: number, bodyHead: Buffer) => void;
}

export interface AnswerHead {
  readonly status: number;
  /** As the engine sent them. */
  readonly received: readonly string[];
  /** Ready for the client. */
  readonly headers: readonly string[];
  /** See EngineKind.endsWithDone. */
  readonly doneRequired: boolean;
  readonly assembly: StreamAssembly | undefined;
}

/** refused: another backend may answer instead. passed: the client has all of it. broken: it came to no proper end. */
export type AnswerEnd =
  | { readonly kind: 'refused'; readonly status: number }
  | { readonly kind: 'passed'; readonly isError: boolean }
  | { readonly kind: 'broken'; readonly error: LlameroError };

export class ClientAnswer {
  readonly #options: ClientAnswerOptions;
  readonly #relay: Relay;
  /** An answer that another backend may replace (503, or 404 on a best-effort route), kept in case none does. */
  #refusal: ReplaceableAnswer | undefined;
  /** An answer that is no stream, for a client whose stream has begun. */
  #late: ReplaceableAnswer | undefined;
  #assembly: StreamAssembly | undefined;
  /** A copy of an error that is passed on, for its message. */
  #error: ReplaceableAnswer | undefined;
  #early: EarlyStream | undefined;
  #loading: LoadingText | undefined;

  constructor(options: ClientAnswerOptions) {
    const { parts, inbound, record } = options;
    this.#options = options;
    this.#relay = new Relay({
      response: inbound.response,
      route: inbound.route,
      record,
      clock: parts.clock,
    });
  }

  /** True from an engine's first byte on: from then no other backend may answer. */
  get begun(): boolean {
    return this.#relay.begun;
  }

  /** For a stream after its admission (a refusal is no event): signs of life from now on; `loading` names a model whose loading is told of. */
  beginEarly(loading: ModelName | undefined): void {
    const { parts, inbound } = this.#options;
    const { response, route, id } = inbound;
    if (!canBeginEarly(route)) return;
    const silenceMs = parts.config().streaming.keepalive;
    const early = new EarlyStream({ response, route, requestId: id, silenceMs });
    this.#early = early;
    if (loading === undefined) return;
    const position = (): number | undefined => parts.dispatcher.position(id);
    const { clock } = parts;
    this.#loading = new LoadingText({ early, route, requestId: id, model: loading, position, clock });
  }

  /** The request got its slot. */
  granted(): void {
    this.#loading?.done();
  }

  head(head: AnswerHead): void {
    const { status, received, headers } = head;
    this.#options.record.responseHeaders = headers;
    this.#refusal = undefined;
    this.#late = undefined;
    this.#assembly = head.assembly;
    if (this.#isReplaceable(status)) this.#refusal = new ReplaceableAnswer(status, headers);
    else if (this.#early?.begun === true && !isStream(status, received)) {
      this.#early.end();
      this.#late = new ReplaceableAnswer(status, headers);
    } else {
      this.#assembly?.head(status, received);
      this.#relay.head(status, headers, head.doneRequired);
      this.#error = status < 400 ? undefined : new ReplaceableAnswer(status, headers);
    }
  }

  /** False: the client reads slower than that; go on after the response's `drain`. `isLast`: known to be the last chunk. */
  push(chunk: Buffer, isLast: boolean): boolean {
    const kept = this.#refusal ?? this.#late;
    if (kept !== undefined) {
      kept.push(chunk);
      return true;
    }
    const { record, parts } = this.#options;
    if (this.#assembly?.active === true) {
      record.firstByteAtMs ??= parts.clock.nowMs();
      this.#assembly.push(chunk);
      return true;
    }
    if (!this.#relay.begun) {
      this.#early?.end();
      this.#tellOfError(this.#relay.status, chunk);
    }
    this.#error?.push(chunk);
    return this.#relay.push(chunk, isLast);
  }

  /** The engine ended its answer. */
  end(): AnswerEnd {
    if (this.#refusal !== undefined) return { kind: 'refused', status: this.#refusal.status };
    if (this.#late !== undefined) {
      this.#passLate(this.#late);
      return { kind: 'passed', isError: true };
    }
    if (this.#assembly?.active === true) {
      const answer = this.#assembly.finish();
      this.#relay.assembled(answer);
      if (answer.status >= 400) this.#noteError(answer.status, answer.body);
      return { kind: 'passed', isError: answer.status >= 400 };
    }
    const error = this.#relay.end();
    if (error !== undefined) return { kind: 'broken', error };
    if (this.#error !== undefined) this.#noteError(this.#error.status, this.#error.body());
    return { kind: 'passed', isError: this.#relay.status >= 400 };
  }

  /** Passes the last refusal on after all, as nobody else has answered. False when there is none. */
  tryPassRefusal(): boolean {
    const refusal = this.#refusal;
    if (refusal === undefined) return false;
    if (this.#early?.begun === true) this.#passLate(refusal);
    else {
      this.#relay.head(refusal.status, refusal.headers, false);
      this.#relay.push(refusal.body(), true);
      this.#relay.end();
      this.#noteError(refusal.status, refusal.body());
    }
    return true;
  }

  /** Answers with an error where that is still possible, else breaks the answer off. `headers` go with an answer only. */
  fail(error: LlameroError, headers: readonly string[]): void {
    const { inbound, record } = this.#options;
    const { request, response, route, id } = inbound;
    if (this.#relay.begun) this.#relay.break(error, false);
    else if (this.#early?.begun === true) {
      this.#endEarly(errorEvent(error, route.dialect));
      record.status = response.statusCode;
    } else if (!response.headersSent) {
      const accept = route.name === 'other' ? headerValue(request.rawHeaders, 'accept') : undefined;
      sendError(response, { error, dialect: route.dialect, requestId: id, headers, accept });
      record.status = error.status;
    }
  }

  /** Ends an answer that has begun the hard way; `told`: the engine has said why. */
  break(error: LlameroError, told: boolean): void {
    this.#relay.break(error, told);
  }

  /** Nothing more will be said: takes what was learnt on the side into the record and ends all timers. */
  settle(): void {
    this.#relay.settle();
    this.#early?.end();
    this.#loading?.stop();
  }

  #isReplaceable(status: number): boolean {
    if (status === 503) return true;
    return this.#options.inbound.route.name === 'other' && [404, 405, 501].includes(status);
  }

  #passLate(answer: ReplaceableAnswer): void {
    const { inbound, record } = this.#options;
    const body = answer.body();
    this.#tellOfError(answer.status, body);
    this.#noteError(answer.status, body);
    this.#endEarly(lateErrorEvent(answer.status, body, inbound.route.dialect));
    record.status = inbound.response.statusCode;
  }

  #noteError(status: number, body: Buffer): void {
    this.#options.record.errorMessage = engineErrorMessage(status, body);
  }

  /** The last event of a stream in which nothing but the router itself has spoken. */
  #endEarly(event: string): void {
    this.#early?.end();
    this.#options.inbound.response.end(event);
  }

  #tellOfError(status: number, bodyHead: Buffer): void {
    if (status >= 400) this.#options.onErrorPassed(status, bodyHead);
  }
}

function isStream(status: number, headers: readonly string[]): boolean {
  return status < 400 && (headerValue(headers, 'content-type') ?? '').startsWith('text/event-stream');
}
