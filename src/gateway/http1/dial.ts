/** Opens the socket to an engine, plain or TLS. Owns the socket options; what happens on the socket is its caller's. */
import { connect, isIP } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { UpstreamTarget } from '../upstream.ts';

/** The part of a target that opening a socket takes. */
export type DialTarget = Pick<UpstreamTarget, 'url' | 'probeAfterMs'>;

/** Begins to connect; `onReady` is called once, later, when bytes can be sent. Failures come as the socket's own events. */
export type Dial = (target: DialTarget, onReady: () => void) => Socket;

/** Go's, which llama-swap's 0 stands for. */
const probeAfterMsUsual = 15_000;

export function dialTarget({ url, probeAfterMs }: DialTarget, onReady: () => void): Socket {
  const host = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
  const isTls = url.protocol === 'https:';
  const address = {
    host,
    port: url.port === '' ? (isTls ? 443 : 80) : Number(url.port),
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: probeAfterMs === 0 ? probeAfterMsUsual : probeAfterMs,
  };
  if (!isTls) return connect(address, onReady);
  const servername = isIP(host) === 0 ? { servername: host } : {};
  return connectTls({ ...address, ...servername, ALPNProtocols: ['http/1.1'] }, onReady);
}
