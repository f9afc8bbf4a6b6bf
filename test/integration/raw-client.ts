/** A client that writes what it likes: for bytes that no HTTP library would send, and for seeing how a connection ends. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { until } from './start-router.ts';

export interface RawClient extends Disposable {
  readonly socket: Socket;
  /** Everything received so far. */
  text(): string;
  /** Waits until the received text matches; fails after ten seconds. */
  receives(pattern: RegExp): Promise<string>;
  /** How the connection ended; undefined = it has not. */
  ended(): 'closed' | 'reset' | undefined;
  /** Waits for the end and gives everything that was received. */
  all(): Promise<string>;
}

export async function connectRaw(url: string): Promise<RawClient> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  let text = '';
  let end: 'closed' | 'reset' | undefined;
  let failed = false;
  socket.setEncoding('latin1');
  socket.on('data', (more: string) => {
    text += more;
  });
  socket.on('error', () => {
    failed = true;
  });
  socket.on('close', () => {
    end = failed ? 'reset' : 'closed';
  });
  await once(socket, 'connect');
  return {
    socket,
    text: () => text,
    async receives(pattern) {
      await until(() => pattern.test(text)).catch(() => {
        throw new Error(`did not receive ${String(pattern)}, but: ${text}`);
      });
      return text;
    },
    ended: () => end,
    async all() {
      await until(() => end !== undefined);
      return text;
    },
    [Symbol.dispose]: () => void socket.destroy(),
  };
}

/** The head and body of a POST with JSON, as text. */
export function rawPost(path: string, body: object | string, headers: readonly string[] = []): string {
  const sent = typeof body === 'string' ? body : JSON.stringify(body);
  const lines = ['Host: router', `Content-Length: ${Buffer.byteLength(sent)}`, ...headers];
  return `POST ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${sent}`;
}
