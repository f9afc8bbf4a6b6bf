/**
 * All peers: probes them, knows which of them are alive, and tells of every change. Takes over a changed configuration
 * without touching what stayed the same.
 */
import type { Clock } from '../base/clock.ts';
import type { ResolvedPeer } from '../config/models.ts';
import type { Config } from '../config/schema.ts';
import type { BackendId } from '../domain/ids.ts';
import type { BackendListener } from '../engines/backend.ts';
import { sameView } from '../engines/compose-view.ts';
import { createBackendRegistry, type ConfigurableRegistry } from '../engines/registry.ts';
import type { BackendLog } from '../engines/watch-context.ts';
import { isSamePeer, PeerBackend, peerBackendConfig, peerBackendId } from './peer-backend.ts';

export interface PeerFleetOptions {
  readonly clock: Clock;
  readonly log: BackendLog;
  readonly probes: Config['probes'];
  readonly listener: BackendListener;
}

/** A peer may be far away, and its model list long: it is asked more rarely than an engine. */
const intervalFactor = 15;
/** Every peer has its slots configured; the registry wants to know nevertheless. */
const defaults = { slots: 1, modelsMax: undefined };

export class PeerFleet {
  readonly #listener: BackendListener;
  readonly #registry: ConfigurableRegistry;
  #peers: ReadonlyMap<BackendId, ResolvedPeer> = new Map();
  #backends = new Map<BackendId, PeerBackend>();

  constructor({ clock, log, probes, listener }: PeerFleetOptions) {
    this.#listener = listener;
    this.#registry = createBackendRegistry({
      probes: rarer(probes),
      defaults,
      clock,
      log,
      listener: {
        backendChanged: ({ id }) => this.#probed(id),
        backendRemoved: (id) => {
          this.#backends.delete(id);
          listener.backendRemoved(id);
        },
      },
    });
  }

  get(id: BackendId): PeerBackend | undefined {
    return this.#backends.get(id);
  }

  list(): readonly PeerBackend[] {
    return [...this.#backends.values()];
  }

  /** Takes over a new set of peers. */
  apply(peers: ReadonlyMap<string, ResolvedPeer>): void {
    this.#peers = new Map([...peers.values()].map((peer) => [peerBackendId(peer.id), peer]));
    this.#registry.apply(
      Object.fromEntries([...this.#peers].map(([id, peer]) => [id, peerBackendConfig(peer)])),
    );
    for (const id of this.#peers.keys()) this.#probed(id);
    // In the order of the file, whatever came first.
    this.#backends = new Map([...this.#peers.keys()].flatMap((id) => entryOf(this.#backends, id)));
  }

  /** Takes over new probe settings. */
  configure(probes: Config['probes']): void {
    this.#registry.configure(rarer(probes), defaults);
  }

  /** A request failed or succeeded there, or somebody wants to know now; as for any backend. */
  get probes(): Pick<
    ConfigurableRegistry,
    'reportFailure' | 'reportSuccess' | 'probeNow' | 'probed' | 'setDraining'
  > {
    return this.#registry;
  }

  async close(): Promise<void> {
    await this.#registry.close();
  }

  #probed(id: BackendId): void {
    const peer = this.#peers.get(id);
    const watched = this.#registry.get(id);
    if (peer === undefined || watched === undefined) return;
    const known = this.#backends.get(id);
    if (known === undefined || known.watched !== watched || !isSamePeer(known.peer, peer)) {
      const backend = new PeerBackend(peer, watched);
      this.#backends.set(id, backend);
      this.#listener.backendChanged(backend.view);
      return;
    }
    known.peer = peer;
    const before = known.view;
    const view = known.refresh();
    if (!sameView(before, view)) this.#listener.backendChanged(view);
  }
}

function rarer(probes: Config['probes']): Config['probes'] {
  return { ...probes, interval: probes.interval * intervalFactor };
}

function entryOf(
  backends: ReadonlyMap<BackendId, PeerBackend>,
  id: BackendId,
): readonly (readonly [BackendId, PeerBackend])[] {
  const backend = backends.get(id);
  return backend === undefined ? [] : [[id, backend]];
}
