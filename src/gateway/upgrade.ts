/**
 * WebSockets through the router: picks a backend like any request does, switches protocols there, then joins the two
 * sockets until either side ends. The slot is held as long as the sockets are open.
 */
import { isOwnShortage } from '../base/own-shortage.ts';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { LlameroError } from '../domain/errors.ts';
import type { ModelName } from '../domain/ids.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { Backend } from '../engines/backend.ts';
import type { Grant, Rejection } from '../scheduler/effects.ts';
import type { KeyRules } from '../keys/key-rules.ts';
import type { RequestRecord } from '../store/request-record.ts';
import { answerOnSocket } from './client-error.ts';
import type { ClientRequest } from './client.ts';
import { errorBody } from './error-response.ts';
import type { GatewayParts } from './gateway.ts';
import { headerValue, toRequestHeaders, toResponseHeaders, withoutHeader } from './headers.ts';
import { openUpgrade } from './http1/upgrade.ts';
import { enterWithKey, type KeyPass } from './keys/key-pass.ts';
import type { Meaning } from './name-resolver.ts';
import { noteCaller } from './note-caller.ts';
import { editRequest } from './outgoing.ts';
import { peekBody } from './peek.ts';
import { placeUpgrade } from './place-upgrade.ts';
import { createInTurnPlacer, type Placer, type Waiter } from './placer.ts';
import { failureError, rejectionError, rejectionOutcome } from './rejection.ts';
import { priorityDefault } from './resolve.ts';
import { dialectOf } from './routes.ts';
import { targetOf, upstreamPath } from './target.ts';

export interface UpgradeRequest {
  readonly request: ClientRequest;
  readonly socket: Duplex;
  /** What the client sent after its head. */
  readonly head: Buffer;
  readonly id: string;
  readonly path: string;
  readonly query: string;
  readonly flow: string;
  /** undefined: callers need none. */
  readonly key: KeyRules | undefined;
  /** Path and query as an engine gets them, before the edits of a backend. */
  readonly url: string;
  /** Where the path names the model: the query then passes as it came. */
  readonly modelInPath: ModelName | undefined;
}

/** A well-behaved client sends nothing before it has been answered; of another one this much is kept. */
const earlyBytesMax = 64 * 1024;
const empty = Buffer.alloc(0);

export function passUpgrade(parts: GatewayParts, inbound: UpgradeRequest): void {
  new UpgradeExchange(parts, inbound).start();
}

/** Answers with an error in place of a WebSocket. */
export function refuseUpgrade(
  { socket, path, id }: Pick<UpgradeRequest, 'socket' | 'path' | 'id'>,
  error: LlameroError,
): void {
  const body = errorBody(error, dialectOf(path));
  answerOnSocket(socket, { status: error.status, body, requestId: id, retryAfterS: error.retryAfterS });
}

class UpgradeExchange implements Waiter {
  readonly #parts: GatewayParts;
  readonly #inbound: UpgradeRequest;
  readonly #record: RequestRecord;
  /** undefined: it names no model, or one that nobody knows. */
  readonly #meaning: Meaning | undefined;
  /** Why the model that it names cannot be had. */
  readonly #unplaceable: LlameroError | undefined;
  readonly #placer: Placer;
  readonly #abort = new AbortController();
  /** What the client sent before anybody could take it. */
  readonly #early: Buffer[] = [];
  #earlyBytes = 0;
  #keyPass: KeyPass | undefined;
  #failure: LlameroError | undefined;
  #granted = false;
  #ended = false;

