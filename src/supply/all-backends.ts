/** Backends of the configuration and processes of our own as one directory: each report goes to whoever watches. */
import type { BackendId } from '../domain/ids.ts';
import type { Backend, BackendDirectory, BackendFailure } from '../engines/backend.ts';
import type { ConfigurableRegistry } from '../engines/registry.ts';
import type { ProcessFleet } from './process-fleet.ts';

export interface BackendSteering extends BackendDirectory {
  /** Takes a backend out of service for new requests, or back in. */
  setDraining(id: BackendId, draining: boolean): void;
}

export function joinBackends(registry: ConfigurableRegistry, processes: ProcessFleet): BackendSteering {
  const watcherOf = (id: BackendId) => (processes.get(id) === undefined ? registry : processes.probes);
  return {
    get: (id: BackendId): Backend | undefined => processes.get(id) ?? registry.get(id),
    list: () => [...registry.list(), ...processes.list()],
    reportFailure: (id: BackendId, failure: BackendFailure) => watcherOf(id).reportFailure(id, failure),
    reportSuccess: (id: BackendId) => watcherOf(id).reportSuccess(id),
    probeNow: (id: BackendId) => watcherOf(id).probeNow(id),
    setDraining: (id: BackendId, draining: boolean) => void watcherOf(id).setDraining(id, draining),
  };
}
