/**
 * One model with a process of our own, as a backend: joins what the process layer knows (does it run?) with what the
 * probes of the running engine tell (slots, context, health). Decides nothing; whoever owns it starts and stops it.
 */
import type { BackendConfig } from '../config/schema.ts';
import type { ResolvedModel } from '../config/models.ts';
import { localHost, type BackendState, type BackendView, type LoadFailure } from '../domain/backend-view.ts';
import type { BackendId } from '../domain/ids.ts';
import { sharedRouteNames } from '../domain/routes.ts';
import type { Backend, MemoryUse, ProbeStatus, RequestEdits } from '../engines/backend.ts';
import type { EngineKind } from '../engines/engine-kind.ts';
import { engineKinds } from '../engines/kinds/index.ts';
import type { ManagedProcess, ProcessState } from '../process/process-state.ts';
import { idleTimeoutMs } from './connection-times.ts';

/** Slots of an engine that has not told how many it has. */
export const slotsUnknown = 10;

const neverProbed: ProbeStatus = {
  atEpochMs: undefined,
  durationMs: undefined,
  error: undefined,
  failuresInRow: 0,
};

export interface ProcessBackendParts {
  readonly model: ResolvedModel;
  readonly config: BackendConfig;
  readonly process: ManagedProcess;
  readonly memoryOf: (model: ResolvedModel) => MemoryUse;
  /** Of the GPUs of this machine, in percent; undefined = nobody tells. */
  readonly gpuLoad: () => number | undefined;
  /** Where that is not known: how busy other machines are. */
  readonly gpuLoadElsewhere: () => number | undefined;
}

export class ProcessBackend implements Backend {
  readonly id: BackendId;
  readonly process: ManagedProcess;
  readonly url: URL;
  /** Number of the load that the scheduler asked for last. */
  generation = 0;
  /** The running engine under probes; undefined while it does not run. */
  watched: Backend | undefined;
  /** The process id of the run that is or was ready, until it is gone. */
  readyPid: number | undefined;
  /** The engine has told what it is, or had its time to. */
  settled = false;
  /** Its probes have succeeded since it was started: from then on they may also say that it is dead. */
  wasLive = false;
  readonly #memoryOf: (model: ResolvedModel) => MemoryUse;
  readonly #gpuLoad: () => number | undefined;
  readonly #gpuLoadElsewhere: () => number | undefined;
  #model: ResolvedModel;
  #config: BackendConfig;
  #view: BackendView;
  #kindOf: EngineKind | undefined;
  #kind: EngineKind;

  constructor({ model, config, process, memoryOf, gpuLoad, gpuLoadElsewhere }: ProcessBackendParts) {
    this.id = model.id;
    this.#model = model;
    this.#config = config;
    this.process = process;
    this.#kind = kindHere(engineKinds.openai, model);
    this.#memoryOf = memoryOf;
    this.#gpuLoad = gpuLoad;
    this.#gpuLoadElsewhere = gpuLoadElsewhere;
    this.url = new URL(model.proxy);
    this.#view = this.#compose();
  }

  get model(): ResolvedModel {
    return this.#model;
  }

  /** What may change while it runs: names, limits, filters, wording, times. The command may not. */
  set model(model: ResolvedModel) {
    this.#model = model;
    this.#config = { ...this.#config, ...model.wording };
  }

  get config(): BackendConfig {
    return this.#config;
  }

  get kind(): EngineKind {
    const { watched } = this;
    if (watched !== undefined && watched.kind !== this.#kindOf) {
      this.#kindOf = watched.kind;
      this.#kind = kindHere(watched.kind, this.#model);
    }
    return this.#kind;
  }

  get view(): BackendView {
    return this.#view;
  }

  get probe(): ProbeStatus {
    const probe = this.watched?.probe ?? neverProbed;
    const failure = failureOf(this.process.state);
    return failure === undefined ? probe : { ...probe, error: failure.message };
  }

  get version(): string | undefined {
    return this.watched?.version;
  }

  /** The engine calls its model as it likes; here it has the name of the configuration. */
  get modelObjects(): ReadonlyMap<string, Readonly<Record<string, unknown>>> {
    const [own] = this.watched?.modelObjects.values() ?? [];
    return own === undefined ? new Map() : new Map([[this.id, own]]);
  }

  get declaresImages(): boolean | undefined {
    const takes = this.#model.capabilities?.in ?? [];
    return takes.length === 0 ? undefined : takes.includes('image');
  }

  get memory(): MemoryUse {
    return this.#memoryOf(this.#model);
  }

  get pid(): number | undefined {
    const { state } = this.process;
    return 'pid' in state ? state.pid : undefined;
  }

  editsFor(): RequestEdits {
    return { model: this.#model.useModelName, filters: this.#model.filters };
  }

  /** Puts the view together again; returns it. */
  refresh(): BackendView {
    this.#view = this.#compose();
    return this.#view;
  }

  #compose(): BackendView {
    const { id, aliases, ttlMs, unloadTimeoutMs } = this.#model;
    const { state } = this.process;
    const gpuLoad = this.#gpuLoad();
    const engine = this.wasLive ? this.watched?.view : undefined;
    const [contextTokens] = engine?.contextTokens.values() ?? [];
    return {
      id,
      state: this.#stateNow(),
      models: new Map([id, ...aliases].map((name) => [name, id])),
      loaded: state.name === 'ready' ? new Set([id]) : new Set(),
      slotsTotal: engine?.slotsTotal ?? slotsUnknown,
      slotIds: engine?.slotIds,
      slots: engine?.slots,
      modelsMax: undefined,
      weight: 1,
      priority: 0,
      gpuLoad,
      gpuLoadElsewhere: gpuLoad === undefined ? this.#gpuLoadElsewhere() : undefined,
      contextTokens: contextTokens === undefined ? new Map() : new Map([[id, contextTokens]]),
      epoch: state.generation,
      process: {
        host: localHost,
        generation: this.generation,
        ttlMs,
        unloadTimeoutMs,
        failure: failureOf(state),
      },
    };
  }

  #stateNow(): BackendState {
    switch (this.process.state.name) {
      case 'stopped':
      case 'failed':
        return 'stopped';
      case 'starting':
        return 'starting';
      case 'stopping':
        return 'stopping';
      case 'ready': {
        if (!this.settled) return 'starting';
        const probed = this.watched?.view.state;
        return this.wasLive && probed !== undefined && probed !== 'unknown' ? probed : 'live';
      }
    }
  }
}

/** Whether two definitions are the same program, so that what runs may go on running. */
export function isSameProgram(one: ResolvedModel, other: ResolvedModel): boolean {
  const program = ({ cmd, cmdStop, proxy, env, checkEndpoint, port, timeouts }: ResolvedModel) =>
    JSON.stringify([cmd, cmdStop, proxy, env, checkEndpoint, port, timeouts]);
  return program(one) === program(other);
}

function failureOf(state: ProcessState): LoadFailure | undefined {
  if (state.name !== 'failed') return undefined;
  return { code: state.failure.code, message: state.failure.message, retryAtMs: state.retryAtMs };
}

/** The user has said what runs there; which routes it has is not for us to doubt. Only Ollama has those of its own API. */
function kindHere(kind: EngineKind, { timeouts }: ResolvedModel): EngineKind {
  return {
    ...kind,
    routes: new Set([...kind.routes, ...sharedRouteNames]),
    socketIdleMsMax: idleTimeoutMs(kind.socketIdleMsMax, timeouts),
  };
}
