/** Hands out TCP ports for children to listen on. Owns which are reserved; a port is handed out once until it is released. */
import { createServer } from 'node:net';

export interface PortPool {
  /** The lowest port from `startPort` that is neither reserved nor in use on this machine. Rejects when none is left. */
  reserve(): Promise<number>;
  /** Gives a port back, after the child that had it is gone. Unknown ports are ignored. */
  release(port: number): void;
}

export interface PortPoolOptions {
  /** First port to hand out; llama-swap's `startPort`, 5800 there. */
  readonly startPort: number;
  /** Last port to hand out. Default 65535. */
  readonly lastPort?: number;
  /** Default `isPortFree`. */
  readonly isFree?: (port: number) => Promise<boolean>;
}

export function createPortPool(options: PortPoolOptions): PortPool {
  const { startPort, lastPort = 65_535, isFree = isPortFree } = options;
  const reserved = new Set<number>();
  return {
    async reserve() {
      for (let port = startPort; port <= lastPort; port += 1) {
        if (reserved.has(port)) continue;
        // Before the check, so that a second caller does not look at the same port meanwhile.
        reserved.add(port);
        if (await isFree(port)) return port;
        reserved.delete(port);
      }
      throw new Error(`No port is free between ${startPort} and ${lastPort}`);
    },
    release(port) {
      reserved.delete(port);
    },
  };
}

/**
 * Whether a program could listen on the port now, on loopback and on every address: a listener on either one of them
 * takes the port away from a child.
 */
export async function isPortFree(port: number): Promise<boolean> {
  for (const host of ['127.0.0.1', '0.0.0.0', '::1', '::']) {
    const problem = await tryListen(port, host);
    // A machine without IPv6 cannot listen there, and neither can a child.
    if (problem === 'EADDRINUSE' || problem === 'EACCES') return false;
  }
  return true;
}

/** The error code, or undefined when listening worked. */
function tryListen(port: number, host: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code ?? 'unknown');
    });
    server.listen({ port, host, exclusive: true }, () => {
      server.close(() => {
        resolve(undefined);
      });
    });
  });
}
