/**
 * All models with processes of our own: carries out what the scheduler decides (load, unload), probes what runs, and
 * tells of every change. Takes over a changed configuration without touching what stayed the same.
 */
import type { Clock } from '../base/clock.ts';
import type { ResolvedModel, ResolvedRouting } from '../config/models.ts';
import { configSchema, type BackendConfig, type Config } from '../config/schema.ts';
import type { BackendId } from '../domain/ids.ts';
import type { BackendListener, MemoryUse } from '../engines/backend.ts';
import { createBackendRegistry, type ConfigurableRegistry } from '../engines/registry.ts';
import type { BackendLog } from '../engines/watch-context.ts';
import type { ProcessState, StopReason } from '../process/process-state.ts';
import { createProcess, stopAll } from '../process/process.ts';
import type { RunDeps } from '../process/run.ts';
import type { UnloadReason } from '../scheduler/effects.ts';
import type { MemoryNeed } from '../scheduler/residency/memory.ts';
import { connectTimeoutMs } from './connection-times.ts';
import { ModelHooks } from './model-hooks.ts';
import { MemoryMeter } from './memory-meter.ts';
import { isSameProgram, ProcessBackend, slotsUnknown } from './process-backend.ts';

export interface ProcessFleetOptions {
  readonly clock: Clock;
  readonly log: BackendLog;
  readonly run: RunDeps;
  readonly probes: Config['probes'];
  readonly listener: BackendListener;
  /** Which models may run together, as configured now. */
  readonly routing: () => ResolvedRouting;
  /** How busy the GPUs behind a model are now, in percent; undefined = nobody tells. */
  readonly gpuLoadOf: (id: BackendId) => number | undefined;
  readonly gpuLoadElsewhere: () => number | undefined;
  /** A changed or removed model still runs: asks for its end once it is idle; it is replaced when it has stopped. */
  readonly retire: (id: BackendId) => void;
}

/** At the end of the router, hooks that run or wait get this long together. */
const hooksAtEndMs = 5000;

/** A started engine gets this long to tell its slots before requests go there without knowing. */
const settleMs = 1000;

const stopReasons: Readonly<Record<UnloadReason, StopReason>> = {
  ttl: 'ttl',
  evicted: 'evict',
  requested: 'unload',
};

export class ProcessFleet {
  readonly #options: ProcessFleetOptions;
  readonly #backends = new Map<BackendId, ProcessBackend>();
  /** What a model shall be once its old process has stopped; undefined = gone. */
  readonly #next = new Map<BackendId, ResolvedModel | undefined>();
  readonly #registry: ConfigurableRegistry;
  readonly #meter: MemoryMeter;
  /** The commands around the models. */
  readonly hooks: ModelHooks;

