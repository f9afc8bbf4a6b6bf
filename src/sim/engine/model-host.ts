/** Where a request's model comes from: one model that is loaded at the start, or several that a router loads on demand. */
import type { TimerHandle, Timers } from '../timers.ts';
import { EngineError, notFound } from './engine-error.ts';
import type { SimEngineOptions, SimModel } from './options.ts';
import { createRunner, type Runner } from './runner.ts';

export interface ModelHost {
  /** The model that the whole server is; undefined in router mode. */
  readonly single: Runner | undefined;
  readonly models: readonly HostedModel[];
  /** Resolves when the model is loaded. Throws EngineError: no name, unknown, not loaded and `autoload` false. */
  runner(name: unknown, autoload: boolean): Promise<Runner>;
  /** Begins to load or to unload and returns at once. Throws EngineError when there is nothing to do. */
  load(name: unknown): void;
  unload(name: unknown): void;
  close(): void;
}

export interface HostedModel {
  readonly model: SimModel;
  readonly status: 'unloaded' | 'loading' | 'loaded';
  readonly runner: Runner | undefined;
}

export function createSingleHost(options: SimEngineOptions, timers: Timers): ModelHost {
  const [model] = options.models;
  const single = createRunner(model, options, { timers, idle: () => undefined });
  return {
    single,
    models: [{ model, status: 'loaded', runner: single }],
    runner: () => Promise.resolve(single),
    load: () => {
      throw notFound();
    },
    unload: () => {
      throw notFound();
    },
    close: () => single.pool.close(),
  };
}

interface RoutedModel {
  readonly model: SimModel;
  status: HostedModel['status'];
  runner: Runner | undefined;
  usedAt: number;
  timer: TimerHandle | undefined;
}

export class RouterHost implements ModelHost {
  readonly single = undefined;
  readonly #options: SimEngineOptions;
  readonly #timers: Timers;
  readonly #models: readonly RoutedModel[];
  /** Requests that wait for a model or for room, tried again whenever something changed. */
  #waiting: (() => void)[] = [];
  #uses = 0;

  constructor(options: SimEngineOptions, timers: Timers) {
    this.#options = options;
    this.#timers = timers;
    this.#models = options.models.map((model) => ({
      model,
      status: 'unloaded',
      runner: undefined,
      usedAt: 0,
      timer: undefined,
    }));
  }

  get models(): readonly HostedModel[] {
    return this.#models;
  }

  async runner(name: unknown, autoload: boolean): Promise<Runner> {
    const wanted = this.#find(name);
    for (;;) {
      this.#uses += 1;
      wanted.usedAt = this.#uses;
      if (wanted.runner !== undefined) return wanted.runner;
      // A model that is loading is waited for in any case.
      if (wanted.status === 'unloaded') {
        if (!autoload) throw new EngineError(400, 'model is not loaded');
        if (this.#makeRoom()) this.#startLoading(wanted);
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  load(name: unknown): void {
    const model = this.#tryFind(name);
    if (model === undefined) throw notFound();
    if (model.status !== 'unloaded') throw new EngineError(400, 'model is already running');
    this.#makeRoom();
    this.#startLoading(model);
  }

  unload(name: unknown): void {
    const model = this.#tryFind(name);
    if (model === undefined) throw new EngineError(400, 'model is not found');
    if (model.status === 'unloaded') throw new EngineError(400, 'model is not running');
    this.#stop(model);
  }

  close(): void {
    for (const model of this.#models) this.#stop(model);
  }

  #find(name: unknown): RoutedModel {
    if (typeof name !== 'string' || name === '') {
      throw new EngineError(400, 'model name is missing from the request');
    }
    const found = this.#tryFind(name);
    if (found === undefined) throw new EngineError(400, `model '${name}' not found`);
    return found;
  }

  #tryFind(name: unknown): RoutedModel | undefined {
    return this.#models.find(({ model }) => model.id === name || model.aliases?.includes(String(name)));
  }

  /** Stops the idle model that was used longest ago if the house is full. False = all are busy. */
  #makeRoom(): boolean {
    const running = this.#models.filter((each) => each.status !== 'unloaded');
    if (running.length < (this.#options.router?.modelsMax ?? Infinity)) return true;
    const idle = running.filter(({ runner }) => runner?.pool.busy === 0 && runner.pool.queued === 0);
    const victim = idle.sort((one, other) => one.usedAt - other.usedAt)[0];
    if (victim === undefined) return false;
    this.#stop(victim);
    return true;
  }

  #startLoading(entry: RoutedModel): void {
    entry.status = 'loading';
    entry.timer = this.#timers.set(() => {
      entry.status = 'loaded';
      entry.runner = createRunner(entry.model, this.#options, {
        timers: this.#timers,
        idle: () => this.#changed(),
      });
      this.#changed();
    }, entry.model.loadMs ?? 0);
  }

  #stop(entry: RoutedModel): void {
    this.#timers.clear(entry.timer);
    const { runner } = entry;
    entry.status = 'unloaded';
    entry.runner = undefined;
    runner?.pool.close();
    this.#changed();
  }

  #changed(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resume of waiting) resume();
  }
}
