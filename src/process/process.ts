/**
 * The state machine of one managed process: owns its state, its generation, its back-off and its one run. Knows nothing
 * of spawning and signals (`run.ts`, `child.ts`) nor of why a model is wanted (the scheduler).
 */
import { randomUUID } from 'node:crypto';
import { afterRun, noCrashes, waitBeforeStartMs } from './backoff.ts';
import { createDeadline } from './deadline.ts';
import type { Deadline } from './deadline.ts';
import { createOutputLog } from './output.ts';
import type {
  ManagedProcess,
  ProcessFailure,
  ProcessSpec,
  ProcessState,
  ReadyResult,
  SelfEndReason,
  StopOptions,
  StopReason,
} from './process-state.ts';
import { runProcess } from './run.ts';
import type { RunDeps, RunEnd } from './run.ts';
import { untilAborted } from './until-aborted.ts';

/** The process does not run yet. */
export function createProcess(spec: ProcessSpec, deps: RunDeps): ManagedProcess {
  return new Supervisor(spec, deps);
}

/** Ends all of them for good, in parallel; resolves when every one is gone. */
export async function stopAll(processes: Iterable<ManagedProcess>, options: StopOptions = {}): Promise<void> {
  await Promise.all(Array.from(processes, (managed) => managed.close(options)));
}

/** One start and everything until its end, as the state machine sees it. */
interface Run {
  readonly generation: number;
  readonly startedAtMs: number;
  readonly ready: PromiseWithResolvers<ReadyResult>;
  /** Resolves when nothing of it is left and the state says so. */
  readonly ended: PromiseWithResolvers<void>;
  /** Resolves when `stop` has to wait no longer: with `ended`, or when something survives SIGKILL. */
  readonly answered: PromiseWithResolvers<void>;
  /** Aborted by the first stop. */
  readonly stop: AbortController;
  readonly killAt: Deadline;
  stopReason: StopReason | undefined;
  pid: number | undefined;
  readyAtMs: number | undefined;
  readyForMs: number;
}

class Supervisor implements ManagedProcess {
  readonly spec: ProcessSpec;
  readonly output = createOutputLog();
  readonly #deps: RunDeps;
  readonly #listeners = new Set<(state: ProcessState) => void>();
  readonly #untold: ProcessState[] = [];
  #state: ProcessState = { name: 'stopped', generation: 0, exit: undefined, reason: undefined };
  /** Defined exactly in the states starting, ready and stopping. */
  #run: Run | undefined;
  #crashes = noCrashes;
  #closed = false;
  /** Aborted and replaced by each stop: ends the waits for a start that has not begun. */
  #wishes = new AbortController();

  constructor(spec: ProcessSpec, deps: RunDeps) {
    this.spec = spec;
    this.#deps = deps;
  }

  get state(): ProcessState {
    return this.#state;
  }

