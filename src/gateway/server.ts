/**
 * The listening side: accepts connections, knows who calls, and hands each request to the control plane, the model
 * listing or an exchange. Holds no request state itself.
 */
import { randomUUID } from 'node:crypto';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Duplex } from 'node:stream';
import { LlameroError } from '../domain/errors.ts';
import type { Authenticator } from './auth.ts';
import { answerListing } from './answer-listing.ts';
import { ClientConnections } from './client-connections.ts';
import { answerClientError, refuseConnection } from './client-error.ts';
import { allowReading, answerPreflight, isPreflight } from './cors.ts';
import { findDestination, findOpenRedirect, type Asked, type Destination } from './destination.ts';
import { sendError } from './error-response.ts';
import { Exchange } from './exchange.ts';
import type { GatewayParts } from './gateway.ts';
import { dialectOf, matchRoute } from './routes.ts';
import { namesWebSocket } from './upgrade-header.ts';
import { passUpgrade, refuseUpgrade } from './upgrade.ts';

/** Longer than the idle time of common client pools, so that the client closes first and no request meets a closing socket. */
const keepAliveTimeoutMs = 75_000;
/** How often connections are looked at that take too long to send a request. */
const slownessCheckMs = 1000;
const headTimeoutMsMax = 60_000;

export interface ServerOptions {
  readonly parts: GatewayParts;
  readonly authenticator: () => Authenticator;
  /** Serves the paths of the control plane; gets the request after authentication. */
  readonly control: RequestListener;
  /** True for paths that `control` serves. */
  readonly isControlPath: (path: string) => boolean;
  /** True for paths that need no key. */
  readonly isOpenPath: (path: string) => boolean;
  /** True while only running requests are finished: answers then close their connections. */
  readonly draining: () => boolean;
  /** A connection beyond `limits.connections` was turned away. */
  readonly onRefusedConnection: () => void;
}

export interface GatewayServer {
  /** One node:http server; listening on several addresses takes several. Once closed it ends a connection after its answer. */
  create(): Server;
  /** Resolves when the clients have been sent all of their answers, or after `msMax`. */
  flushed(msMax: number): Promise<void>;
}

/** A caller who may pass, and where it wants to go. */
interface Admitted {
  readonly id: string;
  readonly path: string;
  readonly query: string;
  readonly flow: string;
}

export function createGatewayServer(options: ServerOptions): GatewayServer {
  const connections = new ClientConnections();
  return {
    create() {
      const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
        connections.asked(request, response);
        if (!server.listening || options.draining()) response.setHeader('connection', 'close');
        handle(options, request, response);
      };
      const server = createServer(
        {
          maxHeaderSize: options.parts.config().limits.header,
          keepAliveTimeout: keepAliveTimeoutMs,
          noDelay: true,
          connectionsCheckingInterval: slownessCheckMs,
          shouldUpgradeCallback: (request) => isWebSocket(options, request),
        },
        onRequest,
      );
      server.on('connection', (socket) => {
        connections.opened(socket);
        const { limits } = options.parts.config();
        limitSlowness(server, limits.bodyTimeout);
        if (connections.size <= limits.connections) return;
        options.onRefusedConnection();
        refuseConnection(socket, limits.connections);
      });
      server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
        // A client that is refused now sends no body; what it sends next could be taken for one.
        if (mayContinue(options, request)) response.writeContinue();
        else response.setHeader('connection', 'close');
        onRequest(request, response);
      });
      server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) =>
        answerClientError(error, socket, connections.latest(socket)),
      );
      server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
        upgrade(options, request, { socket, head }),
      );
      return server;
    },
    flushed: (msMax) => connections.flushed(msMax),
  };
}

/** Set again with each connection, for a reload may have changed it. */
function limitSlowness(server: Server, bodyTimeoutMs: number): void {
  server.requestTimeout = bodyTimeoutMs;
  server.headersTimeout = Math.min(bodyTimeoutMs, headTimeoutMsMax);
}

/**
 * Other protocols that a client offers to change to (Java's HTTP client offers `h2c` with every request) are ignored, as
 * RFC 9110 §7.8 allows; so is any change on the control plane's paths.
 */
function isWebSocket(options: ServerOptions, { method, url = '/', headers }: IncomingMessage): boolean {
  if (method !== 'GET' || !namesWebSocket(headers.upgrade)) return false;
  return !options.isControlPath(splitTarget(url).path);
}

function mayContinue(options: ServerOptions, request: IncomingMessage): boolean {
  const declared = Number(request.headers['content-length'] ?? 0);
  return declared <= options.parts.config().limits.body && admit(options, request).flow !== undefined;
}

