/** Opens the place where answers are kept that the configuration names, and another one when that changes. Owns its sweeps. */
import { isDeepStrictEqual } from 'node:util';
import { resolve } from 'node:path';
import type { Clock } from './base/clock.ts';
import type { Config } from './config/schema.ts';
import type { CacheStore } from './store/cache/cache-store.ts';
import { MemoryCache } from './store/cache/memory-cache.ts';
import { ResponseCache } from './store/cache/response-cache.ts';
import { cachePath, SqliteCache } from './store/cache/sqlite-cache.ts';
import type { StoreFaults } from './store/store-faults.ts';
import { ValkeyCache } from './store/cache/valkey-cache.ts';

export interface CacheKeeperOptions {
  readonly clock: Clock;
  readonly config: Config;
  readonly faults: StoreFaults;
}

type CacheSettings = Pick<Config, 'cache' | 'store'>;

const sweepIntervalMs = 60_000;

export class CacheKeeper {
  readonly #options: CacheKeeperOptions;
  readonly #sweeps: NodeJS.Timeout;
  #settings: CacheSettings | undefined;
  #cache: ResponseCache | undefined;

  constructor(options: CacheKeeperOptions) {
    this.#options = options;
    this.configure(options.config);
    this.#sweeps = setInterval(() => this.#cache?.sweep(), sweepIntervalMs).unref();
  }

  /** undefined = no answers are kept. */
  get current(): ResponseCache | undefined {
    return this.#cache;
  }

  /** What a memory holds goes with it when its limits change. */
  configure(config: Config): void {
    const settings = { cache: config.cache, store: config.store };
    if (isDeepStrictEqual(settings, this.#settings)) return;
    this.#settings = settings;
    this.#cache?.close();
    this.#cache = config.cache.enabled ? this.#open(config) : undefined;
  }

  close(): void {
    clearInterval(this.#sweeps);
    this.#cache?.close();
    this.#cache = undefined;
  }

  /** A router that cannot keep answers still routes. */
  #open(config: Config): ResponseCache | undefined {
    const { faults, clock } = this.#options;
    const { ttl, entrySizeMax } = config.cache;
    const nowEpochMs = (): number => clock.epochMs();
    try {
      return new ResponseCache({
        store: this.#openStore(config, nowEpochMs),
        ttlMs: ttl === 0 ? Number.POSITIVE_INFINITY : ttl,
        entryBytesMax: entrySizeMax,
        nowEpochMs,
        onFault: (error) => faults.failed('cache', error),
        onKept: () => faults.worked('cache'),
      });
    } catch (error) {
      faults.failed('cache', error);
      return undefined;
    }
  }

  /** @throws Error */
  #openStore({ cache, store }: CacheSettings, nowEpochMs: () => number): CacheStore {
    const bytesMax = cache.sizeMax;
    if (cache.store === 'memory') return new MemoryCache({ bytesMax, nowEpochMs });
    if (cache.store === 'valkey') return new ValkeyCache({ url: cache.url ?? '', nowEpochMs });
    return new SqliteCache({ path: cachePath(resolve(store?.path ?? '')), bytesMax, nowEpochMs });
  }
}
