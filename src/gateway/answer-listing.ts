/** Answers `GET /v1/models`, `/models` and `/v1/models/{id}` from what the probes know; no engine is asked. */
import { LlameroError } from '../domain/errors.ts';
import type { KeyRules } from '../keys/key-rules.ts';
import type { ClientRequest, ClientResponse } from './client.ts';
import { sendError } from './error-response.ts';
import type { GatewayParts } from './gateway.ts';
import { headerValue } from './headers.ts';
import { withoutForbidden } from './keys/model-access.ts';
import { findModel, listModels } from './listing.ts';
import type { ListingSource } from './listing.ts';

export interface ListingRequest {
  readonly request: ClientRequest;
  readonly response: ClientResponse;
  readonly path: string;
  readonly requestId: string;
  /** undefined: callers need none. */
  readonly key: KeyRules | undefined;
}

const onePrefix = '/v1/models/';

/** False when the path is none of these; then nothing was answered. */
export function answerListing(parts: GatewayParts, asked: ListingRequest): boolean {
  const { request, path, response, requestId, key } = asked;
  if (request.method !== 'GET' && request.method !== 'HEAD') return false;
  const isList = path === '/v1/models' || path === '/models';
  if (!isList && !path.startsWith(onePrefix)) return false;
  const { names } = parts;
  const source = listingSource(parts);
  if (isList) {
    allowOrigin(request, response);
    // What else is in it tells other routers whom they talk to.
    const llamero = { signature: parts.signature };
    sendJson(response, requestId, {
      object: 'list',
      data: withoutForbidden(parts, key, listModels(source)),
      llamero,
    });
    return true;
  }
  const name = decodeName(path.slice(onePrefix.length));
  const entries = withoutForbidden(parts, key, listModels(source, { all: true }));
  const entry = name === undefined ? undefined : findModel(entries, name);
  if (entry !== undefined) {
    sendJson(response, requestId, entry);
    return true;
  }
  const nearest = key?.models === undefined ? names.nearest(name ?? '') : undefined;
  const hint = nearest === undefined ? '' : ` (did you mean '${nearest}'?)`;
  const error = new LlameroError('model_not_found', `No live backend serves model '${name ?? ''}'${hint}`, {
    param: 'model',
  });
  sendError(response, { error, dialect: 'openai', requestId });
  return true;
}

/** What a list of the models is made from at this moment. */
export function listingSource(parts: GatewayParts): ListingSource {
  const { clock, config, fleet, models, names, signature } = parts;
  const startedEpochS = Math.floor((clock.epochMs() - clock.nowMs()) / 1000);
  const { ensembles } = config();
  return { backends: fleet.offered(), models: models(), names, ensembles, startedEpochS, signature };
}

/** A page of any origin may read which models there are. */
function allowOrigin({ rawHeaders }: ClientRequest, response: ClientResponse): void {
  const origin = headerValue(rawHeaders, 'origin');
  if (origin === undefined) return;
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('vary', 'origin');
}

function sendJson(response: ClientResponse, requestId: string, value: unknown): void {
  const body = JSON.stringify(value);
  response.writeHead(200, [
    'content-type',
    'application/json; charset=utf-8',
    'content-length',
    String(Buffer.byteLength(body)),
    'x-request-id',
    requestId,
  ]);
  response.end(body);
}

/** Model names may hold slashes, escaped or not. */
function decodeName(escaped: string): string | undefined {
  try {
    return decodeURIComponent(escaped);
  } catch {
    return undefined;
  }
}
