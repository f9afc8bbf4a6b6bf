/** Where and how to send to a backend. One target object per backend and kind, so that its pool survives a reload. */
import type { Backend } from '../engines/backend.ts';
import type { EngineKind } from '../engines/engine-kind.ts';
import type { UpstreamTarget } from './upstream.ts';

interface Known {
  readonly kind: EngineKind;
  readonly target: UpstreamTarget;
}

const known = new WeakMap<Backend, Known>();

export function targetOf(backend: Backend): UpstreamTarget {
  const found = known.get(backend);
  if (found !== undefined && found.kind === backend.kind) return found.target;
  const { kind, config } = backend;
  const target: UpstreamTarget = {
    id: backend.id,
    url: backend.url,
    connectTimeoutMs: config.timeouts.connect,
    firstByteTimeoutMs: config.timeouts.firstByte,
    idleTimeoutMs: config.timeouts.idle,
    socketIdleMsMax: kind.socketIdleMsMax,
    socketRequestsMax: kind.socketRequestsMax,
  };
  known.set(backend, { kind, target });
  return target;
}

/** The request target as the backend must see it: its base path before the client's own path and query, nothing decoded. */
export function upstreamPath(backend: Backend, received: string): string {
  const base = backend.url.pathname.replace(/\/+$/, '');
  const local = received.startsWith('/') ? received : received.replace(/^[a-z]+:\/\/[^/?]*/i, '');
  return base + (local.startsWith('/') ? local : `/${local}`);
}
