/** What llama-swap's `timeouts` of a model or peer come to for the connections to it. Pure. */
import type { ResolvedTimeouts } from '../config/models.ts';

/** No limit asked for: the system's own ends a connection attempt long before. */
const connectMsMax = 3_600_000;

/** Until a connection can be used: opening it and, where there is one, the TLS handshake. */
export function connectTimeoutMs(url: string, { connectMs, tlsHandshakeMs }: ResolvedTimeouts): number {
  const isTls = url.startsWith('https:');
  if (connectMs === 0 || (isTls && tlsHandshakeMs === 0)) return connectMsMax;
  return connectMs + (isTls ? tlsHandshakeMs : 0);
}

/** How long an idle connection is kept; `safeMs`: the longest that this kind of server can be relied on to keep it. */
export function idleTimeoutMs(safeMs: number, { idleConnMs }: ResolvedTimeouts): number {
  return idleConnMs === 0 ? safeMs : Math.min(idleConnMs, safeMs);
}
