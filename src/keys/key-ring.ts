/** Owns which keys there are, those of the configuration and those of the file, and finds the one that a caller shows. */
import type { ApiKeyConfig } from '../config/schema.ts';
import { digestKey } from './key-digest.ts';
import { readConfigKey, toKeyRules, type KeyRules } from './key-rules.ts';
import type { StoredKey } from './stored-keys.ts';

export class KeyRing {
  #isRequired = false;
  #configured: readonly ApiKeyConfig[] = [];
  #stored: readonly StoredKey[] = [];
  #byDigest: ReadonlyMap<string, KeyRules> = new Map();

  /** Whether callers must show a key. */
  get isRequired(): boolean {
    return this.#isRequired;
  }

  /** Takes over the keys of the configuration. `hasFile`: there is a file of keys, too, be it empty. */
  configure(keys: readonly ApiKeyConfig[], { hasFile }: { readonly hasFile: boolean }): void {
    this.#isRequired = hasFile || keys.length > 0;
    this.#configured = keys;
    if (!hasFile) this.#stored = [];
    this.#build();
  }

  /** Takes over the keys of the file. */
  store(keys: readonly StoredKey[]): void {
    this.#stored = keys;
    this.#build();
  }

  /** Also one that has expired. */
  find(key: string): KeyRules | undefined {
    return this.#byDigest.get(digestKey(key));
  }

  /** Every key once, by name. */
  all(): KeyRules[] {
    const byName = new Map([...this.#byDigest.values()].map((rules) => [rules.name, rules]));
    return [...byName.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  /** What the configuration says comes first: a name or a key of the file that it has as well does not count. */
  #build(): void {
    const byDigest = new Map<string, KeyRules>();
    const names = new Set<string>();
    for (const [index, entry] of this.#configured.entries()) {
      const { key, rules } = readConfigKey(entry, index);
      byDigest.set(digestKey(key), rules);
      names.add(rules.name);
    }
    for (const { name, digest, rules } of this.#stored) {
      if (!names.has(name) && !byDigest.has(digest)) byDigest.set(digest, toKeyRules(name, 'file', rules));
    }
    this.#byDigest = byDigest;
  }
}
