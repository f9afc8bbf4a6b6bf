/** Whether anybody listens at an address: one connection that says nothing. Much cheaper for both sides than a probe. */
import { connect } from 'node:net';

export interface KnockOptions {
  /** Longest wait for the connection. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** False when it is refused, takes too long or is aborted. Never rejects. */
export function knock(url: URL, { timeoutMs, signal }: KnockOptions): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const socket = connect({ host: hostOf(url), port: portOf(url), timeout: timeoutMs });
    const end = (isOpen: boolean): void => {
      signal.removeEventListener('abort', leave);
      socket.destroy();
      resolve(isOpen);
    };
    const leave = (): void => end(false);
    signal.addEventListener('abort', leave);
    socket.once('connect', () => end(true));
    socket.once('timeout', leave);
    socket.once('error', leave);
  });
}

/** An IPv6 address stands in brackets in a URL. */
function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}

function portOf({ port, protocol }: URL): number {
  if (port !== '') return Number(port);
  return protocol === 'https:' ? 443 : 80;
}
