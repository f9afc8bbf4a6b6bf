/**
 * Which profile is in force: at most one, chosen at run time and kept over reloads while it exists. Owns that choice
 * alone; what the pins of a profile mean is the business of whoever resolves names.
 */
import type { ResolvedProfile } from '../config/models.ts';

type Profiles = ReadonlyMap<string, ResolvedProfile>;

/** Called after each change, with the name of the active profile; undefined = none is active. */
export type ProfileListener = (active: string | undefined) => void;

export class ActiveProfile {
  #profiles: Profiles;
  #active: string | undefined;
  #listeners: readonly ProfileListener[] = [];

  constructor(profiles: Profiles) {
    this.#profiles = profiles;
  }

  /** All that can be chosen. */
  get all(): Profiles {
    return this.#profiles;
  }

  get name(): string | undefined {
    return this.#active;
  }

  /** The chosen profile as it is configured now. */
  get current(): ResolvedProfile | undefined {
    return this.#active === undefined ? undefined : this.#profiles.get(this.#active);
  }

  /** undefined = none. False when there is none of that name; then nothing changes. */
  choose(name: string | undefined): boolean {
    if (name !== undefined && !this.#profiles.has(name)) return false;
    this.#become(name);
    return true;
  }

  /** Takes over the profiles of a new configuration. */
  apply(profiles: Profiles): void {
    this.#profiles = profiles;
    if (this.#active !== undefined && !profiles.has(this.#active)) this.#become(undefined);
  }

  /** Returns the function that ends the subscription. */
  subscribe(listener: ProfileListener): () => void {
    this.#listeners = [...this.#listeners, listener];
    return () => {
      this.#listeners = this.#listeners.filter((other) => other !== listener);
    };
  }

  #become(name: string | undefined): void {
    if (name === this.#active) return;
    this.#active = name;
    for (const listener of this.#listeners) listener(name);
  }
}
