/** Opens the socket to an engine, plain or TLS. Owns the socket options; what happens on the socket is its caller's. */
import { connect, isIP } from 'node:net';
import type { OnReadOpts, Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { UpstreamTarget } from '../upstream.ts';

/** The part of a target that opening a socket takes. */
export type DialTarget = Pick<UpstreamTarget, 'url' | 'probeAfterMs'>;

export interface DialEvents {
  /** Called once, later, when bytes can be sent. */
  readonly onReady: () => void;
  /** Gets what comes, to keep, in place of the socket's `data` event; absent = it comes by that. */
  readonly onBytes?: (bytes: Buffer) => void;
}

/** Begins to connect. Failures and the end come as the socket's own events. */
export type Dial = (target: DialTarget, events: DialEvents) => Socket;

/** Go's, which llama-swap's 0 stands for. */
const probeAfterMsUsual = 15_000;
/** Into which all sockets are read, one at a time. */
const readBuffer = Buffer.allocUnsafeSlow(64 * 1024);

export function dialTarget({ url, probeAfterMs }: DialTarget, { onReady, onBytes }: DialEvents): Socket {
  const host = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
  const isTls = url.protocol === 'https:';
  const address = {
    host,
    port: url.port === '' ? (isTls ? 443 : 80) : Number(url.port),
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: probeAfterMs === 0 ? probeAfterMsUsual : probeAfterMs,
  };
  if (!isTls) return connect({ ...address, ...(onBytes && { onread: readInto(onBytes) }) }, onReady);
  const servername = isIP(host) === 0 ? { servername: host } : {};
  const socket = connectTls({ ...address, ...servername, ALPNProtocols: ['http/1.1'] }, onReady);
  return onBytes === undefined ? socket : socket.on('data', onBytes);
}

/** Without this each read takes 64 KB of new memory, gives most of it back and goes through a stream: as dear as to relay a token. */
function readInto(onBytes: (bytes: Buffer) => void): OnReadOpts {
  return {
    buffer: readBuffer,
    callback(count) {
      const bytes = Buffer.allocUnsafe(count);
      readBuffer.copy(bytes, 0, 0, count);
      onBytes(bytes);
      return true;
    },
  };
}
