/** Loading and unloading models by hand: what the control plane may ask of processes, scheduler and names together. */
import type { ModelControl } from './admin/deps.ts';
import type { ModelsConfig } from './config/models.ts';
import type { ModelName } from './domain/ids.ts';
import type { Dispatcher } from './gateway/dispatcher.ts';
import type { NameResolver } from './gateway/name-resolver.ts';
import type { ManagedProcess, ProcessState } from './process/process-state.ts';
import type { ProcessFleet } from './supply/process-fleet.ts';

export interface ModelHandlesParts {
  readonly config: () => ModelsConfig;
  readonly processes: ProcessFleet;
  readonly dispatcher: Dispatcher;
  readonly names: NameResolver;
  readonly load: (model: ModelName) => Promise<void>;
}

export class ModelHandles implements ModelControl {
  readonly config: () => ModelsConfig;
  readonly load: (model: ModelName) => Promise<void>;
  readonly #parts: ModelHandlesParts;
  readonly #listeners = new Set<() => void>();

  constructor(parts: ModelHandlesParts) {
    this.#parts = parts;
    this.config = parts.config;
    this.load = parts.load;
  }

  stateOf(model: ModelName): ProcessState['name'] | undefined {
    return this.#parts.processes.get(model)?.process.state.name;
  }

  find(name: string): ModelName | undefined {
    const found = this.#parts.names.find(name);
    return found?.kind === 'model' ? found.model : undefined;
  }

  async unload(model: ModelName): Promise<void> {
    const backend = this.#parts.processes.get(model);
    if (backend === undefined) return;
    // Listened to first, for the scheduler may unload at once.
    const stopped = untilStopped(backend.process);
    this.#parts.dispatcher.requestUnload(model);
    await stopped;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** To be called after every change of a model. */
  changed(): void {
    for (const listener of this.#listeners) listener();
  }
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
