/**
 * Another server as a backend: what the configuration says of it (names, key, edits) joined with what its probes tell
 * (health, which of its models are loaded). Offers the configured models and no others.
 */
import type { ResolvedPeer } from '../config/models.ts';
import { qualifiedName } from '../config/names.ts';
import { configSchema, type BackendConfig } from '../config/schema.ts';
import { errorTable } from '../domain/errors.ts';
import type { BackendView } from '../domain/backend-view.ts';
import type { BackendId, ModelName } from '../domain/ids.ts';
import { sharedRouteNames } from '../domain/routes.ts';
import type { Backend, ProbeStatus, RequestEdits } from '../engines/backend.ts';
import type { EngineKind } from '../engines/engine-kind.ts';
import { engineKinds } from '../engines/kinds/index.ts';
import { connectTimeoutMs, idleTimeoutMs } from './connection-times.ts';

/** How many requests a peer takes is its own affair: it has a queue, or says 429. */
const peerSlots = 32;
/** A peer that answers with less blames one of its models or the request, not itself. */
const gatewayStatusMin = 502;
/** Routers that form a circle are as healthy as any. */
const loopStatus = errorTable.loop_detected.status;

export class PeerBackend implements Backend {
  readonly isPeer = true;
  readonly id: BackendId;
  readonly config: BackendConfig;
  readonly url: URL;
  readonly kind: EngineKind;
  readonly #watched: Backend;
  #peer: ResolvedPeer;
  /** By the name that clients use (`PEER/MODEL`): the peer's own. */
  #models: ReadonlyMap<ModelName, ModelName>;
  #view: BackendView;

  /** `watched`: the same server under probes. */
  constructor(peer: ResolvedPeer, watched: Backend) {
    this.id = watched.id;
    this.config = watched.config;
    this.url = watched.url;
    this.kind = peerKind(peer);
    this.#watched = watched;
    this.#peer = peer;
    this.#models = modelsOf(peer);
    this.#view = this.#compose();
  }

  get peer(): ResolvedPeer {
    return this.#peer;
  }

  /** What may change without being another server or another way to it: models and filters. */
  set peer(peer: ResolvedPeer) {
    this.#peer = peer;
    this.#models = modelsOf(peer);
  }

  get watched(): Backend {
    return this.#watched;
  }

  get view(): BackendView {
    return this.#view;
  }

  get probe(): ProbeStatus {
    return this.#watched.probe;
  }

  get version(): string | undefined {
    return this.#watched.version;
  }

  get modelObjects(): ReadonlyMap<string, Readonly<Record<string, unknown>>> {
    const objects = new Map<string, Readonly<Record<string, unknown>>>();
    for (const [name, own] of this.#models) {
      const object = this.#watched.modelObjects.get(own);
      if (object !== undefined) objects.set(name, object);
    }
    return objects;
  }

  editsFor(model: ModelName): RequestEdits {
    return { model: this.#models.get(model), filters: this.#peer.filters };
  }

  /** Puts the view together again; returns it. */
  refresh(): BackendView {
    this.#view = this.#compose();
    return this.#view;
  }

  #compose(): BackendView {
    const names = [...this.#models.keys()];
    const objects = this.modelObjects;
    return {
      ...this.#watched.view,
      models: new Map(names.map((name) => [name, name])),
      loaded: new Set(names.filter((name) => isLoaded(objects.get(name)))),
      contextTokens: new Map(),
    };
  }
}

/** The id of a peer among all backends: no name in `backends` can have a colon. */
export function peerBackendId(peer: string): BackendId {
  return `peer:${peer}`;
}

/** A peer as if it stood under `backends`, for its probes and connections. */
export function peerBackendConfig({ proxy, apiKey, timeouts, wording }: ResolvedPeer): BackendConfig {
  const key = apiKey === undefined ? {} : { apiKey };
  const { backends } = configSchema.parse({
    backends: { peer: { url: proxy, engine: 'openai', slots: peerSlots, ...key } },
  });
  const [config] = Object.values(backends);
  if (config === undefined) throw new Error('a backend of one was parsed to none');
  return {
    ...config,
    ...wording,
    timeouts: {
      connect: connectTimeoutMs(proxy, timeouts),
      firstByte: timeouts.responseHeaderMs,
      idle: 0,
      keepalive: timeouts.keepaliveMs,
      expectContinue: timeouts.expectContinueMs,
    },
  };
}

/** Whether two definitions are the same server, reached in the same way. */
export function isSamePeer(one: ResolvedPeer, other: ResolvedPeer): boolean {
  const way = ({ proxy, apiKey, timeouts, wording }: ResolvedPeer) =>
    JSON.stringify([proxy, apiKey, timeouts, wording]);
  return way(one) === way(other);
}

function modelsOf({ id, models }: ResolvedPeer): ReadonlyMap<ModelName, ModelName> {
  return new Map(models.map((model) => [qualifiedName(id, model), model]));
}

/** The user has said what it serves; which routes it has is not for us to doubt. Who the client is, is not for it to know. */
function peerKind({ timeouts }: ResolvedPeer): EngineKind {
  const { openai } = engineKinds;
  return {
    ...openai,
    routes: new Set(sharedRouteNames),
    socketIdleMsMax: idleTimeoutMs(openai.socketIdleMsMax, timeouts),
    headersWithheld: ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip'],
    blamesClient: (status) => status < gatewayStatusMin || status === loopStatus,
  };
}

/** llama-swap and Llamero tell it in their lists; of others it is not known. */
function isLoaded(object: Readonly<Record<string, unknown>> | undefined): boolean {
  const status = object?.['status'];
  return typeof status === 'object' && status !== null && 'value' in status && status.value === 'loaded';
}
