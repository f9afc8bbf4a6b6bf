/**
 * Where every request arrives, whoever speaks HTTP to its client: who is it, may it pass, and does it go to an engine, the
 * model listing or nowhere. Holds no request state itself, and knows no sockets.
 */
import { LlameroError } from '../domain/errors.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { KeyRules } from '../keys/key-rules.ts';
import { answerListing } from './answer-listing.ts';
import type { Authenticator } from './auth.ts';
import type { ClientRequest, ClientResponse } from './client.ts';
import { allowReading, answerPreflight, isPreflight } from './cors.ts';
import { findDestination, findOpenRedirect, type Asked, type Destination } from './destination.ts';
import { findDotSegment } from './dot-segments.ts';
import { sendError } from './error-response.ts';
import { beginExchange } from './exchange.ts';
import type { GatewayParts } from './gateway.ts';
import { headerValue } from './headers.ts';
import { answerKept } from './kept-responses.ts';
import { tellLimits } from './keys/limit-headers.ts';
import { findLoop } from './loop-guard.ts';
import { answerRoot } from './ollama/root.ts';
import { newRequestId } from './request-id.ts';
import { dialectOf, matchRoute } from './routes.ts';
import { findForeignHost } from './site-guard.ts';

export interface ReceptionOptions {
  readonly parts: GatewayParts;
  readonly authenticator: () => Authenticator;
  /** True for paths that the control plane serves. */
  readonly isControlPath: (path: string) => boolean;
  /** True for paths that need no key. */
  readonly isOpenPath: (path: string) => boolean;
  /** True while only running requests are finished. */
  readonly draining: () => boolean;
}

/** A caller and where it wants to go. */
export interface Arrival {
  readonly id: string;
  /** Without the query, and the query without its question mark. */
  readonly path: string;
  readonly query: string;
  /** undefined: a caller who must not pass. */
  readonly flow: string | undefined;
  /** undefined: it has shown none, or needs none. */
  readonly key: KeyRules | undefined;
}

/** One who may pass. */
export type Admitted = Arrival & { readonly flow: string };

/** Looks at the head of a request; answers and records nothing. */
export function admit(options: ReceptionOptions, request: ClientRequest): Arrival {
  const { path, query } = splitTarget(request.url);
  const authenticator = options.authenticator();
  const key = authenticator.required ? authenticator.identify(request.rawHeaders) : undefined;
  const mayPass = !authenticator.required || key !== undefined || options.isOpenPath(path);
  const flow = mayPass ? (key?.name ?? request.remoteAddress ?? 'unknown') : undefined;
  return { id: newRequestId(), path, query, flow, key };
}

/** Answers who may not pass, and what needs no key; undefined = it has answered. */
export function receive(
  options: ReceptionOptions,
  request: ClientRequest,
  response: ClientResponse,
): Admitted | undefined {
  const arrival = admit(options, request);
  const { id, path, flow } = arrival;
  const foreign = foreignHost(options, request, arrival);
  if (foreign !== undefined) {
    sendError(response, { error: foreign, dialect: dialectOf(path), requestId: id });
    return undefined;
  }
  if (isPreflight(request) && !options.isControlPath(path)) {
    answerPreflight(request, response, { keysRequired: options.authenticator().required });
    return undefined;
  }
  const asked = askedOf(request, arrival);
  const open = findOpenRedirect(options.parts.fleet, asked);
  if (open !== undefined) {
    sendAway(response, open.location, open.status);
    return undefined;
  }
  if (flow === undefined) {
    const error = unauthorized(options, request, arrival);
    sendError(response, { error, dialect: dialectOf(path), requestId: id, accept: asked.accept });
    return undefined;
  }
  const dots = findDotSegment(path);
  if (dots !== undefined) {
    recordRefusal(options, request, { id, path, flow }, { error: dots, outcome: 'rejected_other' });
    sendError(response, { error: dots, dialect: dialectOf(path), requestId: id });
    return undefined;
  }
  const { query, key } = arrival;
  if (key !== undefined) {
    const { clock, keyMeter } = options.parts;
    tellLimits(response, keyMeter, { key, dialect: dialectOf(path), nowEpochMs: clock.epochMs() });
  }
  return { id, path, query, flow, key };
}

