/** Where and how to send to a backend. The same target object as long as the backend's kind and configuration are. */
import type { BackendConfig } from '../config/schema.ts';
import type { Backend } from '../engines/backend.ts';
import type { EngineKind } from '../engines/engine-kind.ts';
import type { UpstreamTarget } from './upstream.ts';

interface Known {
  readonly kind: EngineKind;
  readonly config: BackendConfig;
  readonly target: UpstreamTarget;
}

const known = new WeakMap<Backend, Known>();

export function targetOf(backend: Backend): UpstreamTarget {
  const found = known.get(backend);
  const { kind, config } = backend;
  if (found !== undefined && found.kind === kind && found.config === config) return found.target;
  const target: UpstreamTarget = {
    id: backend.id,
    url: backend.url,
    connectTimeoutMs: config.timeouts.connect,
    probeAfterMs: config.timeouts.keepalive,
    continueWaitMs: config.timeouts.expectContinue,
    firstByteTimeoutMs: config.timeouts.firstByte,
    idleTimeoutMs: config.timeouts.idle,
    socketIdleMsMax: kind.socketIdleMsMax,
    socketEndsWithStream: kind.socketEndsWithStream,
  };
  known.set(backend, { kind, config, target });
  return target;
}

/** The request target as the backend must see it: its base path before the client's own path and query, nothing decoded. */
export function upstreamPath(backend: Backend, received: string): string {
  const base = backend.url.pathname.replace(/\/+$/, '');
  const local = received.startsWith('/') ? received : received.replace(/^[a-z]+:\/\/[^/?]*/i, '');
  return base + (local.startsWith('/') ? local : `/${local}`);
}
