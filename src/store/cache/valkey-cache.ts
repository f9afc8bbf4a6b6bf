/**
 * Keeps answers in Valkey or Redis, so that several routers share them and they outlive each of them. While it cannot be
 * reached nothing is found and nothing kept, and nobody waits for it: only the
 * first call of an outage rejects, and those that clear it.
 */
import type { RedisClientType } from '@redis/client';
import type { CacheEntry, CacheStore, KeptQuestion } from './cache-store.ts';
import { toVector, vectorBytes } from './vectors.ts';

export interface ValkeyCacheOptions {
  /** `redis:`, `rediss:`, `valkey:` or `valkeys:`, with user, password and database where they are needed. */
  readonly url: string;
  readonly nowEpochMs: () => number;
  /** Milliseconds a call may take; default 500. */
  readonly timeoutMs?: number;
  /** Milliseconds after a failure in which it is not asked; default 5000. */
  readonly pauseMs?: number;
}

/** What an entry is there: JSON text. The vector has a key of its own, so that comparing questions moves no answers. */
interface Written {
  readonly body: string;
  readonly stored: number;
  /** null = never. */
  readonly expires: number | null;
  /** null = it is found by its key alone. */
  readonly space: string | null;
}

const prefix = 'llamero:cache:';
const entryKey = (key: string): string => `${prefix}entry:${key}`;
const vectorKey = (key: string): string => `${prefix}vector:${key}`;
const spaceKey = (space: string): string => `${prefix}space:${space}`;
/** Keys looked at, and removed, by one command. */
const scanCount = 500;
/** Calls that wait for an answer; more than that are refused, so that a slow server costs no memory. */
const queueMax = 1000;

export class ValkeyCache implements CacheStore {
  readonly #options: Required<ValkeyCacheOptions>;
  #client: Promise<RedisClientType> | undefined;
  /** Milliseconds of the epoch; undefined = the last call was answered. */
  #pausedUntilEpochMs: number | undefined;
  #isClosed = false;

  constructor(options: ValkeyCacheOptions) {
    this.#options = { timeoutMs: 500, pauseMs: 5000, ...options };
  }

  get(key: string): Promise<CacheEntry | undefined> {
    return this.#call(undefined, async (client) => {
      const text = await client.get(entryKey(key));
      if (text === null) return undefined;
      const { body, stored, expires, space } = JSON.parse(text) as Written;
      const vector = space === null ? null : await client.get(vectorKey(key));
      return {
        key,
        body,
        storedEpochMs: stored,
        expiresEpochMs: expires ?? Number.POSITIVE_INFINITY,
        likeness:
          space === null || vector === null
            ? undefined
            : { space, vector: toVector(Buffer.from(vector, 'base64')) },
      };
    });
  }

  set(entry: CacheEntry): Promise<boolean> {
    return this.#call(false, async (client) => {
      const { key, body, storedEpochMs, expiresEpochMs, likeness } = entry;
      const lives = Number.isFinite(expiresEpochMs);
      const restMs = Math.ceil(expiresEpochMs - this.#options.nowEpochMs());
      if (restMs <= 0) return false;
      const expiry = lives ? { expiration: { type: 'PX', value: restMs } as const } : {};
      const written: Written = {
        body,
        stored: storedEpochMs,
        expires: lives ? expiresEpochMs : null,
        space: likeness?.space ?? null,
      };
      const all = client.multi().set(entryKey(key), JSON.stringify(written), expiry);
      if (likeness !== undefined) {
        const vector = Buffer.from(vectorBytes(likeness.vector)).toString('base64');
        const space = spaceKey(likeness.space);
        all.set(vectorKey(key), vector, expiry).zAdd(space, { score: storedEpochMs, value: key });
        // The list of a space lives as long as what came last: what came before has the same time, or less left of it.
        if (lives) all.pExpire(space, restMs);
        else all.persist(space);
      }
      await all.exec();
      return true;
    });
  }

  delete(key: string): Promise<boolean> {
    return this.#call(false, async (client) => {
      const count = await client.unlink(entryKey(key));
      await client.unlink(vectorKey(key));
      return count > 0;
    });
  }

  /** Rejects in an outage, too: who wants answers to be forgotten has to know that they are not. */
  async clear(): Promise<void> {
    this.#client ??= connect(this.#options.url);
    const client = await within(this.#options.timeoutMs, this.#client);
    let cursor = '0';
    do {
      const page = await within(
        this.#options.timeoutMs,
        client.scan(cursor, { MATCH: `${prefix}*`, COUNT: scanCount }),
      );
      if (page.keys.length > 0) await client.unlink(page.keys);
      ({ cursor } = page);
    } while (cursor !== '0');
  }

  questions(space: string, max: number): Promise<readonly KeptQuestion[]> {
    return this.#call([], async (client) => {
      const keys = await client.zRange(spaceKey(space), 0, max - 1, { REV: true });
      if (keys.length === 0) return [];
      const vectors = await client.mGet(keys.map(vectorKey));
      const found: KeptQuestion[] = [];
      const gone: string[] = [];
      for (const [index, key] of keys.entries()) {
        const vector = vectors[index] ?? null;
        if (vector === null) gone.push(key);
        else found.push({ key, vector: toVector(Buffer.from(vector, 'base64')) });
      }
      if (gone.length > 0) await client.zRem(spaceKey(space), gone);
      return found;
    });
  }

  /** The server may hold much else, and has limits of its own. */
  size(): undefined {
    return undefined;
  }

  sweep(): void {
    // The server removes what has expired.
  }

  close(): void {
    this.#isClosed = true;
    void this.#client?.then((client) => client.destroy()).catch(nothing);
    this.#client = undefined;
  }

  async #call<Value>(otherwise: Value, call: (client: RedisClientType) => Promise<Value>): Promise<Value> {
    const { nowEpochMs, pauseMs, timeoutMs } = this.#options;
    if (this.#isClosed || nowEpochMs() < (this.#pausedUntilEpochMs ?? 0)) return otherwise;
    const isOutage = this.#pausedUntilEpochMs !== undefined;
    try {
      this.#client ??= connect(this.#options.url);
      const value = await within(timeoutMs, this.#client.then(call));
      this.#pausedUntilEpochMs = undefined;
      return value;
    } catch (error) {
      this.#pausedUntilEpochMs = nowEpochMs() + pauseMs;
      if (isOutage) return otherwise;
      throw error;
    }
  }
}

/** Loads the library only where it is needed. The connection comes back by itself when it is lost. */
async function connect(url: string): Promise<RedisClientType> {
  const { createClient } = await import('@redis/client');
  const client: RedisClientType = createClient({
    url: url.replace(/^valkey(s?):/, 'redis$1:'),
    commandsQueueMaxLength: queueMax,
    disableOfflineQueue: true,
    socket: { reconnectStrategy: (retries) => Math.min(5000, 100 * 2 ** Math.min(retries, 6)) },
  });
  // Each call says itself that it failed.
  client.on('error', nothing);
  client.connect().catch(nothing);
  await ready(client);
  return client;
}

/** Resolves with the first connection, or the first failure to get one. */
function ready(client: RedisClientType): Promise<void> {
  return new Promise((resolve) => {
    client.once('ready', () => resolve());
    client.once('error', () => resolve());
  });
}

/** @throws Error when it takes longer */
async function within<Value>(ms: number, work: Promise<Value>): Promise<Value> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`Valkey did not answer within ${ms} ms`)), ms);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function nothing(): void {}
