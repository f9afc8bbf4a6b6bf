/** All backends of the configuration, each under its own watch. Owns their identity over reloads; places no requests. */
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../base/clock.ts';
import { createRandom } from '../base/random.ts';
import type { Random } from '../base/random.ts';
import type { BackendConfig } from '../config/schema.ts';
import type { BackendId, ModelName } from '../domain/ids.ts';
import type { Backend, BackendFailure, BackendListener, BackendRegistry } from './backend.ts';
import type { BackendDefaults } from './compose-view.ts';
import { WatchedBackend } from './watched-backend.ts';
import type { BackendLog, ProbeSettings, Timers, WatchContext } from './watch-context.ts';

export interface RegistryOptions {
  readonly probes: ProbeSettings;
  readonly defaults: BackendDefaults;
  readonly clock: Clock;
  /** Of this router; default: the backends cannot be routers that have it as a backend. */
  readonly signature?: string;
  /** Told of every change, synchronously, the first view of a new backend included. */
  readonly listener: BackendListener;
  /** Changes of state, once each. */
  readonly log: BackendLog;
  /** How busy the GPUs behind a backend are now, in percent; undefined = nobody tells. Default: nobody ever does. */
  readonly gpuLoadOf?: (id: BackendId) => number | undefined;
  /** How busy those GPUs are, roughly, that somebody tells of. Default: nobody ever does. */
  readonly gpuLoadElsewhere?: () => number | undefined;
  /** Spreads the probes in time. Default: seeded. */
  readonly random?: Random;
  /** Default: the real ones. */
  readonly timers?: Timers;
}

export interface ConfigurableRegistry extends BackendRegistry {
  /** Takes over new probe settings and defaults; running rounds end under the old ones. */
  configure(probes: ProbeSettings, defaults: BackendDefaults): void;
  /** Takes a backend out of service for new requests, or back in. False when there is none with this id. */
  setDraining(id: BackendId, draining: boolean): boolean;
  /** What is said of the load of the GPUs of a backend may have changed. */
  gpuLoadChanged(id: BackendId): void;
}

export function createBackendRegistry(options: RegistryOptions): ConfigurableRegistry {
  return new Registry(options);
}

const realTimers: Timers = {
  set: (callback, delayMs) => setTimeout(callback, delayMs),
  clear: (handle) => clearTimeout(handle as NodeJS.Timeout | undefined),
};

class Registry implements ConfigurableRegistry {
  readonly #listener: BackendListener;
  readonly #context: WatchContext;
  readonly #ended = new Set<Promise<void>>();
  #backends = new Map<BackendId, WatchedBackend>();

  constructor(options: RegistryOptions) {
    const { listener, probes, defaults, clock, log, random, timers, signature } = options;
    const { gpuLoadOf, gpuLoadElsewhere } = options;
    this.#listener = listener;
    this.#context = {
      probes,
      defaults,
      clock,
      signature,
      log,
      random: random ?? createRandom(1),
      timers: timers ?? realTimers,
      gpuLoadOf: gpuLoadOf ?? (() => undefined),
      gpuLoadElsewhere: gpuLoadElsewhere ?? (() => undefined),
      changed: (view) => listener.backendChanged(view),
    };
  }

  get(id: BackendId): Backend | undefined {
    return this.#backends.get(id);
  }

  list(): readonly Backend[] {
    return [...this.#backends.values()];
  }

  apply(backends: Readonly<Record<BackendId, BackendConfig>>): void {
    const before = this.#backends;
    // Built completely before anything changes: a bad URL leaves everything as it was.
    this.#backends = new Map(
      Object.entries(backends).map(([id, config]) => [id, this.#keepOrCreate(before.get(id), id, config)]),
    );
    for (const [id, backend] of before) {
      if (this.#backends.get(id) === backend) continue;
      this.#end(backend);
      if (!this.#backends.has(id)) this.#listener.backendRemoved(id);
    }
    for (const [id, backend] of this.#backends) {
      const config = backends[id];
      if (before.get(id) === backend) {
        if (config !== undefined && !isDeepStrictEqual(config, backend.config)) backend.reconfigure(config);
      } else {
        this.#listener.backendChanged(backend.view);
        backend.start();
      }
    }
  }

  configure(probes: ProbeSettings, defaults: BackendDefaults): void {
    const replan = !isDeepStrictEqual(probes, this.#context.probes);
    this.#context.probes = probes;
    this.#context.defaults = defaults;
    for (const backend of this.#backends.values()) {
      backend.reconfigure(backend.config);
      if (replan) backend.replan();
    }
  }

  setDraining(id: BackendId, draining: boolean): boolean {
    const backend = this.#backends.get(id);
    backend?.setDraining(draining);
    return backend !== undefined;
  }

  gpuLoadChanged(id: BackendId): void {
    this.#backends.get(id)?.gpuLoadChanged();
  }

  reportFailure(id: BackendId, failure: BackendFailure, model?: ModelName): void {
    this.#backends.get(id)?.reportFailure(failure, model);
  }

  reportSuccess(id: BackendId, model?: ModelName): void {
    this.#backends.get(id)?.reportSuccess(model);
  }

  probeNow(id: BackendId): void {
    this.#backends.get(id)?.probeNow();
  }

  async probed(id: BackendId): Promise<void> {
    await this.#backends.get(id)?.probed();
  }

  async close(): Promise<void> {
    for (const backend of this.#backends.values()) this.#end(backend);
    await Promise.all(this.#ended);
  }

  /** A backend stays the same as long as it is the same engine at the same place with the same key. */
  #keepOrCreate(existing: WatchedBackend | undefined, id: BackendId, config: BackendConfig): WatchedBackend {
    if (existing === undefined) return new WatchedBackend(id, config, this.#context);
    const { url, engine, apiKey } = existing.config;
    if (config.url === url && config.engine === engine && config.apiKey === apiKey) return existing;
    return new WatchedBackend(id, config, this.#context, existing.view.epoch + 1);
  }

  #end(backend: WatchedBackend): void {
    const ended = backend.close().finally(() => this.#ended.delete(ended));
    this.#ended.add(ended);
  }
}
