/** Loading and unloading models by hand: what the control plane may ask of processes, scheduler and names together. */
import type { ModelControl } from './admin/deps.ts';
import type { ModelsConfig } from './config/models.ts';
import type { ModelName } from './domain/ids.ts';
import type { Dispatcher } from './gateway/dispatcher.ts';
import type { NameResolver } from './gateway/name-resolver.ts';
import type { ManagedProcess, ProcessState } from './process/process-state.ts';
import type { MemoryNeed } from './scheduler/residency/memory.ts';
import type { LoadForesight } from './scheduler/swap.ts';
import type { ProcessFleet } from './supply/process-fleet.ts';

export interface ModelHandlesParts {
  readonly config: () => ModelsConfig;
  readonly processes: Pick<ProcessFleet, 'get'>;
  readonly dispatcher: Pick<Dispatcher, 'foreseeLoad' | 'requestUnload' | 'snapshot'>;
  readonly names: Pick<NameResolver, 'find'>;
  readonly load: (model: ModelName) => Promise<void>;
  /** Default 15 s. */
  readonly killMsMax?: number;
}

/** What SIGKILL, the end of a stop command and giving back the memory of a large model may take together. */
const killMsMaxDefault = 15_000;

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

  foreseeLoad(model: ModelName): LoadForesight | undefined {
    return this.#parts.dispatcher.foreseeLoad(model);
  }

  needOf(model: ModelName): MemoryNeed | undefined {
    return this.#parts.processes.get(model)?.memory.need;
  }

  requestsOf(model: ModelName): number {
    return this.#parts.dispatcher.snapshot(0).backends.get(model)?.inFlight ?? 0;
  }

  async unload(model: ModelName): Promise<boolean> {
    const backend = this.#parts.processes.get(model);
    if (backend === undefined) return true;
    const { unloadTimeoutMs } = backend.model;
    const { killMsMax = killMsMaxDefault } = this.#parts;
    // Listened to first, for the scheduler may unload at once. Running requests and the process get their time in turn.
    const stopped = hasStopped(backend.process, 2 * unloadTimeoutMs + killMsMax);
    this.#parts.dispatcher.requestUnload(model);
    return stopped;
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

/** Resolves when it stands still, be it for a moment, with true; with false after `msMax`. */
function hasStopped(managed: ManagedProcess, msMax: number): Promise<boolean> {
  if (isAtRest(managed.state)) return Promise.resolve(true);
  return new Promise((resolve) => {
    const settle = (stopped: boolean): void => {
      unsubscribe();
      clearTimeout(timer);
      resolve(stopped);
    };
    const timer = setTimeout(() => settle(false), msMax).unref();
    // What it is told, not what it is by then: a request that waits may have it loaded again at once.
    const unsubscribe = managed.onState((state) => {
      if (isAtRest(state)) settle(true);
    });
  });
}

function isAtRest({ name }: ProcessState): boolean {
  return name === 'stopped' || name === 'failed';
}
