/**
 * Everything that requests can run on, with the scheduler that decides where: configured backends, processes of our own,
 * peers, and their names. Knows how they start, change and stop together; knows nothing of clients.
 */
import { resolve as resolvePath } from 'node:path';
import type { Logger } from 'pino';
import type { Clock } from './base/clock.ts';
import { createRandom } from './base/random.ts';
import type { ModelsConfig } from './config/models.ts';
import type { Config } from './config/schema.ts';
import { localMonitor, toGpuMonitor, type GpuMonitor } from './config/schema-gpu.ts';
import { backendDefaults, toSchedulerSettings } from './config/settings.ts';
import type { BackendView } from './domain/backend-view.ts';
import type { HostSampler } from './domain/host-reading.ts';
import type { BackendId, ModelName } from './domain/ids.ts';
import type { BackendListener } from './engines/backend.ts';
import { createBackendRegistry, type ConfigurableRegistry } from './engines/registry.ts';
import { ActiveProfile } from './gateway/active-profile.ts';
import { Dispatcher } from './gateway/dispatcher.ts';
import { Fleet } from './gateway/fleet.ts';
import { loadByRequest } from './gateway/load-by-request.ts';
import { NameResolver } from './gateway/name-resolver.ts';
import { rejectionError } from './gateway/rejection.ts';
import type { ProcessLedger } from './process/ledger.ts';
import type { OutputLog } from './process/output.ts';
import type { UnloadReason } from './scheduler/effects.ts';
import type { SchedulerSettings } from './scheduler/settings.ts';
import type { Decision } from './scheduler/decision.ts';
import { joinBackends, type BackendSteering } from './supply/all-backends.ts';
import { GpuLoads } from './supply/gpu-loads.ts';
import { watchOrphans, type OrphanWatch } from './supply/orphan-watch.ts';
import { PeerFleet } from './supply/peer-fleet.ts';
import { ProcessFleet } from './supply/process-fleet.ts';

export interface EngineRoomOptions {
  readonly config: Config;
  readonly models: ModelsConfig;
  readonly clock: Clock;
  readonly log: Logger;
  /** Of the placement's random choices. */
  readonly seed: number;
  /** Looks at this machine. */
  readonly host: HostSampler;
  /** What this router signs requests with; see gateway/loop-guard.ts. */
  readonly signature: string;
  /** Environment that child processes inherit. */
  readonly env: NodeJS.ProcessEnv;
  /** The file that the configuration came from: names the ledger of child processes. */
  readonly file: string | undefined;
  readonly onDecision: (decision: Decision) => void;
  readonly loads: ModelNews;
  /** A backend is new or another than it was; `output`: of its process, if it is one of ours. */
  readonly onChanged: (output: OutputLog | undefined) => void;
  readonly onRemoved: (id: BackendId) => void;
}

/** Told of what happens to models of processes of our own. Must be quick and must not throw. */
export interface ModelNews {
  /** A load was decided; `isSwap`: others were stopped for it. */
  wanted(id: BackendId, isSwap: boolean): void;
  /** A model was told to stop. */
  unloading(id: BackendId, reason: UnloadReason): void;
  /** Any backend has changed; the scheduler does not know yet. */
  changed(view: BackendView): void;
  removed(id: BackendId): void;
}

export class EngineRoom {
  readonly dispatcher: Dispatcher;
  readonly backends: BackendSteering;
  readonly processes: ProcessFleet;
  readonly fleet: Fleet;
  /** Which profile of the configuration is in force. */
  readonly profile: ActiveProfile;
  readonly names: NameResolver;
  /** Of the machines of backends. */
  readonly gpuLoads: GpuLoads;
  readonly #options: EngineRoomOptions;
  readonly #registry: ConfigurableRegistry;
  readonly #peers: PeerFleet;
  #config: Config;
  #models: ModelsConfig;
  /** Undefined until the first process is configured. */
  #orphans: OrphanWatch | undefined;