  onState(listener: (state: ProcessState) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  async ensureReady(signal?: AbortSignal): Promise<ReadyResult> {
    const wish = this.#wishes.signal;
    for (;;) {
      if (this.#closed) return { type: 'aborted', by: 'close' };
      if (wish.aborted) return { type: 'aborted', by: 'stop' };
      if (signal?.aborted === true) return { type: 'aborted', by: 'caller' };
      const run = this.#run ?? this.#tryBegin();
      if ('failure' in run) return this.#failed(run.failure);
      if (this.#state.name !== 'stopping') {
        return (await untilAborted(run.ready.promise, [signal])) ?? { type: 'aborted', by: 'caller' };
      }
      const patience = AbortSignal.timeout(this.spec.readyTimeoutMs);
      await untilAborted(run.ended.promise, [signal, wish, patience]);
      if (patience.aborted && this.#run === run) return this.#failed(stillEnding(this.spec.id, run));
    }
  }

  async stop(reason: StopReason, options: StopOptions = {}): Promise<void> {
    this.#wishes.abort();
    this.#wishes = new AbortController();
    const run = this.#run;
    if (run === undefined) return;
    const timeoutMs = options.now === true ? 0 : (options.timeoutMs ?? this.spec.stopTimeoutMs);
    run.killAt.tighten(this.#deps.clock.nowMs() + timeoutMs);
    if (this.#state.name !== 'stopping') {
      run.stopReason = reason;
      run.ready.resolve({ type: 'aborted', by: this.#closed ? 'close' : 'stop' });
      this.#enterStopping(run, reason);
      run.stop.abort();
    }
    await run.answered.promise;
  }

  close(options?: StopOptions): Promise<void> {
    this.#closed = true;
    return this.stop('shutdown', options);
  }

  /** A new run; or the last failure while it is too early for one. */
  #tryBegin(): Run | { readonly failure: ProcessFailure } {
    const { clock } = this.#deps;
    const nowMs = clock.nowMs();
    if (this.#state.name === 'failed' && waitBeforeStartMs(this.#crashes, nowMs) > 0) return this.#state;
    const run: Run = {
      generation: this.#state.generation + 1,
      startedAtMs: nowMs,
      ready: Promise.withResolvers(),
      ended: Promise.withResolvers(),
      answered: Promise.withResolvers(),
      stop: new AbortController(),
      killAt: createDeadline(clock),
      stopReason: undefined,
      pid: undefined,
      readyAtMs: undefined,
      readyForMs: 0,
    };
    this.#run = run;
    const { generation, startedAtMs, pid } = run;
    this.#setState({ name: 'starting', generation, startedAtMs, pid });
    void this.#live(run);
    return run;
  }

  async #live(run: Run): Promise<void> {
    const { generation, startedAtMs } = run;
    const end = await runProcess({
      spec: this.spec,
      deps: this.#deps,
      output: this.output,
      mark: randomUUID(),
      stop: run.stop.signal,
      killAt: run.killAt,
      events: {
        spawned: (pid) => {
          run.pid = pid;
          if (this.#state.name === 'starting' || this.#state.name === 'stopping') {
            this.#state = { ...this.#state, pid };
          }
        },
        ready: (pid) => {
          run.readyAtMs = this.#deps.clock.nowMs();
          this.#setState({ name: 'ready', generation, startedAtMs, pid, readyAtMs: run.readyAtMs });
          run.ready.resolve({ type: 'ready', generation, pid });
        },
        selfEnded: (reason) => {
          this.#enterStopping(run, reason);
        },
        stuck: (failure) => {
          if (failure !== undefined) run.ready.resolve(this.#failed(failure));
          run.answered.resolve();
        },
      },
    });
    this.#finish(run, end);
  }

  #enterStopping(run: Run, reason: StopReason | SelfEndReason): void {
    const { generation, startedAtMs, pid, readyAtMs } = run;
    if (readyAtMs !== undefined) run.readyForMs = this.#deps.clock.nowMs() - readyAtMs;
    this.#setState({ name: 'stopping', generation, startedAtMs, pid, reason });
  }

  #finish(run: Run, { failure, exit }: RunEnd): void {
    const nowMs = this.#deps.clock.nowMs();
    const { generation, readyForMs, stopReason } = run;
    run.killAt.clear();
    this.#crashes = afterRun(this.#crashes, { crashed: failure !== undefined, readyForMs, nowMs });
    this.#run = undefined;
    if (failure === undefined) {
      this.#setState({ name: 'stopped', generation, exit, reason: stopReason });
    } else {
      const { crashesInRow, notBeforeMs } = this.#crashes;
      this.#setState({
        name: 'failed',
        generation,
        failure,
        failedAtMs: nowMs,
        crashesInRow,
        retryAtMs: notBeforeMs,
      });
      run.ready.resolve(this.#failed(failure));
    }
    run.ended.resolve();
    run.answered.resolve();
  }

  #failed(failure: ProcessFailure): ReadyResult {
    const retryAfterMs = waitBeforeStartMs(this.#crashes, this.#deps.clock.nowMs());
    return { type: 'failed', retryAfterMs, ...failure };
  }

  #setState(state: ProcessState): void {
    this.#state = state;
    this.#untold.push(state);
    // A listener that changes the state is told of it, like all others, after everyone has heard of this one.
    if (this.#untold.length > 1) return;
    for (let next = this.#untold[0]; next !== undefined; next = this.#untold[0]) {
      for (const listener of Array.from(this.#listeners)) tell(listener, next);
      this.#untold.shift();
    }
  }
}

/** A listener that throws is a fault of the program and ends up as an uncaught error, but never in the state machine. */
function tell(listener: (state: ProcessState) => void, state: ProcessState): void {
  try {
    listener(state);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

function stillEnding(id: string, { pid }: Run): ProcessFailure {
  return {
    code: 'process_ready_timeout',
    message: `Process '${id}' cannot be started: its last run (pid ${pid}) has still not ended`,
    exit: undefined,
    lastLines: [],
  };
}