/** For every path but those of the control plane. */
export function serve(
  options: ReceptionOptions,
  request: ClientRequest,
  response: ClientResponse,
  { id, path, query, flow, key }: Admitted,
): void {
  if (options.authenticator().required) allowReading(request, response);
  const loop = findLoop(request.rawHeaders, options.parts.signature);
  if (loop !== undefined) {
    recordRefusal(options, request, { id, path, flow }, { error: loop, outcome: 'rejected_other' });
    const accept = headerValue(request.rawHeaders, 'accept');
    sendError(response, { error: loop, dialect: dialectOf(path), requestId: id, accept });
    return;
  }
  if (answerListing(options.parts, { request, response, path, requestId: id, key })) return;
  const kept = { request, response, path, query, flow, requestId: id };
  if (answerKept(options.parts, kept)) return;
  if (answerRoot(request, response, { path, requestId: id })) return;
  const asked = askedOf(request, { path, query });
  const destination = findDestination(options.parts, asked);
  if (destination.kind !== 'engine') {
    answerHere(response, { destination, requestId: id, accept: asked.accept });
    return;
  }
  // What needs a place in the queue is refused there.
  if (destination.route.name === 'other' && options.draining()) {
    sendError(response, { error: shuttingDown(), dialect: destination.route.dialect, requestId: id });
    return;
  }
  const { route, url, modelInPath } = destination;
  const inbound = {
    request,
    response,
    id,
    route,
    path: destination.path,
    query,
    flow,
    key,
    url,
    modelInPath,
  };
  beginExchange(options.parts, inbound);
}

export function askedOf(
  { method, rawHeaders }: ClientRequest,
  { path, query }: Pick<Arrival, 'path' | 'query'>,
): Asked {
  return { method, path, query, accept: headerValue(rawHeaders, 'accept') };
}

/** Guesses of keys must show in the log and in the metrics. */
export function unauthorized(
  options: ReceptionOptions,
  request: ClientRequest,
  { id, path }: Pick<Arrival, 'id' | 'path'>,
): LlameroError {
  const expired = options.authenticator().findExpired(request.rawHeaders);
  const error = new LlameroError(
    'unauthorized',
    expired === undefined ? 'Missing or wrong API key' : expiry(expired),
  );
  const flow = request.remoteAddress ?? 'unknown';
  recordRefusal(options, request, { id, path, flow }, { error, outcome: 'rejected_unauthorized' });
  return error;
}

/** Why a request must not pass that calls the router by a stranger's name; undefined = it may. */
function foreignHost(
  options: ReceptionOptions,
  request: ClientRequest,
  { id, path, flow = 'unknown' }: Arrival,
): LlameroError | undefined {
  if (options.authenticator().required) return undefined;
  const error = findForeignHost(request.rawHeaders, options.parts.config());
  if (error !== undefined) {
    recordRefusal(options, request, { id, path, flow }, { error, outcome: 'rejected_other' });
  }
  return error;
}

/** A refusal at the door shows in the log and in the metrics. */
export function recordRefusal(
  { parts }: ReceptionOptions,
  { method }: ClientRequest,
  { id, path, flow }: Omit<Admitted, 'query' | 'key'>,
  { error, outcome }: { readonly error: LlameroError; readonly outcome: Outcome },
): void {
  const head = { id, route: matchRoute(method, path).name, method, path, flow };
  const record = parts.requests.open(head, () => {});
  parts.requests.finish(record, { outcome, status: error.status, errorCode: error.code });
}

function expiry({ name, expiresEpochMs }: KeyRules): string {
  return `The API key '${name}' has expired (${new Date(expiresEpochMs).toISOString()})`;
}

export function shuttingDown(): LlameroError {
  return new LlameroError('shutting_down', 'The router is shutting down', { retryAfterS: 5 });
}

/** Origin form and absolute form of a request target. */
export function splitTarget(target: string): { path: string; query: string } {
  const local = target.startsWith('/') ? target : target.replace(/^[a-z]+:\/\/[^/?]*/i, '');
  const mark = local.indexOf('?');
  return mark === -1
    ? { path: local, query: '' }
    : { path: local.slice(0, mark), query: local.slice(mark + 1) };
}

interface HereAnswer {
  readonly destination: Exclude<Destination, { kind: 'engine' }>;
  readonly requestId: string;
  readonly accept: string | undefined;
}

/** A destination that is no engine. */
function answerHere(response: ClientResponse, { destination, requestId, accept }: HereAnswer): void {
  if (destination.kind === 'redirect') {
    sendAway(response, destination.location, destination.status);
    return;
  }
  const { error, allow, isApi } = destination;
  const headers = allow === undefined ? [] : ['allow', allow];
  const dialect = dialectOf(destination.path);
  sendError(response, { error, dialect, requestId, headers, accept: isApi ? undefined : accept });
}

function sendAway(response: ClientResponse, location: string, status: number): void {
  response.writeHead(status, ['location', location, 'content-length', '0']);
  response.end();
}
