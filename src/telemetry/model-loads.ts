/**
 * When models of processes of our own were loaded and for how long, read off the views that the scheduler gets. Decides
 * nothing; whoever wants to know is told once per load.
 */
import type { Clock } from '../base/clock.ts';
import type { BackendView } from '../domain/backend-view.ts';
import type { BackendId, ModelName } from '../domain/ids.ts';

export interface LoadReport {
  readonly model: ModelName;
  /** aborted: stopped before it was ready, without a failure of its own. */
  readonly result: 'ready' | 'failed' | 'aborted';
  /** Clock.nowMs. */
  readonly startedMs: number;
  readonly endedMs: number;
  /** Others were stopped to make room for it. */
  readonly isSwap: boolean;
}

export interface UnloadReport {
  readonly model: ModelName;
  readonly reason: 'ttl' | 'evicted' | 'requested';
}

export interface ModelLoadsOptions {
  readonly clock: Clock;
  /** Called once per load, at its end, before the scheduler knows of it. */
  readonly onEnded: (load: LoadReport) => void;
}

interface Running {
  readonly generation: number;
  readonly startedMs: number;
}

export class ModelLoads {
  readonly #options: ModelLoadsOptions;
  readonly #running = new Map<BackendId, Running>();
  readonly #swaps = new Set<BackendId>();

  constructor(options: ModelLoadsOptions) {
    this.#options = options;
  }

  /** The scheduler wants the model loaded; `isSwap`: others stop or have stopped for it. */
  wanted(id: BackendId, isSwap: boolean): void {
    if (isSwap) this.#swaps.add(id);
    else this.#swaps.delete(id);
  }

  /** Views of backends that are no processes are ignored. */
  changed({ id, state, process }: BackendView): void {
    if (process === undefined) return;
    const running = this.#running.get(id);
    if (state === 'starting') {
      if (running?.generation === process.generation) return;
      this.#running.set(id, { generation: process.generation, startedMs: this.#options.clock.nowMs() });
    } else if (running !== undefined && state !== 'stopping') {
      const unready = process.failure === undefined ? 'aborted' : 'failed';
      this.#end(id, running, state === 'stopped' ? unready : 'ready');
    }
  }

  removed(id: BackendId): void {
    this.#running.delete(id);
    this.#swaps.delete(id);
  }

  #end(id: BackendId, { startedMs }: Running, result: LoadReport['result']): void {
    this.#running.delete(id);
    const isSwap = this.#swaps.delete(id);
    const endedMs = this.#options.clock.nowMs();
    this.#options.onEnded({ model: id, result, startedMs, endedMs, isSwap });
  }
}
