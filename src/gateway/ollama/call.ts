/**
 * One call of Ollama's API that is about models, not text: its body, its answer, its errors. Such calls take no slot and
 * no place in the queue, so they are no exchanges.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isObject } from '../../dialects/ir/fields.ts';
import type { JsonObject } from '../../dialects/ir/request.ts';
import { LlameroError } from '../../domain/errors.ts';
import type { KeyRules } from '../../keys/key-rules.ts';
import { errorBody } from '../error-response.ts';
import type { GatewayParts } from '../gateway.ts';
import { readBody } from '../read-body.ts';

export interface SurfaceCall {
  readonly parts: GatewayParts;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** What follows the route's path: the digest of a blob. */
  readonly rest: string;
  /** undefined: callers need none. */
  readonly key: KeyRules | undefined;
  /** Id of the request, which its answer carries already. */
  readonly id: string;
}

const jsonType = 'application/json; charset=utf-8';

export function sendJson({ response }: SurfaceCall, status: number, body: JsonObject | undefined): void {
  const text = body === undefined ? '' : JSON.stringify(body);
  response.writeHead(status, {
    ...(text !== '' && { 'content-type': jsonType }),
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}

export function sendFailure(call: SurfaceCall, thrown: unknown): void {
  const { response, parts } = call;
  // The client has left, which is no failure of anybody's.
  if (response.destroyed) return;
  const error = LlameroError.from(thrown);
  if (error.code === 'internal') parts.log.error({ err: error.cause }, 'Request about models failed');
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const text = errorBody(error, 'ollama');
  response.writeHead(error.status, { 'content-type': jsonType, 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

/** The body as a JSON object. Never settles when the client leaves first. Rejects with LlameroError. */
export function readJson({ parts, request }: SurfaceCall): Promise<JsonObject> {
  return new Promise((resolve, reject) => {
    readBody(request, parts.config().limits.body, (error, bytes) => {
      if (error !== undefined) reject(error);
      else if (bytes.length === 0) reject(new LlameroError('request_malformed', 'missing request body'));
      else {
        const body = tryParse(bytes.toString());
        if (isObject(body)) resolve(body);
        else reject(new LlameroError('request_malformed', 'The body is not a JSON object'));
      }
    });
  });
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `model`, or `name` as older clients call it. @throws LlameroError */
export function modelIn(body: JsonObject): string {
  const name = body['model'] ?? body['name'];
  if (typeof name === 'string' && name !== '') return name;
  throw new LlameroError('request_malformed', 'model is required', { param: 'model' });
}