function handle(options: ServerOptions, request: IncomingMessage, response: ServerResponse): void {
  const admitted = admit(options, request);
  const { id, path, query } = admitted;
  const keysRequired = options.authenticator().required;
  if (isPreflight(request) && !options.isControlPath(path)) {
    answerPreflight(request, response, { keysRequired });
    return;
  }
  const asked = askedOf(request, admitted);
  const open = findOpenRedirect(options.parts.fleet, asked);
  if (open !== undefined) {
    sendAway(response, open.location, open.status);
    return;
  }
  if (admitted.flow === undefined) {
    const error = unauthorized(options, request, admitted);
    const { accept } = asked;
    sendError(response, { error, dialect: dialectOf(path), requestId: id, accept });
    return;
  }
  if (options.isControlPath(path)) {
    response.setHeader('x-request-id', id);
    options.control(request, response);
    return;
  }
  if (keysRequired) allowReading(request, response);
  if (answerListing(options.parts, { request, response, path, requestId: id })) return;
  const destination = findDestination(options.parts, asked);
  if (destination.kind !== 'engine') {
    answerHere(request, response, { destination, requestId: id });
    return;
  }
  // What needs a place in the queue is refused there.
  if (destination.route.name === 'other' && options.draining()) {
    sendError(response, { error: shuttingDown(), dialect: destination.route.dialect, requestId: id });
    return;
  }
  new Exchange(options.parts, { ...destination, request, response, id, query, flow: admitted.flow }).start();
}

function askedOf(
  { method = 'GET', headers }: IncomingMessage,
  { path, query }: Pick<Admitted, 'path' | 'query'>,
): Asked {
  return { method, path, query, accept: headers.accept };
}

/** A destination that is no engine. */
function answerHere(
  { headers: { accept } }: IncomingMessage,
  response: ServerResponse,
  { destination, requestId }: { destination: Exclude<Destination, { kind: 'engine' }>; requestId: string },
): void {
  if (destination.kind === 'redirect') {
    sendAway(response, destination.location, destination.status);
    return;
  }
  const { error, allow, isApi } = destination;
  const headers = allow === undefined ? [] : ['allow', allow];
  const dialect = dialectOf(destination.path);
  sendError(response, { error, dialect, requestId, headers, accept: isApi ? undefined : accept });
}

function sendAway(response: ServerResponse, location: string, status: number): void {
  response.writeHead(status, { location, 'content-length': 0 });
  response.end();
}

function upgrade(
  options: ServerOptions,
  request: IncomingMessage,
  { socket, head }: { readonly socket: Duplex; readonly head: Buffer },
): void {
  const admitted = admit(options, request);
  if (admitted.flow === undefined) {
    const { path, id } = admitted;
    refuseUpgrade({ socket, path, id }, unauthorized(options, request, admitted));
    return;
  }
  const { id, path, query, flow } = admitted;
  const destination = options.draining()
    ? undefined
    : findDestination(options.parts, askedOf(request, admitted));
  if (destination === undefined) refuseUpgrade({ socket, path, id }, shuttingDown());
  else if (destination.kind === 'refusal') refuseUpgrade({ socket, path, id }, destination.error);
  else if (destination.kind === 'redirect') {
    refuseUpgrade({ socket, path, id }, new LlameroError('not_found', `No WebSocket at '${path}'`));
  } else {
    const { url, modelInPath } = destination;
    passUpgrade(options.parts, { request, socket, head, id, path, query, flow, url, modelInPath });
  }
}

function shuttingDown(): LlameroError {
  return new LlameroError('shutting_down', 'The router is shutting down', { retryAfterS: 5 });
}

/** Guesses of keys must show in the log and in the metrics. */
function unauthorized(
  { parts }: ServerOptions,
  request: IncomingMessage,
  { id, path }: Pick<Admitted, 'id' | 'path'>,
): LlameroError {
  const error = new LlameroError('unauthorized', 'Missing or wrong API key');
  const { method = 'GET' } = request;
  const flow = request.socket.remoteAddress ?? 'unknown';
  const record = parts.requests.open(
    { id, route: matchRoute(method, path).name, method, path, flow },
    () => {},
  );
  const { status, code } = error;
  parts.requests.finish(record, { outcome: 'rejected_unauthorized', status, errorCode: code });
  return error;
}

/** `flow` is undefined for a caller who must not pass. */
function admit(
  options: ServerOptions,
  request: IncomingMessage,
): Omit<Admitted, 'flow'> & { readonly flow: string | undefined } {
  const { path, query } = splitTarget(request.url ?? '/');
  const authenticator = options.authenticator();
  const known = authenticator.required ? authenticator.identify(request.headers) : undefined;
  const mayPass = !authenticator.required || known !== undefined || options.isOpenPath(path);
  const flow = mayPass ? (known ?? request.socket.remoteAddress ?? 'unknown') : undefined;
  return { id: randomUUID(), path, query, flow };
}

/** Origin form and absolute form of a request target. */
function splitTarget(target: string): { path: string; query: string } {
  const local = target.startsWith('/') ? target : target.replace(/^[a-z]+:\/\/[^/?]*/i, '');
  const mark = local.indexOf('?');
  return mark === -1
    ? { path: local, query: '' }
    : { path: local.slice(0, mark), query: local.slice(mark + 1) };
}
