/** The addresses that are open now. Changes them as a whole: what cannot be opened leaves everything as it was. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseListenAddress } from '../config/listen-address.ts';

interface Listener {
  readonly server: Server;
  /** As it is in the configuration; a port 0 there is some other number here. */
  readonly wanted: string;
}

/** A connection whose answer had begun before its address was closed stays open after it; such ones are looked for. */
const idleCheckMs = 1000;

export class Listeners {
  readonly #create: () => Server;
  #listeners: readonly Listener[] = [];
  /** Closed, with connections that have not ended yet. */
  readonly #retired = new Set<Server>();

  constructor(create: () => Server) {
    this.#create = create;
  }

  /** `HOST:PORT` of every open address. */
  addresses(): string[] {
    return this.#listeners.map(({ server }) => formatAddress(server.address() as AddressInfo));
  }

  /** Opens what is new, then closes what is gone (its running requests go on). Rejects if an address cannot be opened. */
  async apply(wanted: readonly string[]): Promise<void> {
    const kept = this.#listeners.filter((listener) => wanted.includes(listener.wanted));
    const added = wanted.filter((address) => !kept.some((listener) => listener.wanted === address));
    const opened: Listener[] = [];
    try {
      for (const address of added) opened.push({ server: await this.#open(address), wanted: address });
    } catch (error) {
      for (const { server } of opened) server.close();
      throw error;
    }
    const gone = this.#listeners.filter((listener) => !kept.includes(listener));
    this.#listeners = [...kept, ...opened];
    for (const { server } of gone) this.#retire(server);
  }

  /** Destroys every connection. */
  destroy(): void {
    for (const server of [...this.#listeners.map((listener) => listener.server), ...this.#retired]) {
      server.close();
      server.closeAllConnections();
    }
    this.#listeners = [];
  }

  /** Stops accepting; idle connections are closed, busy ones after their answer. */
  #retire(server: Server): void {
    this.#retired.add(server);
    const timer = setInterval(() => server.closeIdleConnections(), idleCheckMs).unref();
    server.close(() => {
      clearInterval(timer);
      this.#retired.delete(server);
    });
  }

  #open(address: string): Promise<Server> {
    const { host, port } = parseListenAddress(address);
    const server = this.#create();
    return new Promise((resolve, reject) => {
      const refused = (error: NodeJS.ErrnoException) =>
        reject(new Error(explain(error, address), { cause: error }));
      server.once('error', refused);
      server.listen({ port, ...(host === '' ? {} : { host }), backlog: 1024 }, () => {
        server.off('error', refused);
        resolve(server);
      });
    });
  }
}

function explain(error: NodeJS.ErrnoException, address: string): string {
  if (error.code === 'EADDRINUSE') return `cannot listen on ${address}: another program has the port`;
  if (error.code === 'EACCES') return `cannot listen on ${address}: not permitted`;
  if (error.code === 'EADDRNOTAVAIL') return `cannot listen on ${address}: this machine has no such address`;
  return `cannot listen on ${address}: ${error.message}`;
}

function formatAddress({ address, family, port }: AddressInfo): string {
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
}
