/** The listening side: accepts connections and hands their requests to the reception or, past it, to the control plane. */
import {
  type IncomingMessage,
  type Server,
  type ServerOptions as HttpOptions,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer, Server as TlsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import type { TlsOptions } from 'node:tls';
import type { Config } from '../config/schema.ts';
import { tlsVersionMin, type TlsIdentity } from '../config/tls-files.ts';
import { includesAccess, type AdminAccess } from '../domain/admin-access.ts';
import { LlameroError } from '../domain/errors.ts';
import type { KeyRules } from '../keys/key-rules.ts';
import { ClientConnections } from './client-connections.ts';
import { answerClientError, answerSlowness, refuseConnection } from './client-error.ts';
import { findDestination } from './destination.ts';
import { findDotSegment } from './dot-segments.ts';
import { sendError } from './error-response.ts';
import type { PlainOptions } from './http1-server/plain-connections.ts';
import { PlainFirstServer } from './http1-server/server.ts';
import { findLoop } from './loop-guard.ts';
import { NodeRequest, NodeResponse } from './node-client.ts';
import { isSurfacePath } from './ollama/surface.ts';
import {
  admit,
  askedOf,
  receive,
  recordRefusal,
  serve,
  shuttingDown,
  splitTarget,
  unauthorized,
  type Admitted,
  type ReceptionOptions,
} from './reception.ts';
import { findForeignHost, findForeignSocket } from './site-guard.ts';
import { namesWebSocket } from './upgrade-header.ts';
import { passUpgrade, refuseUpgrade } from './upgrade.ts';

/** Longer than the idle time of common client pools, so that the client closes first and no request meets a closing socket. */
const keepAliveTimeoutMs = 75_000;
/** How often connections are looked at that take too long to send a request. */
const slownessCheckMs = 1000;
const headTimeoutMsMax = 60_000;
const handshakeMsMax = 10_000;

export interface ServerOptions extends ReceptionOptions {
  /** Serves the paths of the control plane; gets the request after authentication, with the caller's key. */
  readonly control: (request: IncomingMessage, response: ServerResponse, key: KeyRules | undefined) => void;
  /** What a key needs for a path of the control plane. */
  readonly accessNeeded: (method: string, path: string) => AdminAccess;
  /** What servers made from now on show to clients; undefined = they speak plain HTTP. */
  readonly tls: () => TlsIdentity | undefined;
  /** A connection beyond `limits.connections` was turned away. */
  readonly onRefusedConnection: () => void;
}

export interface GatewayServer {
  /** One server of node:http or node:https; listening on several addresses takes several. Once closed it ends a connection after its answer. */
  create(): Server;
  /** Shows new connections another certificate, where TLS is spoken. */
  renew(identity: TlsIdentity): void;
  /** Open client connections. */
  readonly connectionCount: number;
  /** Resolves when the clients have been sent all of their answers, or after `msMax`. */
  flushed(msMax: number): Promise<void>;
}

export function createGatewayServer(options: ServerOptions): GatewayServer {
  const connections = new ClientConnections();
  const tlsServers = new Set<TlsServer>();
  return {
    create() {
      const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
        connections.asked(request, response);
        if (closing()) response.setHeader('connection', 'close');
        handle(options, request, response);
      };
      const settings: HttpOptions = {
        maxHeaderSize: options.parts.config().limits.header,
        keepAliveTimeout: keepAliveTimeoutMs,
        noDelay: true,
        connectionsCheckingInterval: slownessCheckMs,
        shouldUpgradeCallback: (request) => isWebSocket(options, request),
      };
      const identity = options.tls();
      const closing = (): boolean => !server.listening || options.draining();
      const server =
        identity === undefined
          ? new PlainFirstServer(settings, plainOptions(options, closing), onRequest)
          : createTlsServer({ ...settings, ...tlsSettings(identity) }, onRequest);
      if (server instanceof TlsServer) keepWhileOpen(tlsServers, server);
      else server.once('close', connections.include(server));
      server.on('connection', (socket) => {
        connections.opened(socket);
        const { limits } = options.parts.config();
        limitSlowness(server, limits.bodyTimeout);
        if (connections.size <= limits.connections) return;
        options.onRefusedConnection();
        // Saying so under TLS would take a handshake for each one too many.
        if (identity === undefined) refuseConnection(socket, limits.connections);
        else socket.destroy();
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
    renew(identity) {
      for (const server of tlsServers) server.setSecureContext(tlsSettings(identity));
    },
    get connectionCount() {
      return connections.size;
    },
    flushed: (msMax) => connections.flushed(msMax),
  };
}

/** Clients that offer HTTP/2 as well are told that it is HTTP/1.1 here. */
function tlsSettings({ cert, key }: TlsIdentity): TlsOptions {
  return {
    cert,
    key,
    minVersion: tlsVersionMin,
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout: handshakeMsMax,
  };
}

function keepWhileOpen(servers: Set<TlsServer>, server: TlsServer): void {
  servers.add(server);
  server.once('close', () => servers.delete(server));
}

function plainOptions(options: ServerOptions, closing: () => boolean): Omit<PlainOptions, 'handOver'> {
  const limits = (): Config['limits'] => options.parts.config().limits;
  return {
    headBytesMax: () => limits().header,
    limits: () => ({
      firstByteMs: headTimeoutMs(limits().bodyTimeout),
      wholeRequestMs: limits().bodyTimeout,
      idleMs: keepAliveTimeoutMs,
    }),
    keepAliveS: keepAliveTimeoutMs / 1000,
    takes: (url) => !options.isControlPath(splitTarget(url).path),
    closing,
    onRequest(request, response) {
      const admitted = receive(options, request, response);
      if (admitted !== undefined) serve(options, request, response, admitted);
    },
    onSlow: answerSlowness,
  };
}

/** Set again with each connection, for a reload may have changed it. */
function limitSlowness(server: Server, bodyTimeoutMs: number): void {
  server.requestTimeout = bodyTimeoutMs;
  server.headersTimeout = headTimeoutMs(bodyTimeoutMs);
}

function headTimeoutMs(bodyTimeoutMs: number): number {
  return Math.min(bodyTimeoutMs, headTimeoutMsMax);
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
  return (
    declared <= options.parts.config().limits.body &&
    admit(options, new NodeRequest(request)).flow !== undefined
  );
}

function handle(options: ServerOptions, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const request = new NodeRequest(incoming);
  const response = new NodeResponse(incoming, outgoing);
  const admitted = receive(options, request, response);
  if (admitted === undefined) return;
  if (!options.isControlPath(admitted.path)) {
    serve(options, request, response, admitted);
    return;
  }
  if (refuseAdmin(options, request, response, admitted)) return;
  outgoing.setHeader('x-request-id', admitted.id);
  options.control(incoming, outgoing, admitted.key);
}

/** True when the caller's key does not open the path; then it has been told. */
function refuseAdmin(
  options: ServerOptions,
  request: NodeRequest,
  response: NodeResponse,
  { id, path, flow, key }: Admitted,
): boolean {
  const { method } = request;
  const needed = options.accessNeeded(method, path);
  if (key === undefined || includesAccess(key.admin, needed)) return false;
  const error = new LlameroError(
    'admin_not_allowed',
    `${method} ${path} takes a key with admin '${needed}', and that of '${key.name}' is '${key.admin}'`,
  );
  recordRefusal(options, request, { id, path, flow }, { error, outcome: 'rejected_other' });
  const dialect = isSurfacePath(path) ? 'ollama' : 'openai';
  sendError(response, { error, dialect, requestId: id });
  return true;
}

/** Why a WebSocket must not be opened that a page of another site may have asked for; undefined = it may. */
function foreignCaller(options: ServerOptions, { rawHeaders }: NodeRequest): LlameroError | undefined {
  if (options.authenticator().required) return undefined;
  return findForeignHost(rawHeaders, options.parts.config()) ?? findForeignSocket(rawHeaders);
}

function upgrade(
  options: ServerOptions,
  incoming: IncomingMessage,
  { socket, head }: { readonly socket: Duplex; readonly head: Buffer },
): void {
  const request = new NodeRequest(incoming);
  const admitted = admit(options, request);
  if (admitted.flow === undefined) {
    const { path, id } = admitted;
    refuseUpgrade({ socket, path, id }, unauthorized(options, request, admitted));
    return;
  }
  const { id, path, query, flow, key } = admitted;
  const refused =
    findDotSegment(path) ??
    findLoop(request.rawHeaders, options.parts.signature) ??
    foreignCaller(options, request);
  if (refused !== undefined) {
    recordRefusal(options, request, { id, path, flow }, { error: refused, outcome: 'rejected_other' });
    refuseUpgrade({ socket, path, id }, refused);
    return;
  }
  const destination = options.draining()
    ? undefined
    : findDestination(options.parts, askedOf(request, admitted));
  if (destination === undefined) refuseUpgrade({ socket, path, id }, shuttingDown());
  else if (destination.kind === 'refusal') refuseUpgrade({ socket, path, id }, destination.error);
  else if (destination.kind === 'redirect') {
    refuseUpgrade({ socket, path, id }, new LlameroError('not_found', `No WebSocket at '${path}'`));
  } else {
    const { url, modelInPath } = destination;
    passUpgrade(options.parts, { request, socket, head, id, path, query, flow, key, url, modelInPath });
  }
}
