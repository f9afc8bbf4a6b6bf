/** What a managed process is, from outside: its description, its states, and the results of starting it. Types only. */
import type { OutputLog } from './output.ts';

/** One program that serves a model. Immutable: a changed one is a new process. */
export interface ProcessSpec {
  /** The model's name; appears in messages and in the ledger. */
  readonly id: string;
  /** Command line, split without a shell (`split-command.ts`). */
  readonly cmd: string;
  /** Run instead of sending SIGTERM; `${PID}` stands for the child's process id. Empty = SIGTERM. */
  readonly cmdStop: string;
  /** Added to the router's own environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Working directory; undefined = the router's. */
  readonly cwd: string | undefined;
  /** URL at which the child listens. */
  readonly proxy: string;
  /** Path asked until it answers 2xx; `none` = ready as soon as the program runs. llama-swap's default is `/health`. */
  readonly checkEndpoint: string;
  /**
   * The port that `cmd` tells the child to listen on: must be free when it starts, else a stranger's answer would make
   * it ready. undefined = `cmd` names none.
   */
  readonly port: number | undefined;
  /** Longest time from start to ready; llama-swap's `healthCheckTimeout`, 120 s there. */
  readonly readyTimeoutMs: number;
  /** Time between the request to end and SIGKILL; llama-swap's `unloadTimeout`, 10 s there. */
  readonly stopTimeoutMs: number;
}

/** Why somebody stops a process. */
export type StopReason = 'unload' | 'evict' | 'ttl' | 'reload' | 'shutdown';

/** How it came to its end without being stopped. */
export type SelfEndReason = 'exited' | 'readyTimeout' | 'hookFailed';

export interface ProcessExit {
  /** null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export type ProcessFailureCode =
  | 'process_spawn_failed'
  | 'process_exited'
  | 'process_ready_timeout'
  | 'process_hook_failed';

export interface ProcessFailure {
  readonly code: ProcessFailureCode;
  /** One sentence without full stop: the model, what happened, exit code or signal, the last lines printed. */
  readonly message: string;
  /** undefined when the program never ran. */
  readonly exit: ProcessExit | undefined;
  /** The last lines of stderr (stdout if there are none), oldest first. */
  readonly lastLines: readonly string[];
}

/**
 * Times are Clock.nowMs. `generation` is the number of the start a state belongs to, 0 before the first. `pid` is
 * undefined until the program runs.
 */
export type ProcessState =
  | {
      readonly name: 'stopped';
      readonly generation: number;
      /** How and why the last run ended; undefined before the first, or when it was stopped before the program ran. */
      readonly exit: ProcessExit | undefined;
      readonly reason: StopReason | undefined;
    }
  | {
      readonly name: 'starting';
      readonly generation: number;
      readonly startedAtMs: number;
      readonly pid: number | undefined;
    }
  | {
      readonly name: 'ready';
      readonly generation: number;
      readonly startedAtMs: number;
      readonly readyAtMs: number;
      readonly pid: number;
    }
  | {
      /** The program is being ended, or has ended by itself and what it left behind is being ended. */
      readonly name: 'stopping';
      readonly generation: number;
      readonly startedAtMs: number;
      readonly reason: StopReason | SelfEndReason;
      readonly pid: number | undefined;
    }
  | {
      /** The last run ended by itself or never became ready. Nothing of it runs any more. */
      readonly name: 'failed';
      readonly generation: number;
      readonly failure: ProcessFailure;
      readonly failedAtMs: number;
      readonly crashesInRow: number;
      /** No start is made before this time. */
      readonly retryAtMs: number;
    };

export type ReadyResult =
  | { readonly type: 'ready'; readonly generation: number; readonly pid: number }
  /** Nothing of that run is left. `retryAfterMs`: 0 = a new start may be tried at once. */
  | ({ readonly type: 'failed'; readonly retryAfterMs: number } & ProcessFailure)
  /** By the caller's signal (the start goes on), by a stop, or because the process is closed for good. */
  | { readonly type: 'aborted'; readonly by: 'caller' | 'stop' | 'close' };

export interface StopOptions {
  /** Overrides `stopTimeoutMs`. While a stop is under way a later call can only shorten it. */
  readonly timeoutMs?: number;
  /** SIGKILL at once. */
  readonly now?: boolean;
}

export interface ManagedProcess {
  readonly spec: ProcessSpec;
  /** What all runs of it printed. */
  readonly output: OutputLog;
  readonly state: ProcessState;
  /**
   * Starts it unless it runs, and resolves when it serves. Joins a start under way; while it is stopping, waits for the
   * end and starts it again; in back-off fails at once with the last crash. Never rejects. An aborted signal ends only
   * this wait: the start goes on for others, and whoever wants it ended calls `stop`.
   */
  ensureReady(signal?: AbortSignal): Promise<ReadyResult>;
  /**
   * Ends it and everything it started; resolves when nothing is left (or if something survives SIGKILL for 10 s: then it
   * stays `stopping`). Does nothing when it does not run. Ends waits of `ensureReady` made before it, also those for the
   * start after a stop already under way.
   */
  stop(reason: StopReason, options?: StopOptions): Promise<void>;
  /** Stops it for good: `ensureReady` answers `aborted` from now on. */
  close(options?: StopOptions): Promise<void>;
  /** Called after each change of the state's name, in order, never twice for the same. Returns the way to end it. */
  onState(listener: (state: ProcessState) => void): () => void;
}