  constructor(options: ProcessFleetOptions) {
    this.#options = options;
    this.hooks = new ModelHooks({ run: options.run, log: options.log });
    this.#registry = createBackendRegistry({
      probes: options.probes,
      defaults: { slots: slotsUnknown, modelsMax: undefined },
      clock: options.clock,
      // What the processes themselves do is told here; their probes would say it twice.
      log: { info: () => {}, warn: () => {} },
      listener: {
        backendChanged: ({ id }) => this.#probed(id),
        backendRemoved: () => {},
      },
    });
    this.#meter = new MemoryMeter({
      log: options.log,
      gpu: { env: options.run.env },
      platform: options.run.platform,
      running: () =>
        this.list().flatMap(({ model, process: { state } }) =>
          state.name === 'ready' ? [{ model, pid: state.pid }] : [],
        ),
      routing: options.routing,
      onChange: (id) => this.#probed(id),
    });
  }

  get(id: BackendId): ProcessBackend | undefined {
    return this.#backends.get(id);
  }

  list(): readonly ProcessBackend[] {
    return [...this.#backends.values()];
  }

  /** Where what is measured of models is written down. */
  rememberIn(file: string): void {
    this.#meter.open(file);
  }

  /** The most memory that a model was seen to take; undefined = nothing is known. */
  measuredNeed(id: BackendId): MemoryNeed | undefined {
    const backend = this.#backends.get(id);
    return backend && this.#meter.needOf(backend.model);
  }

  /** Takes over a new set of models. */
  apply(models: ReadonlyMap<BackendId, ResolvedModel>): void {
    for (const [id, backend] of this.#backends) {
      const model = models.get(id);
      if (model !== undefined && isSameProgram(model, backend.model)) {
        this.#next.delete(id);
        backend.model = model;
        this.#tell(backend);
      } else {
        this.#next.set(id, model);
        if (isAtRest(backend)) this.#replace(backend);
        else this.#options.retire(id);
      }
    }
    for (const [id, model] of models) if (!this.#backends.has(id)) this.#add(model);
  }

  /** Takes over new probe settings. */
  configure(probes: Config['probes']): void {
    this.#registry.configure(probes, { slots: slotsUnknown, modelsMax: undefined });
  }

  /** What is said of the load of a model's GPUs may have changed. */
  gpuLoadChanged(id: BackendId): void {
    const backend = this.#backends.get(id);
    if (backend !== undefined) this.#tell(backend);
  }

  /** For the scheduler's effect of that name. Answers by views, never at once. */
  load(id: BackendId, generation: number): void {
    const backend = this.#backends.get(id);
    if (backend === undefined) return;
    backend.generation = generation;
    const startedMs = this.#options.clock.nowMs();
    this.#options.log.info({ model: id }, 'Model is loading');
    setImmediate(() => {
      void backend.process.ensureReady().then((result) => {
        const loadMs = Math.round(this.#options.clock.nowMs() - startedMs);
        if (result.type === 'ready')
          this.#options.log.info({ model: id, pid: result.pid, loadMs }, 'Model is loaded');
        else if (result.type === 'failed') {
          this.#options.log.warn(
            { model: id, code: result.code, reason: result.message },
            'Model could not be loaded',
          );
        }
        // A refusal in the back-off changes no state of the process, but answers this load.
        this.#tell(backend);
      });
    });
  }

  /** For the scheduler's effect of that name. Answers by views, never at once. */
  unload(id: BackendId, reason: UnloadReason): void {
    const backend = this.#backends.get(id);
    if (backend === undefined) return;
    this.#options.log.info({ model: id, reason }, 'Model is unloading');
    setImmediate(() => {
      void backend.process.stop(stopReasons[reason], { timeoutMs: backend.model.unloadTimeoutMs });
    });
  }

  /** A request failed or succeeded there, or somebody wants to know now; as for any backend. */
  get probes(): Pick<
    ConfigurableRegistry,
    'reportFailure' | 'reportSuccess' | 'probeNow' | 'probed' | 'setDraining'
  > {
    return this.#registry;
  }

  /** Stops every process, each with its own time, and lets hooks about that end; `now` kills. */
  async close(now: boolean): Promise<void> {
    if (now) void this.hooks.close(0);
    await Promise.all([
      this.#registry.close(),
      this.#meter.close(),
      stopAll(
        this.list().map(({ process }) => process),
        { now },
      ),
    ]);
    await this.hooks.close(now ? 0 : hooksAtEndMs);
  }

  #add(model: ResolvedModel, generation = 0): void {
    const process = createProcess(
      {
        id: model.id,
        cmd: model.cmd,
        cmdStop: model.cmdStop,
        env: model.env,
        cwd: undefined,
        proxy: model.proxy,
        checkEndpoint: model.checkEndpoint,
        port: model.port,
        readyTimeoutMs: model.readyTimeoutMs,
        stopTimeoutMs: model.unloadTimeoutMs,
      },
      {
        ...this.#options.run,
        beforeReady: ({ pid, signal }) =>
          this.hooks.prepare({ model: backend.model, pid, output: backend.process.output }, signal),
      },
    );
    const backend = new ProcessBackend({
      model,
      config: backendConfigOf(model),
      process,
      memoryOf: (each) => this.#memoryOf(each),
      gpuLoad: () => this.#options.gpuLoadOf(model.id),
      gpuLoadElsewhere: () => this.#options.gpuLoadElsewhere(),
    });
    backend.generation = generation;
    this.#backends.set(model.id, backend);
    process.onState((state) => {
      this.#runHooks(backend, state);
      this.#changed(backend);
    });
    this.#tell(backend);
  }

  #runHooks(backend: ProcessBackend, state: ProcessState): void {
    const { model, process } = backend;
    const { output } = process;
    if (state.name === 'ready') {
      backend.readyPid = state.pid;
      this.hooks.loaded({ model, pid: state.pid, output });
    } else if ((state.name === 'stopped' || state.name === 'failed') && backend.readyPid !== undefined) {
      const reason = state.name === 'failed' ? 'exited' : (state.reason ?? '');
      this.hooks.unloaded({ model, pid: backend.readyPid, output, reason });
      backend.readyPid = undefined;
    }
  }

  #changed(backend: ProcessBackend): void {
    const { state } = backend.process;
    if (state.name === 'ready') {
      backend.settled = false;
      this.#watch();
      this.#meter.measure();
      setTimeout(() => this.#settle(backend, state.generation), settleMs).unref();
    } else if (backend.watched !== undefined) {
      backend.watched = undefined;
      backend.wasLive = false;
      this.#watch();
    }
    if (state.name === 'failed') {
      this.#options.log.warn(
        { model: backend.id, reason: state.failure.message },
        'Model process ended by itself',
      );
    }
    this.#tell(backend);
    if (this.#next.has(backend.id) && isAtRest(backend)) this.#replace(backend);
  }

  /** Probes exactly the engines whose processes are ready. */
  #watch(): void {
    const ready = this.list().filter(({ process }) => process.state.name === 'ready');
    this.#registry.apply(Object.fromEntries(ready.map(({ id, config }) => [id, config])));
    for (const backend of ready) backend.watched = this.#registry.get(backend.id);
  }

  #probed(id: BackendId): void {
    const backend = this.#backends.get(id);
    if (backend === undefined || backend.process.state.name !== 'ready') return;
    backend.watched = this.#registry.get(id) ?? backend.watched;
    const state = backend.watched?.view.state;
    if (state === 'live' || state === 'degraded') {
      backend.wasLive = true;
      backend.settled = true;
    }
    this.#tell(backend);
  }

  #settle(backend: ProcessBackend, generation: number): void {
    const { state } = backend.process;
    if (backend.settled || state.name !== 'ready' || state.generation !== generation) return;
    backend.settled = true;
    this.#tell(backend);
  }

  #memoryOf(model: ResolvedModel): MemoryUse {
    const routing = this.#options.routing();
    const declared = routing.kind === 'memory' ? routing.declared.get(model.id) : undefined;
    const { vramBytes, ramBytes } = this.#meter.needOf(model) ?? {};
    return {
      need: {
        vramBytes: declared?.vramBytes ?? vramBytes,
        ramBytes: declared?.ramBytes ?? ramBytes,
      },
      measured: { vramBytes, ramBytes },
    };
  }

  #replace(backend: ProcessBackend): void {
    const model = this.#next.get(backend.id);
    this.#next.delete(backend.id);
    void backend.process.close();
    this.#backends.delete(backend.id);
    // Who waits for the model waits for its successor, so it must not be gone in between.
    if (model === undefined) this.#options.listener.backendRemoved(backend.id);
    else this.#add(model, backend.generation);
  }

  #tell(backend: ProcessBackend): void {
    if (this.#backends.get(backend.id) === backend) this.#options.listener.backendChanged(backend.refresh());
  }
}

function isAtRest({ process }: ProcessBackend): boolean {
  return process.state.name === 'stopped' || process.state.name === 'failed';
}

/** A process as if it stood under `backends`, for its probes and connections. */
function backendConfigOf({ proxy, timeouts, wording }: ResolvedModel): BackendConfig {
  const { backends } = configSchema.parse({ backends: { process: { url: proxy } } });
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
