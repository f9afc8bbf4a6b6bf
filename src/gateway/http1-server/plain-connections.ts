/**
 * The connections that carry plain requests, and their one timer. Owns no listening socket: it is given what was
 * accepted, and gives away what turns out not to be plain.
 */
import type { Socket } from 'node:net';
import { YoungGarbage } from '../../base/young-garbage.ts';
import type { ClientRequest, ClientResponse } from '../client.ts';
import { BodyMemory } from './body-memory.ts';
import { ClientConnection, type ConnectionOwner, type TimeLimits } from './connection.ts';
import type { PlainRequest } from './request.ts';

export interface PlainOptions {
  /** Longer request heads are not plain, bytes. */
  readonly headBytesMax: () => number;
  readonly limits: () => TimeLimits;
  /** What clients are told of how long an idle connection is kept, seconds. */
  readonly keepAliveS: number;
  /** Whether a request for this target is answered here. */
  readonly takes: (url: string) => boolean;
  /** Whether connections end with the answers to their next requests. */
  readonly closing: () => boolean;
  readonly onRequest: (request: ClientRequest, response: ClientResponse) => void;
  /** Gets a socket whose next bytes are no plain request; no answer is under way on it. */
  readonly handOver: (socket: Socket) => void;
  /** Answers a client whose request did not come in time, and ends the socket. */
  readonly onSlow: (socket: Socket) => void;
}

/** Bytes of bodies between two collections; each of them is in about three buffers until it is at the engine. */
const bodyBytesMax = 8 * 1024 * 1024;
/** Coarseness of all limits. */
const tickMs = 1000;

export class PlainConnections implements ConnectionOwner {
  readonly #options: PlainOptions;
  readonly #connections = new Map<ClientConnection, Socket>();
  readonly bodyMemory = new BodyMemory();
  readonly #garbage = new YoungGarbage(bodyBytesMax);
  #timer: NodeJS.Timeout | undefined;

  constructor(options: PlainOptions) {
    this.#options = options;
  }

  /** An answer of one of its connections is not out to its end. */
  get isAnswering(): boolean {
    for (const connection of this.#connections.keys()) if (connection.isAnswering) return true;
    return false;
  }

  accept(socket: Socket): void {
    const { keepAliveS } = this.#options;
    this.#connections.set(new ClientConnection(socket, this, { keepAliveS }), socket);
    this.#timer ??= setInterval(() => this.#tick(), tickMs).unref();
  }

  closeIdle(): void {
    for (const connection of this.#connections.keys()) if (connection.isIdle) connection.destroy();
  }

  destroy(): void {
    for (const connection of this.#connections.keys()) connection.destroy();
  }

  headBytesMax(): number {
    return this.#options.headBytesMax();
  }

  takes(url: string): boolean {
    return this.#options.takes(url);
  }

  closing(): boolean {
    return this.#options.closing();
  }

  request(request: PlainRequest, response: ClientResponse): void {
    this.#garbage.add(request.bodyBytes);
    this.#options.onRequest(request, response);
  }

  handOver(connection: ClientConnection, socket: Socket): void {
    this.closed(connection);
    this.#options.handOver(socket);
  }

  closed(connection: ClientConnection): void {
    this.#connections.delete(connection);
    if (this.#connections.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tick(): void {
    const limits = this.#options.limits();
    for (const [connection, socket] of this.#connections) {
      if (connection.tick(tickMs, limits) === 'slow') this.#options.onSlow(socket);
    }
  }
}
