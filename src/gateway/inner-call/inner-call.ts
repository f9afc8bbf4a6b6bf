/**
 * Requests of the router's own: a request goes through the whole life of one (queue, slot, engine, records, limits of its
 * key) without a socket at its beginning. Knows nothing of what such requests are for.
 */
import { randomUUID } from 'node:crypto';
import type { JsonObject } from '../../dialects/ir/request.ts';
import { LlameroError } from '../../domain/errors.ts';
import type { RequestId } from '../../domain/ids.ts';
import type { RequestParent, RequestRecord } from '../../store/request-record.ts';
import type { Inbound } from '../inbound.ts';
import { matchRoute } from '../routes.ts';
import { InnerRequest } from './inner-request.ts';
import { InnerResponse } from './inner-response.ts';

/** Begins the life of a request and returns its record, which tells how it goes. */
export type BeginExchange = (inbound: Inbound) => RequestRecord;

/** Who pays for the request and is shown as its sender. An `Inbound` is one. */
export type InnerCaller = Pick<Inbound, 'flow' | 'key'> & {
  readonly request: Pick<Inbound['request'], 'rawHeaders' | 'remoteAddress'>;
};

export interface InnerCall {
  /** Of an inference route, such as `/v1/chat/completions`. */
  readonly path: string;
  readonly body: JsonObject;
  /** The limits of its key hold. Whether it may use the model and the route is for the parent to know: nobody looks again. */
  readonly caller: InnerCaller;
  readonly parent: RequestParent;
  /** Ends the request in whatever phase it is, as a client does that leaves. */
  readonly signal: AbortSignal;
}

export interface InnerAnswer {
  readonly id: RequestId;
  readonly status: number;
  /** Names and values alternating. */
  readonly headers: readonly string[];
  /** Of the request; complete, its usage included, when the body has ended. */
  readonly record: Readonly<RequestRecord>;
  /**
   * To be read once, whole or in part: the engine is held back while nobody reads, and leaving the loop ends the request.
   * Throws what `signal` was aborted with, or LlameroError when the answer broke off.
   */
  readonly body: AsyncIterable<Buffer>;
}

/**
 * Resolves with the head of the answer, errors included: those have the form of the path's dialect. Rejects with what
 * `signal` was aborted with.
 */
export async function callInside(begin: BeginExchange, call: InnerCall): Promise<InnerAnswer> {
  const { path, caller, parent, signal } = call;
  signal.throwIfAborted();
  const id = randomUUID();
  const response = new InnerResponse();
  const leave = (): void => response.leave(signal.reason);
  signal.addEventListener('abort', leave, { once: true });
  response.onClosed(() => signal.removeEventListener('abort', leave));
  const record = begin({
    request: new InnerRequest({ path, body: Buffer.from(JSON.stringify(call.body)), client: caller.request }),
    response,
    id,
    route: matchRoute('POST', path),
    path,
    query: '',
    flow: caller.flow,
    key: caller.key,
    url: path,
    modelInPath: undefined,
    parent,
  });
  const { status, headers } = await response.head;
  return { id, status, headers, record, body: response };
}

/** Reads the rest of an answer. Throws as its `body` does, and LlameroError when it is longer than that. */
export async function readWhole({ body }: Pick<InnerAnswer, 'body'>, bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > bytesMax) {
      throw new LlameroError('backend_protocol', `The answer is longer than ${bytesMax} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
}
