/** Answers `/v1/responses/{id}` and what is below it, from what is kept of earlier answers; no engine is asked. */
import {
  deletedResponse,
  listInputItems,
  notInBackground,
  responseMissing,
} from '../dialects/openai-responses/kept-responses.ts';
import { writeError } from '../dialects/openai-responses/errors.ts';
import type { EngineError } from '../dialects/ir/answer.ts';
import type { JsonObject } from '../dialects/ir/request.ts';
import type { FlowId } from '../domain/ids.ts';
import type { ClientRequest, ClientResponse } from './client.ts';
import type { GatewayParts } from './gateway.ts';

export interface KeptRequest {
  readonly request: ClientRequest;
  readonly response: ClientResponse;
  /** Without the query, and the query without its question mark. */
  readonly path: string;
  readonly query: string;
  readonly flow: FlowId;
  readonly requestId: string;
}

interface Answer {
  readonly status: number;
  readonly body: JsonObject;
}

const pathPattern = /^\/(?:v1\/)?responses\/(resp_[A-Za-z\d]{1,128})(\/input_items|\/cancel)?$/;

/** False when it is no question about an answer that could be kept here; then nothing was answered. */
export function answerKept({ responses }: GatewayParts, asked: KeptRequest): boolean {
  const { request, response, path, query, flow, requestId } = asked;
  const { method } = request;
  const [, id, below] = pathPattern.exec(path) ?? [];
  if (!responses.isKeeping || id === undefined) return false;
  const key = { flow, id };
  if (method === 'POST' && below === '/cancel') {
    const isKept = responses.get(key) !== undefined;
    send(response, requestId, fault(isKept ? notInBackground(id, 'cancelled') : responseMissing(id)));
    return true;
  }
  if (method === 'DELETE' && below === undefined) {
    send(response, requestId, responses.delete(key) ? ok(deletedResponse(id)) : fault(responseMissing(id)));
    return true;
  }
  if (method !== 'GET' || below === '/cancel') return false;
  const kept = responses.get(key);
  if (kept === undefined) send(response, requestId, fault(responseMissing(id)));
  else if (below === undefined && new URLSearchParams(query).get('stream') === 'true')
    send(response, requestId, fault(notInBackground(id, 'streamed')));
  else if (below === undefined) send(response, requestId, ok(kept.response));
  else {
    const page = listInputItems(kept, new URLSearchParams(query));
    send(response, requestId, 'error' in page ? fault(page.error) : ok(page.list));
  }
  return true;
}

function ok(body: JsonObject): Answer {
  return { status: 200, body };
}

function fault(error: EngineError): Answer {
  const status = error.status ?? 500;
  return { status, body: writeError(error, status) };
}

function send(response: ClientResponse, requestId: string, { status, body }: Answer): void {
  const text = JSON.stringify(body);
  response.writeHead(status, [
    'content-type',
    'application/json; charset=utf-8',
    'content-length',
    String(Buffer.byteLength(text)),
    'x-request-id',
    requestId,
  ]);
  response.end(text);
}
