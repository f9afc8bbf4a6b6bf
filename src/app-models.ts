/** Loading and unloading models by hand: what the control plane may ask of processes, scheduler and names together. */
import type { ModelControl } from './admin/deps.ts';
import type { ModelsConfig } from './config/models.ts';
import type { ModelName } from './domain/ids.ts';
import type { Dispatcher } from './gateway/dispatcher.ts';
import type { NameResolver } from './gateway/name-resolver.ts';
import type { ManagedProcess } from './process/process-state.ts';
import type { ProcessFleet } from './supply/process-fleet.ts';

export interface ModelControlParts {
  readonly config: () => ModelsConfig;
  readonly processes: ProcessFleet;
  readonly dispatcher: Dispatcher;
  readonly names: NameResolver;
  readonly load: (model: ModelName) => Promise<void>;
}

export function createModelControl({
  config,
  processes,
  dispatcher,
  names,
  load,
}: ModelControlParts): ModelControl {
  return {
    config,
    load,
    stateOf: (model) => processes.get(model)?.process.state.name,
    find(name) {
      const found = names.find(name);
      return found?.kind === 'model' ? found.model : undefined;
    },
    async unload(model) {
      const backend = processes.get(model);
      if (backend === undefined) return;
      // Told first, for the scheduler may unload at once.
      const stopped = untilStopped(backend.process);
      dispatcher.requestUnload(model);
      await stopped;
    },
  };
}

function untilStopped(managed: ManagedProcess): Promise<void> {
  const isStopped = (): boolean => managed.state.name === 'stopped' || managed.state.name === 'failed';
  if (isStopped()) return Promise.resolve();
  return new Promise((resolve) => {
    const unsubscribe = managed.onState(() => {
      if (!isStopped()) return;
      unsubscribe();
      resolve();
    });
  });
}
