/**
 * What one client gets to read, from signs of life before any engine has spoken to the last byte or the error in its
 * place. Owns the response; which engine is asked, and whether another one is, is decided elsewhere.
 */
import type { LlameroError } from '../domain/errors.ts';
import type { ModelName } from '../domain/ids.ts';
import type { RequestRecord } from '../store/request-record.ts';
import type { ReplayedAnswer } from './cache/cache-visit.ts';
import type { AnswerTransform } from './answer-transform.ts';
import { canBeginEarly, EarlyStream } from './early-stream.ts';
import { errorEvent, sendError } from './error-response.ts';
import type { Inbound } from './inbound.ts';
import type { GatewayParts } from './gateway.ts';
import { headerValue, toTransformedHeaders } from './headers.ts';
import { engineErrorMessage, lateErrorEvent } from './late-error.ts';
import { LoadingText } from './loading-text.ts';
import type { OwnAnswer } from './own-answer.ts';
import { Relay } from './relay.ts';
import { ReplaceableAnswer } from './replaceable-answer.ts';

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
  /** What makes the client's answer of the engine's; undefined = it passes as it is. */
  readonly transform: AnswerTransform | undefined;
  /** The engine may not have the route at all, in which case the request has to be put differently. */
  readonly mayLackRoute: boolean;
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
  #refusal: { readonly head: AnswerHead; readonly answer: ReplaceableAnswer } | undefined;
  /** Whoever refused was told of when it did. */
  #isRefusalPassed = false;
  /** An answer that is no stream, for a client whose stream has begun. */
  #late: ReplaceableAnswer | undefined;
  #transform: AnswerTransform | undefined;
  /** Of the engine, where a transform makes the client's of it. */
  #engineHeaders: readonly string[] = [];
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
    const { status, headers } = head;
    this.#options.record.responseHeaders = headers;
    this.#refusal = undefined;
    this.#late = undefined;
    this.#transform = undefined;
    if (head.mayLackRoute || this.#isReplaceable(status)) {
      this.#refusal = { head, answer: new ReplaceableAnswer(status, headers) };
    } else {
      this.#begin(head);
    }
  }

  /** False: the client reads slower than that; go on after the response's `drain`. `isLast`: known to be the last chunk. */
  push(chunk: Buffer, isLast: boolean): boolean {
    const kept = this.#refusal?.answer ?? this.#late;
    if (kept !== undefined) {
      kept.push(chunk);
      return true;
    }
    const { record, parts } = this.#options;
    const transform = this.#transform;
    if (transform !== undefined) {
      const { promptProgress } = record;
      const bytes = transform.push(chunk);
      // A report on the prompt is no answer yet.
      if (record.promptProgress === promptProgress) record.firstByteAtMs ??= parts.clock.nowMs();
      return bytes === undefined || this.#pushTransformed(transform, bytes, false);
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
    if (this.#refusal !== undefined) return { kind: 'refused', status: this.#refusal.head.status };
    if (this.#late !== undefined) {
      this.#passLate(this.#late);
      return { kind: 'passed', isError: true };
    }
    if (this.#transform !== undefined) return this.#endTransformed(this.#transform);
    const error = this.#relay.end();
    if (error !== undefined) return { kind: 'broken', error };
    if (this.#error !== undefined) this.#noteError(this.#error.status, this.#error.body());
    return { kind: 'passed', isError: this.#relay.status >= 400 };
  }

  /** What the engine said in the refusal that is kept; '' = there is none. */
  get refusalText(): string {
    return this.#refusal?.answer.body().toString() ?? '';
  }

  /** Passes the last refusal on after all, as nobody else has answered. undefined = there is none. */
  tryPassRefusal(): AnswerEnd | undefined {
    const refusal = this.#refusal;
    if (refusal === undefined) return undefined;
    this.#refusal = undefined;
    this.#isRefusalPassed = true;
    const { head, answer } = refusal;
    this.#begin({ ...head, headers: answer.headers, doneRequired: false });
    this.push(answer.body(), true);
    return this.end();
  }

  /** Gives an answer that is the router's own. */
  answer({ headers, body }: OwnAnswer): void {
    const { inbound, record } = this.#options;
    const { response, id } = inbound;
    const text = JSON.stringify(body);
    this.#early?.end();
    if (!response.headersSent) {
      const length = String(Buffer.byteLength(text));
      const own = ['content-type', 'application/json; charset=utf-8', 'content-length', length];
      response.writeHead(200, [...own, 'x-request-id', id, ...headers]);
    }
    response.end(text);
    record.status = response.statusCode;
    record.bytesOut = text.length;
  }

  /** Gives an answer that was kept. */
  replay({ contentType, pieces }: ReplayedAnswer): void {
    const { inbound, record, parts } = this.#options;
    const { response, id } = inbound;
    const isWhole = pieces.length === 1;
    const bytes = pieces.reduce((sum, piece) => sum + Buffer.byteLength(piece), 0);
    const framing = isWhole ? ['content-length', String(bytes)] : ['cache-control', 'no-cache'];
    response.writeHead(200, ['content-type', contentType, ...framing, 'x-request-id', id]);
    record.firstByteAtMs = parts.clock.nowMs();
    for (const piece of pieces) {
      response.write(piece);
      record.capture?.push(Buffer.from(piece));
    }
    response.end();
    record.status = 200;
    record.bytesOut = bytes;
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
    const { response, route } = this.#options.inbound;
    const isToldByTransform = told && this.#transform?.error !== undefined;
    // `response.failed` is a proper last event, which the official client does not give out before the end of the body.
    if (isToldByTransform && route.dialect === 'openai-responses') response.end();
    else this.#relay.break(error, told);
  }

  /** Nothing more will be said: takes what was learnt on the side into the record and ends all timers. */
  settle(): void {
    this.#relay.settle();
    this.#early?.end();
    this.#loading?.stop();
  }

  #begin({ status, received, headers, transform, doneRequired }: AnswerHead): void {
    const streamBegun = this.#early?.begun === true;
    if (transform?.head({ status, headers: received, streamBegun }) === true) {
      this.#transform = transform;
      this.#engineHeaders = headers;
    } else if (streamBegun && !isStream(status, received)) {
      this.#early?.end();
      this.#late = new ReplaceableAnswer(status, headers);
    } else {
      this.#relay.head({ status, headers, doneRequired });
      this.#error = status < 400 ? undefined : new ReplaceableAnswer(status, headers);
    }
  }

  #pushTransformed(transform: AnswerTransform, bytes: Buffer, isLast: boolean): boolean {
    if (!this.#relay.begun) {
      const { status, contentType } = transform.answerHead;
      const headers = toTransformedHeaders(this.#engineHeaders, {
        contentType,
        // With a length, a stream that broke off in its first event would look whole.
        bytes: isLast && !streamType.test(contentType) ? bytes.length : undefined,
        repaired: this.#options.record.repairs,
      });
      const reader = { push: () => undefined, finish: () => transform.result() };
      this.#early?.end();
      this.#relay.head({ status, headers, doneRequired: false, reader });
      this.#tellOfError(status, bytes);
    }
    return this.#relay.push(bytes, isLast);
  }

  #endTransformed(transform: AnswerTransform): AnswerEnd {
    const rest = transform.end();
    if (rest !== undefined) this.#pushTransformed(transform, rest, true);
    const { status } = transform.answerHead;
    const broken = this.#relay.end();
    if (broken !== undefined) return { kind: 'broken', error: broken };
    this.#options.record.errorMessage = transform.error?.message;
    return { kind: 'passed', isError: status >= 400 || transform.error !== undefined };
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
    if (status >= 400 && !this.#isRefusalPassed) this.#options.onErrorPassed(status, bodyHead);
  }
}

const streamType = /^(?:text\/event-stream|application\/x-ndjson)/;

function isStream(status: number, headers: readonly string[]): boolean {
  return status < 400 && (headerValue(headers, 'content-type') ?? '').startsWith('text/event-stream');
}
