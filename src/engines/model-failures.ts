/**
 * Which models a backend failed to serve of late. An engine with many models can answer every probe while one of them is
 * broken there: too big for the memory that is left, or its worker has died. Pure; time comes in with each call.
 */
import type { ModelName } from '../domain/ids.ts';

export class ModelFailures {
  /** Clock time of the last failure by canonical name. */
  readonly #failedMs = new Map<ModelName, number>();

  record(model: ModelName, nowMs: number): void {
    this.#failedMs.set(model, nowMs);
  }

  /** It works there. True when that is news. */
  forgive(model: ModelName): boolean {
    return this.#failedMs.delete(model);
  }

  /** Another engine stands there, or the same one after a restart. */
  clear(): void {
    this.#failedMs.clear();
  }

  /** Those that failed less than `windowMs` ago; older failures are forgotten. */
  within(windowMs: number, nowMs: number): ReadonlySet<ModelName> {
    for (const [model, failedMs] of this.#failedMs) {
      if (nowMs - failedMs >= windowMs) this.#failedMs.delete(model);
    }
    return new Set(this.#failedMs.keys());
  }
}