  constructor(options: EngineRoomOptions) {
    const { config, models, clock, log, seed, onDecision } = options;
    this.#options = options;
    this.#config = config;
    this.#models = models;
    this.dispatcher = new Dispatcher({
      settings: this.#schedulerSettings(),
      clock,
      random: createRandom(seed),
      supply: {
        load: (id, generation) => {
          options.loads.wanted(id, this.#isSwap(id));
          this.processes.load(id, generation);
        },
        unload: (id, reason) => {
          options.loads.unloading(id, reason);
          this.processes.unload(id, reason);
        },
      },
      onDecision,
    });
    this.gpuLoads = new GpuLoads({
      clock,
      log,
      local: options.host,
      onChange: (id) => {
        this.#registry.gpuLoadChanged(id);
        this.processes.gpuLoadChanged(id);
      },
    });
    this.#registry = createBackendRegistry({
      probes: config.probes,
      defaults: backendDefaults(config),
      signature: options.signature,
      clock,
      log,
      listener: this.#listener(),
      gpuLoadOf: (id) => this.gpuLoads.loadOf(id),
      gpuLoadElsewhere: () => this.gpuLoads.elsewhere,
    });
    this.processes = this.#buildProcesses();
    this.#peers = new PeerFleet({ clock, log, probes: config.probes, listener: this.#listener() });
    const { processes } = this;
    this.backends = joinBackends({ registry: this.#registry, processes, peers: this.#peers });
    this.fleet = new Fleet(this.backends);
    this.profile = new ActiveProfile(models.profiles);
    this.names = new NameResolver({
      models: () => this.#models,
      profile: this.profile,
      fleet: this.fleet,
      nowMs: () => clock.nowMs(),
    });
  }

  /** Models, peers and names in force. */
  get models(): ModelsConfig {
    return this.#models;
  }

  /** Starts probing. */
  async start(): Promise<void> {
    this.#watchGpus(this.#models);
    await this.#applyModels();
    this.#registry.apply(this.#config.backends);
  }

  /** Takes over another configuration by difference: what is the same stays as it is. */
  async configure(config: Config, models: ModelsConfig): Promise<void> {
    this.#config = config;
    this.#registry.configure(config.probes, backendDefaults(config));
    this.processes.configure(config.probes);
    this.#peers.configure(config.probes);
    this.#watchGpus(models);
    this.#registry.apply(config.backends);
    this.#models = models;
    this.dispatcher.configure(this.#schedulerSettings());
    await this.#applyModels();
    this.preload();
  }

  /** Loads a model as a request for it would; resolves when it takes requests, rejects with the reason when it cannot. */
  loadModel(model: ModelName): Promise<void> {
    const { fleet, names } = this;
    return loadByRequest(this.dispatcher, model, (rejection) =>
      rejectionError(rejection, { config: this.#config, fleet, names, model }),
    );
  }

  /** Loads what is to be loaded from the start: a request without a slot is enough. */
  preload(): void {
    for (const model of this.#models.preload) this.loadModel(model).catch(() => {});
  }

  /** What the process of a model prints, by any of the model's names; undefined = it has none. */
  outputOf(name: string): OutputLog | undefined {
    const found = this.names.find(name);
    return found?.kind === 'model' ? this.processes.get(found.model)?.process.output : undefined;
  }

  /** Ends all processes, `gently` in their own time, and every probe of what is not a peer's. `close` comes after it. */
  async stop({ gently }: { readonly gently: boolean }): Promise<void> {
    await Promise.all([this.#registry.close(), this.gpuLoads.close()]);
    await this.processes.close(!gently);
  }

  /** Ends what is left: nobody is told anything any more. */
  async close(): Promise<void> {
    await this.#peers.close();
    await this.#orphans?.close();
    this.dispatcher.close();
  }

  #isSwap(id: BackendId): boolean {
    const { swaps } = this.dispatcher.snapshot(0);
    return swaps.some(({ target, evicted }) => target === id && evicted.length > 0);
  }

  #listener(): BackendListener {
    const { onChanged, onRemoved, loads } = this.#options;
    return {
      backendChanged: (view) => {
        loads.changed(view);
        this.fleet.changed();
        onChanged(this.processes.get(view.id)?.process.output);
        this.dispatcher.backendChanged(view);
      },
      backendRemoved: (id) => {
        this.fleet.changed();
        this.dispatcher.backendRemoved(id);
        loads.removed(id);
        onRemoved(id);
      },
    };
  }

  #buildProcesses(): ProcessFleet {
    const { clock, log, env } = this.#options;
    // The ledger is opened with the first process; until then there is nothing to write down.
    const ledger: ProcessLedger = {
      expected: (entry) => this.#orphans?.ledger.expected(entry),
      started: (mark, pid) => this.#orphans?.ledger.started(mark, pid),
      ended: (mark) => this.#orphans?.ledger.ended(mark),
    };
    return new ProcessFleet({
      clock,
      log,
      run: { clock, env, ledger, platform: process.platform },
      probes: this.#config.probes,
      listener: this.#listener(),
      routing: () => this.#models.routing,
      gpuLoadOf: (id) => this.gpuLoads.loadOf(id),
      gpuLoadElsewhere: () => this.gpuLoads.elsewhere,
      retire: (id) => this.dispatcher.requestReplacement(id),
    });
  }

  #schedulerSettings(): SchedulerSettings {
    return toSchedulerSettings(this.#config, this.#models, (model) => this.processes.measuredNeed(model));
  }

  /** Before anything else changes: new backends come with their load. What we start ourselves runs on this machine. */
  #watchGpus({ models }: ModelsConfig): void {
    const monitors = new Map<BackendId, GpuMonitor>();
    for (const [id, { gpuMonitor }] of Object.entries(this.#config.backends)) {
      if (gpuMonitor !== undefined) monitors.set(id, toGpuMonitor(gpuMonitor));
    }
    for (const id of models.keys()) monitors.set(id, { url: localMonitor });
    const unwatched = Object.keys(this.#config.backends).filter((id) => !monitors.has(id));
    this.gpuLoads.configure({ monitors, unwatched, intervalMs: this.#config.probes.gpuInterval });
  }

  async #applyModels(): Promise<void> {
    const { env, file, clock, log } = this.#options;
    const { models, peers, profiles } = this.#models;
    if (models.size > 0 && this.#orphans === undefined) {
      const name = resolvePath(file ?? 'llamero');
      this.#orphans = await watchOrphans({ name, env, platform: process.platform, clock, log });
      this.processes.rememberIn(this.#orphans.memoryFile);
    }
    this.processes.apply(models);
    this.#peers.apply(peers);
    this.profile.apply(profiles);
  }
}
