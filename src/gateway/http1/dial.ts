/** Opens the socket to an engine, plain or TLS. Owns the socket options; what happens on the socket is its caller's. */
import { connect, isIP } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** Begins to connect; `onReady` is called once, later, when bytes can be sent. Failures come as the socket's own events. */
export type Dial = (url: URL, onReady: () => void) => Socket;

/** A host that vanished without a word is noticed even while a long prompt keeps the connection silent. */
const probeAfterMs = 15_000;

export function dialUrl(url: URL, onReady: () => void): Socket {
  const host = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
  const isTls = url.protocol === 'https:';
  const address = {
    host,
    port: url.port === '' ? (isTls ? 443 : 80) : Number(url.port),
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: probeAfterMs,
  };
  if (!isTls) return connect(address, onReady);
  const servername = isIP(host) === 0 ? { servername: host } : {};
  return connectTls({ ...address, ...servername, ALPNProtocols: ['http/1.1'] }, onReady);
}
