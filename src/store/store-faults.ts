/**
 * Owns which stores cannot be written now: a fault is told when it begins and when it is over, however often it shows in
 * between. Writes nothing itself.
 */

export const storeNames = ['activity', 'responses', 'usage', 'keys', 'cache'] as const;
export type StoreName = (typeof storeNames)[number];

export interface StoreFaultsOptions {
  readonly onBegin: (store: StoreName, error: unknown) => void;
  /** `failures`: how many writes failed meanwhile. */
  readonly onEnd: (store: StoreName, failures: number) => void;
}

export class StoreFaults {
  readonly #options: StoreFaultsOptions;
  readonly #failures = new Map<StoreName, number>();

  constructor(options: StoreFaultsOptions) {
    this.#options = options;
  }

  /** Stores whose last write failed. */
  get failing(): readonly StoreName[] {
    return storeNames.filter((store) => this.#failures.has(store));
  }

  failed(store: StoreName, error: unknown): void {
    const before = this.#failures.get(store) ?? 0;
    this.#failures.set(store, before + 1);
    if (before === 0) this.#options.onBegin(store, error);
  }

  worked(store: StoreName): void {
    const failures = this.#failures.get(store);
    if (failures === undefined) return;
    this.#failures.delete(store);
    this.#options.onEnd(store, failures);
  }
}