  constructor(parts: GatewayParts, inbound: UpgradeRequest) {
    const { id, path, flow } = inbound;
    this.#parts = parts;
    this.#inbound = inbound;
    const head = { id, route: 'other', method: 'GET', path, flow } as const;
    this.#record = parts.requests.open(head, () => this.#finish('cancelled_streaming'));
    noteCaller(this.#record, inbound.request);
    const placed = placeUpgrade(parts, inbound);
    if (placed instanceof LlameroError) {
      this.#unplaceable = placed;
      this.#meaning = undefined;
      this.#placer = createInTurnPlacer([], 0);
    } else {
      this.#unplaceable = undefined;
      this.#meaning = placed.meaning;
      this.#placer = placed.placer;
    }
    this.#record.model = this.#meaning?.model;
    this.#record.requested =
      inbound.modelInPath ?? new URLSearchParams(inbound.query).get('model') ?? undefined;
    this.#record.selector = this.#meaning?.selector;
  }

  start(): void {
    const { socket, id, flow } = this.#inbound;
    socket.on('error', () => this.#finish('cancelled_streaming'));
    socket.on('close', () => this.#finish(this.#granted ? 'completed' : 'cancelled_queued'));
    // Without reading, the end of a client that leaves while it waits would not be seen.
    socket.on('data', this.#readEarly);
    socket.on('end', this.#leftEarly);
    this.#readEarly(this.#inbound.head);
    if (this.#unplaceable !== undefined) {
      this.#refuse(this.#unplaceable, 'rejected_other');
      return;
    }
    const { key } = this.#inbound;
    // What passes through a WebSocket is not looked at, so its tokens are not known.
    const keyPass = key && enterWithKey(this.#parts.keyMeter, key, { input: 0, output: 0 });
    if (keyPass instanceof LlameroError) {
      this.#refuse(keyPass, 'rejected_other');
      return;
    }
    this.#keyPass = keyPass;
    const { model } = this.#record;
    const facts = {
      id,
      model,
      flow,
      priority: key?.priority ?? priorityDefault,
      session: undefined,
      tokensEstimated: 0,
    };
    this.#placer.arrive({ ...facts, slotless: model === undefined }, this);
  }

  granted(grant: Grant): void {
    this.#granted = true;
    this.#record.backend = grant.backend;
    this.#record.grantedAtMs = this.#parts.clock.nowMs();
    this.#record.attempts.push({ backend: grant.backend, failure: undefined });
    const backend = this.#parts.fleet.get(grant.backend);
    if (backend === undefined) this.#again();
    else void this.#connect(backend, grant.model ?? this.#meaning?.model);
  }

  rejected(rejection: Rejection): void {
    const { model } = this.#record;
    const { config, fleet, names } = this.#parts;
    const context = { config: config(), fleet, names, model };
    this.#refuse(this.#failure ?? rejectionError(rejection, context), rejectionOutcome(rejection.reason));
  }

  readonly #readEarly = (bytes: Buffer): void => {
    this.#earlyBytes += bytes.length;
    if (bytes.length > 0) this.#early.push(bytes);
    if (this.#earlyBytes > earlyBytesMax) this.#inbound.socket.pause();
  };

  readonly #leftEarly = (): void => this.#finish(this.#granted ? 'cancelled_waiting' : 'cancelled_queued');

  async #connect(backend: Backend, model: ModelName | undefined): Promise<void> {
    const { request, id, query, url, modelInPath } = this.#inbound;
    const peeked = peekBody({ body: empty, contentType: undefined, query });
    const requested = this.#meaning?.requested;
    const received = { url, body: empty };
    const edited = { ...received, peeked, requested, model: modelInPath === undefined ? model : undefined };
    const edit = editRequest(edited, backend);
    const headers = toRequestHeaders(request.rawHeaders, {
      requestId: id,
      apiKey: backend.config.apiKey,
      signature: this.#parts.signature,
      withheld: backend.kind.headersWithheld,
      plain: false,
    });
    headers.push('upgrade', 'websocket');
    const answer = await openUpgrade({
      target: targetOf(backend),
      request: { method: 'GET', path: upstreamPath(backend, edit.url), headers, body: undefined },
      signal: this.#abort.signal,
    });
    if (answer.kind === 'upgraded') this.#join(backend, answer);
    else if (this.#ended) return;
    else if (answer.kind === 'refused') this.#passRefusal(backend, answer);
    else if (answer.failure.accepted === 'no') {
      this.#failure = failureError(answer.failure, backend.id);
      if (!isOwnShortage(answer.failure.reason)) {
        this.#parts.registry.reportFailure(backend.id, answer.failure.kind);
      }
      this.#again();
    } else this.#refuse(failureError(answer.failure, backend.id), 'failed_before_first_byte');
  }

  #again(): void {
    this.#granted = false;
    this.#placer.retry(this.#record.id);
  }

  #join(
    backend: Backend,
    upgraded: { readonly headers: readonly string[]; readonly socket: Duplex; readonly rest: Buffer },
  ): void {
    const { socket: client } = this.#inbound;
    const engine = upgraded.socket;
    if (this.#ended) {
      engine.destroy();
      return;
    }
    this.#record.phase = 'streaming';
    this.#record.status = 101;
    this.#parts.requests.changed(this.#record);
    this.#abort.signal.addEventListener('abort', () => engine.destroy());
    client.write(
      this.#headOf(
        '101 Switching Protocols',
        backend,
        upgraded.headers,
        headerValue(upgraded.headers, 'upgrade'),
      ),
    );
    if (upgraded.rest.length > 0) client.write(upgraded.rest);
    client.off('data', this.#readEarly);
    client.off('end', this.#leftEarly);
    for (const bytes of this.#early) engine.write(bytes);
    engine.on('error', () => client.destroy());
    engine.on('close', () => client.destroy());
    client.on('close', () => engine.destroy());
    engine.pipe(client);
    client.pipe(engine);
  }

  #passRefusal(
    backend: Backend,
    { status, headers, body }: { status: number; headers: readonly string[]; body: Buffer },
  ): void {
    const kept = withoutHeader(headers, 'content-length');
    kept.push('content-length', String(body.length));
    const reason = STATUS_CODES[status] ?? 'Refused';
    this.#inbound.socket.write(this.#headOf(`${status} ${reason}`, backend, kept, undefined));
    this.#inbound.socket.end(body);
    this.#record.status = status;
    this.#finish('passed_through_error');
  }

  #headOf(
    status: string,
    backend: Backend,
    received: readonly string[],
    protocol: string | undefined,
  ): string {
    const options = {
      requestId: this.#record.id,
      backend: backend.id,
      attempts: undefined,
      dropped: [],
      repaired: [],
    };
    const headers = toResponseHeaders(received, options);
    if (protocol === undefined) headers.push('connection', 'close');
    else headers.push('connection', 'Upgrade', 'upgrade', protocol);
    let head = `HTTP/1.1 ${status}\r\n`;
    for (let index = 0; index + 1 < headers.length; index += 2)
      head += `${headers[index]}: ${headers[index + 1]}\r\n`;
    return `${head}\r\n`;
  }

  #refuse(error: LlameroError, outcome: Outcome): void {
    if (this.#ended) return;
    refuseUpgrade(this.#inbound, error);
    this.#record.status = error.status;
    this.#record.errorCode = error.code;
    this.#finish(outcome);
  }

  #finish(outcome: Outcome): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#abort.abort();
    const record = this.#record;
    this.#keyPass?.settle(record, outcome);
    this.#meaning?.release();
    if (this.#granted) this.#placer.finish(record.id, false);
    else this.#placer.cancel(record.id);
    if (!this.#inbound.socket.writableEnded) this.#inbound.socket.destroy();
    this.#parts.requests.finish(record, { outcome, status: record.status, errorCode: record.errorCode });
  }
}
