/**
 * A name that nobody knows may have come a moment ago: backends whose lists can have changed are asked again before it is
 * refused. Owns when that was done; knows no requests.
 */
import type { Clock } from '../base/clock.ts';
import { ExpiringMap } from '../base/expiring-map.ts';
import type { ModelName } from '../domain/ids.ts';
import type { BackendDirectory } from '../engines/backend.ts';
import { isPlain } from './fleet.ts';

/** However many names are asked for, backends are not asked more often. */
const roundGapMs = 500;
/** A name that nobody had is refused at once for so long. */
const missMs = 2000;
const missesMax = 1000;
/** Longest wait for a backend that does not answer. */
const roundMsMax = 2000;

export interface RediscoveryOptions {
  readonly registry: Pick<BackendDirectory, 'list' | 'probed'>;
  readonly clock: Clock;
}

export class Rediscovery {
  readonly #registry: RediscoveryOptions['registry'];
  readonly #clock: Clock;
  readonly #misses = new ExpiringMap<ModelName, true>({ ttlMs: missMs, sizeMax: missesMax });
  #running: Promise<void> = Promise.resolve();
  /** The round after the running one, once anybody wants it. */
  #next: Promise<void> | undefined;
  #beganMs = -Infinity;

  constructor({ registry, clock }: RediscoveryOptions) {
    this.#registry = registry;
    this.#clock = clock;
  }

  /**
   * Resolves when every backend that can have the model by now was asked for its list, or had its time to answer. All who
   * call before the asking begins share it. undefined: that was done for this name a moment ago. Never rejects.
   */
  tryLookFor(model: ModelName): Promise<void> | undefined {
    if (this.#misses.get(model, this.#clock.nowMs()) !== undefined) return undefined;
    return this.#round().then(() => this.#misses.set(model, true, this.#clock.nowMs()));
  }

  #round(): Promise<void> {
    // What runs already may have passed the backend that has just got the model.
    this.#next ??= this.#running
      .then(() => this.#gap())
      .then(() => {
        this.#next = undefined;
        this.#beganMs = this.#clock.nowMs();
        this.#running = this.#askAll();
        return this.#running;
      });
    return this.#next;
  }

  #gap(): Promise<void> {
    return wait(this.#beganMs + roundGapMs - this.#clock.nowMs());
  }

  /** The dead are left to their probes. What processes of our own and peers serve is declared. */
  async #askAll(): Promise<void> {
    const asked = this.#registry
      .list()
      .filter((backend) => isPlain(backend) && backend.view.state !== 'dead')
      .map(({ id }) => this.#registry.probed(id));
    const timer = new AbortController();
    await Promise.race([Promise.all(asked), wait(roundMsMax, timer.signal)]);
    timer.abort();
  }
}

/** Resolves early when the signal says so. */
function wait(ms: number, signal?: AbortSignal): Promise<void> {
  if (ms <= 0) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
