/** The client connections that are open, and the answer that each of them is about. Knows nothing of what is said there. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

const checkMs = 10;

/** Connections that know themselves what they are about. */
interface Answering {
  readonly isAnswering: boolean;
}

export class ClientConnections {
  readonly #sockets = new Set<Duplex>();
  /** Those that asked something: under TLS these are not the ones that were opened, but what runs inside them. */
  readonly #asking = new Set<Duplex>();
  readonly #others = new Set<Answering>();
  readonly #latest = new WeakMap<Duplex, ServerResponse>();

  get size(): number {
    return this.#sockets.size;
  }

  opened(socket: Duplex): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  asked({ socket }: IncomingMessage, response: ServerResponse): void {
    this.#latest.set(socket, response);
    if (this.#asking.has(socket)) return;
    this.#asking.add(socket);
    socket.once('close', () => this.#asking.delete(socket));
  }

  /** Counts the answers of `others`, too, when there is something to wait for. Returns the function that ends that. */
  include(others: Answering): () => void {
    this.#others.add(others);
    return () => this.#others.delete(others);
  }

  /** The answer to the last whole request head of a connection. */
  latest(socket: Duplex): ServerResponse | undefined {
    return this.#latest.get(socket);
  }

  /** Resolves when every answer has gone out to its end, to clients that read slowly, too; at the latest after `msMax`. */
  async flushed(msMax: number): Promise<void> {
    const deadlineMs = performance.now() + msMax;
    while (this.#isAnswering() && performance.now() < deadlineMs) {
      await new Promise((resolve) => {
        setTimeout(resolve, checkMs);
      });
    }
  }

  #isAnswering(): boolean {
    for (const others of this.#others) if (others.isAnswering) return true;
    return [...this.#asking].some((socket) => this.#latest.get(socket)?.writableFinished === false);
  }
}
