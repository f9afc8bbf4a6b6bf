/**
 * What the scheduler knows of a backend that is a process: which phase it is in, by its news and by what was asked of
 * it since, and what is to become of it. Takes no decision.
 */
import type { BackendState, BackendView } from '../domain/backend-view.ts';
import type { Lane } from './entry.ts';
import { Habits } from './habits.ts';
import type { Misfit } from './residency/planner.ts';
import type { Swap } from './swap.ts';

/** stopped: can be started. Every other phase takes memory. */
export type Phase = 'stopped' | 'starting' | 'ready' | 'stopping';

export class ProcessBook {
  phase: Phase = 'stopped';
  /** Of the newest load that was asked for or seen. */
  generation = 0;
  /** Its last run failed, and it must not be started yet. */
  isBackingOff = false;
  /** Why it must never be started. */
  misfit: Misfit | undefined = undefined;
  /** Somebody wants it stopped when its last request is over, or at this time; undefined = nobody does. */
  unloadByMs: number | undefined = undefined;
  /** Since when it is ready and serves nobody. */
  idleFromMs = 0;
  /** It takes nobody new, so that a lane which waited too long gets its place. */
  drainsFor: Lane | undefined = undefined;
  /** Outlives its runs. */
  readonly habits = new Habits();
  /** Until when it is kept though others wait for its place; Infinity = it is not. */
  keptUntilMs = Infinity;
  /** How it was loaded; knows who has to be served before it may go. */
  load: Swap | undefined = undefined;
  /** The last news were that its newest load has failed: a failure ended it before it was ready. */
  hasLoadFailed = false;
  #isUnloading = false;
  /** Since a load was asked for or seen; also while the process of a load that failed takes its time to end. */
  #isLoading = false;

  /** Nothing new may start there. */
  get isClosing(): boolean {
    return this.phase !== 'ready' || this.unloadByMs !== undefined || this.drainsFor !== undefined;
  }

  /** Whether those who waited for its load still wait. */
  get isOwing(): boolean {
    return this.load !== undefined && this.load.owed.size > 0;
  }

  /** Whether a view is from before the newest load, and says nothing about it. */
  isOutdated({ process: news }: BackendView): boolean {
    return news !== undefined && news.generation < this.generation;
  }

  read({ state, process: news }: BackendView): void {
    this.generation = news?.generation ?? this.generation;
    const phase = phaseOf(state);
    if (phase === 'stopped') this.#isUnloading = false;
    this.phase = this.#isUnloading ? 'stopping' : phase;
    this.hasLoadFailed = phase === 'stopped' && this.#isLoading && news?.failure !== undefined;
    if (this.phase !== 'stopping') this.#isLoading = this.phase === 'starting';
    if (this.phase !== 'ready') this.#forgetRun();
  }

  loadAsked(generation: number): void {
    this.generation = generation;
    this.phase = 'starting';
    this.#isLoading = true;
  }

  unloadAsked(): void {
    this.#isUnloading = true;
    this.#isLoading = false;
    this.phase = 'stopping';
    this.#forgetRun();
  }

  #forgetRun(): void {
    this.unloadByMs = undefined;
    this.drainsFor = undefined;
    this.keptUntilMs = Infinity;
    this.load = undefined;
  }
}

function phaseOf(state: BackendState): Phase {
  switch (state) {
    case 'stopped':
    case 'stopping':
      return state;
    case 'starting':
    case 'unknown':
      return 'starting';
    case 'live':
    case 'degraded':
    case 'dead':
    case 'draining':
      return 'ready';
  }
}
