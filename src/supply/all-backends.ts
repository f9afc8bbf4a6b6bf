/** Backends of the configuration, processes of our own and peers as one directory: each report goes to whoever watches. */
import type { BackendId, ModelName } from '../domain/ids.ts';
import type { Backend, BackendDirectory, BackendFailure } from '../engines/backend.ts';
import type { ConfigurableRegistry } from '../engines/registry.ts';
import type { PeerFleet } from './peer-fleet.ts';
import type { ProcessFleet } from './process-fleet.ts';

export interface BackendSteering extends BackendDirectory {
  /** Takes a backend out of service for new requests, or back in. */
  setDraining(id: BackendId, draining: boolean): void;
}

export interface BackendSources {
  readonly registry: ConfigurableRegistry;
  readonly processes: ProcessFleet;
  readonly peers: PeerFleet;
}

export function joinBackends({ registry, processes, peers }: BackendSources): BackendSteering {
  const watcherOf = (id: BackendId) => {
    if (processes.get(id) !== undefined) return processes.probes;
    return peers.get(id) === undefined ? registry : peers.probes;
  };
  return {
    get: (id: BackendId): Backend | undefined => processes.get(id) ?? registry.get(id) ?? peers.get(id),
    list: () => [...registry.list(), ...processes.list(), ...peers.list()],
    reportFailure: (id: BackendId, failure: BackendFailure, model?: ModelName) =>
      watcherOf(id).reportFailure(id, failure, model),
    reportSuccess: (id: BackendId, model?: ModelName) => watcherOf(id).reportSuccess(id, model),
    probeNow: (id: BackendId) => watcherOf(id).probeNow(id),
    probed: (id: BackendId) => watcherOf(id).probed(id),
    setDraining: (id: BackendId, draining: boolean) => void watcherOf(id).setDraining(id, draining),
  };
}
