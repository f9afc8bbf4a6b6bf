/** Keeps answers in the memory of this process: those that nobody has asked for longest leave first. Gone at its end. */
import { entryBytes } from './cache-store.ts';
import type { CacheEntry, CacheSize, CacheStore, KeptQuestion } from './cache-store.ts';

export interface MemoryCacheOptions {
  readonly bytesMax: number;
  readonly nowEpochMs: () => number;
}

export class MemoryCache implements CacheStore {
  readonly #options: MemoryCacheOptions;
  /** In the order of their last use. */
  readonly #entries = new Map<string, CacheEntry>();
  #bytes = 0;

  constructor(options: MemoryCacheOptions) {
    this.#options = options;
  }

  get(key: string): Promise<CacheEntry | undefined> {
    const entry = this.#entries.get(key);
    if (entry === undefined) return Promise.resolve(undefined);
    this.#entries.delete(key);
    if (this.#isExpired(entry)) {
      this.#bytes -= entryBytes(entry);
      return Promise.resolve(undefined);
    }
    this.#entries.set(key, entry);
    return Promise.resolve(entry);
  }

  set(entry: CacheEntry): Promise<boolean> {
    const bytes = entryBytes(entry);
    if (bytes > this.#options.bytesMax) return Promise.resolve(false);
    this.#remove(entry.key);
    this.#entries.set(entry.key, entry);
    this.#bytes += bytes;
    for (const key of this.#entries.keys()) {
      if (this.#bytes <= this.#options.bytesMax) break;
      this.#remove(key);
    }
    return Promise.resolve(true);
  }

  delete(key: string): Promise<boolean> {
    return Promise.resolve(this.#remove(key));
  }

  clear(): Promise<void> {
    this.#entries.clear();
    this.#bytes = 0;
    return Promise.resolve();
  }

  questions(space: string, max: number): Promise<readonly KeptQuestion[]> {
    const found: (KeptQuestion & { readonly storedEpochMs: number })[] = [];
    for (const entry of this.#entries.values()) {
      const { key, likeness, storedEpochMs } = entry;
      if (likeness?.space !== space || this.#isExpired(entry)) continue;
      found.push({ key, vector: likeness.vector, storedEpochMs });
    }
    found.sort((one, other) => other.storedEpochMs - one.storedEpochMs);
    return Promise.resolve(found.slice(0, max).map(({ key, vector }) => ({ key, vector })));
  }

  size(): CacheSize {
    return { entries: this.#entries.size, bytes: this.#bytes };
  }

  sweep(): void {
    for (const [key, entry] of this.#entries) if (this.#isExpired(entry)) this.#remove(key);
  }

  close(): void {
    this.#entries.clear();
    this.#bytes = 0;
  }

  #isExpired({ expiresEpochMs }: CacheEntry): boolean {
    return expiresEpochMs <= this.#options.nowEpochMs();
  }

  #remove(key: string): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    this.#bytes -= entryBytes(entry);
    return this.#entries.delete(key);
  }
}
