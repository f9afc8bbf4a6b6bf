/** What policies and listings may know of a backend: an immutable snapshot, replaced as a whole when anything changes. */
import type { BackendId, ModelName } from './ids.ts';

/**
 * unknown: not probed yet, or still loading its model; may serve anything. live: takes requests. degraded: takes
 * requests, but its last check failed (below the threshold) or it is on probation after a recovery. dead: takes none.
 * draining: takes no new ones, finishes its own. stopped, starting, stopping: a child process of ours that can be
 * started, is being started, is being stopped.
 */
export const backendStates = [
  'unknown',
  'live',
  'degraded',
  'dead',
  'draining',
  'stopped',
  'starting',
  'stopping',
] as const;
export type BackendState = (typeof backendStates)[number];

/** Host of the processes that this router starts itself. */
export const localHost = 'local';

/** What is special about a backend that is a child process of ours: it can be started and stopped. */
export interface ProcessView {
  /** The machine whose memory it shares with others; residency is planned per host. */
  readonly host: string;
  /** Number of its last load, as the scheduler gave it; 0 before the first. News of an older one is ignored. */
  readonly generation: number;
  /** Stopped after so long without a request, counted from ready or from the last finish; 0 = never. */
  readonly ttlMs: number;
  /** How long a stop that was asked for waits for running requests. */
  readonly unloadTimeoutMs: number;
  /** Why its last load failed or its last run ended by itself; undefined once it may be tried again without delay. */
  readonly failure: LoadFailure | undefined;
}

export interface LoadFailure {
  readonly code: 'process_spawn_failed' | 'process_exited' | 'process_ready_timeout' | 'process_hook_failed';
  /** For the client: exit code or signal, and the last lines it wrote. */
  readonly message: string;
  /** Clock time before which it is not started again (crash back-off). */
  readonly retryAtMs: number;
}

/** One reading of an engine's own slot counters (llama.cpp `/slots`), own and foreign requests together. */
export interface SlotReading {
  readonly busy: number;
  /** Clock time at which the probe was sent: permits released later may still be counted in `busy`. */
  readonly probeStartedMs: number;
}

export interface BackendView {
  readonly id: BackendId;
  readonly state: BackendState;
  /**
   * Names a client may use here → the canonical name on this backend (llama.cpp aliases map to their model). Counters,
   * `maxModels` and stickiness use the canonical name.
   */
  readonly models: ReadonlyMap<ModelName, ModelName>;
  /** Canonical names that are in memory now. A single-model llama-server lists its one model. */
  readonly loaded: ReadonlySet<ModelName>;
  /** Canonical names that it should get no requests of while others serve them: they failed there. Absent = none. */
  readonly distrusted?: ReadonlySet<ModelName> | undefined;
  /** Room for concurrent requests, ≥ 1: measured, else configured, else the default. */
  readonly slotsTotal: number;
  /** Most requests of one model at once, ≥ 1; undefined = as many as there are slots. */
  readonly modelSlotsMax?: number | undefined;
  /** How many of its slots can be named by a request, from 0 on; undefined = none. */
  readonly slotIds?: number | undefined;
  /** Latest slot reading; undefined = the engine does not tell. */
  readonly slots: SlotReading | undefined;
  /** Most distinct models that may run at once; undefined = no limit. */
  readonly modelsMax: number | undefined;
  /** Relative share for weighted policies, > 0; default 1. */
  readonly weight: number;
  /** Lower is preferred by the `priority` scorer; default 0. */
  readonly priority: number;
  /** How busy the GPUs of its machine are, 0 to 100 percent; undefined = nobody tells. */
  readonly gpuLoad?: number | undefined;
  /** Where nobody tells: how busy those are of which somebody does, roughly; undefined = of none. */
  readonly gpuLoadElsewhere?: number | undefined;
  /** Tokens one slot can hold, by canonical model; absent = unknown. */
  readonly contextTokens: ReadonlyMap<ModelName, number>;
  /** Grows by one whenever the engine came back from the dead: readings and stickiness of an earlier epoch are void. */
  readonly epoch: number;
  /** One prompt cache for all its requests, running ones too; else each slot has its own. */
  readonly sharesPrompts?: boolean | undefined;
  /** Only for child processes of ours. */
  readonly process?: ProcessView | undefined;
}
