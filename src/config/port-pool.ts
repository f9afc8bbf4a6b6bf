/**
 * Ports for `${PORT}`: counted up from `startPort` in the order of the sorted model ids. On a reload a model that had one
 * keeps it, so that models that come and go do not move the ports of others.
 */

const portMax = 65_535;

export class PortPool {
  readonly #kept: ReadonlyMap<string, number>;
  readonly #taken = new Set<number>();
  readonly #reserved: ReadonlySet<number>;
  #next: number;

  /** `kept`: ports in use by models of the same name; of several models with one port, the first asking gets it. */
  constructor(startPort: number, kept: ReadonlyMap<string, number> = new Map()) {
    this.#next = startPort;
    this.#kept = kept;
    this.#reserved = new Set(kept.values());
  }

  /** A port for one model; undefined = there are none left. */
  take(model: string): number | undefined {
    const kept = this.#kept.get(model);
    if (kept !== undefined && !this.#taken.has(kept)) {
      this.#taken.add(kept);
      return kept;
    }
    while (this.#taken.has(this.#next) || this.#reserved.has(this.#next)) this.#next += 1;
    if (this.#next > portMax) return undefined;
    this.#taken.add(this.#next);
    return this.#next;
  }
}
