/**
 * A server of node:http that carries plain requests itself, at a fraction of the cost, and leaves every connection to the
 * library from its first unusual byte on. To its owner it is a server of node:http like any other.
 */
import { Server, type RequestListener, type ServerOptions } from 'node:http';
import type { Socket } from 'node:net';
import { PlainConnections, type PlainOptions } from './plain-connections.ts';

export class PlainFirstServer extends Server {
  readonly #plain: PlainConnections;

  /** `onUnusual` gets the requests that the library reads. */
  constructor(options: ServerOptions, plain: Omit<PlainOptions, 'handOver'>, onUnusual: RequestListener) {
    super(options, onUnusual);
    const library = this.listeners('connection') as ((socket: Socket) => void)[];
    this.removeAllListeners('connection');
    this.#plain = new PlainConnections({
      ...plain,
      handOver: (socket) => {
        for (const listener of library) listener.call(this, socket);
      },
    });
    this.on('connection', (socket: Socket) => this.#plain.accept(socket));
  }

  /** A plain answer is not out to its end. */
  get isAnswering(): boolean {
    return this.#plain.isAnswering;
  }

  override closeIdleConnections(): void {
    super.closeIdleConnections();
    this.#plain.closeIdle();
  }

  override closeAllConnections(): void {
    super.closeAllConnections();
    this.#plain.destroy();
  }
}
