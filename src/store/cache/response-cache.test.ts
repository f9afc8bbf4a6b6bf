import { describe, expect, test } from 'vitest';
import { MemoryCache } from './memory-cache.ts';
import { noCounts, ResponseCache } from './response-cache.ts';
import type { CacheStore } from './cache-store.ts';

function cacheOf(more: { readonly store?: CacheStore; readonly ttlMs?: number } = {}) {
  let nowMs = 1000;
  const faults: unknown[] = [];
  const nowEpochMs = (): number => nowMs;
  const cache = new ResponseCache({
    store: more.store ?? new MemoryCache({ bytesMax: 10_000, nowEpochMs }),
    ttlMs: more.ttlMs ?? Number.POSITIVE_INFINITY,
    entryBytesMax: 1000,
    nowEpochMs,
    onFault: (error) => void faults.push(error),
  });
  return { cache, faults, pass: (ms: number) => (nowMs += ms) };
}

const space = 's';
const of = (...values: number[]): Float32Array => Float32Array.from(values);

/** A place that fails at everything. */
const broken: CacheStore = {
  get: () => Promise.reject(new Error('down')),
  set: () => Promise.reject(new Error('down')),
  delete: () => Promise.reject(new Error('down')),
  clear: () => Promise.reject(new Error('down')),
  questions: () => Promise.reject(new Error('down')),
  size: () => undefined,
  sweep: () => {
    throw new Error('down');
  },
  close: () => {},
};

describe('a cache of answers', () => {
  test('finds what it keeps, with its age, until it expires', async () => {
    const { cache, pass } = cacheOf({ ttlMs: 500 });
    await cache.keep('k', '{}');
    pass(400);
    expect(await cache.find('k')).toEqual({ body: '{}', ageMs: 400 });
    pass(100);
    expect(await cache.find('k')).toBeUndefined();
  });

  test('finds the answer to the most similar question of a space, not below the threshold', async () => {
    const { cache } = cacheOf();
    await cache.keep('near', '1', { space, vector: of(1, 0.2) });
    await cache.keep('nearer', '2', { space, vector: of(1, 0.1) });
    await cache.keep('elsewhere', '3', { space: 'other', vector: of(1, 0) });
    await cache.keep('of another model', '4', { space, vector: of(1, 0, 0) });
    const vector = of(1, 0);
    expect(await cache.findSimilar({ space, vector }, 0.9)).toMatchObject({ body: '2' });
    expect(await cache.findSimilar({ space, vector }, 0.999)).toBeUndefined();
    expect(await cache.findSimilar({ space: 'empty', vector }, 0)).toBeUndefined();
  });

  test('counts what became of requests and answers, until it is cleared', async () => {
    const { cache } = cacheOf();
    cache.hit('exact', { inputTokens: 10, outputTokens: 3 });
    cache.hit('semantic', undefined);
    cache.missed();
    cache.refused();
    await cache.keep('k', '{}');
    await cache.keep('huge', 'x'.repeat(20_000));
    expect(cache.counts).toEqual({
      hits: 2,
      semanticHits: 1,
      savedInputTokens: 10,
      savedOutputTokens: 3,
      misses: 1,
      stored: 1,
      notStored: 2,
    });
    await cache.clear();
    expect(cache.counts).toEqual(noCounts);
    expect(cache.size).toEqual({ entries: 0, bytes: 0 });
  });

  test('goes on when its place fails, and tells of it; to clear it fails', async () => {
    const { cache, faults } = cacheOf({ store: broken });
    await cache.keep('k', '{}');
    await cache.forget('k');
    cache.sweep();
    expect(await cache.find('k')).toBeUndefined();
    expect(await cache.findSimilar({ space, vector: of(1) }, 0)).toBeUndefined();
    expect(faults).toHaveLength(5);
    expect(cache.counts).toMatchObject({ stored: 0, notStored: 1 });
    await expect(cache.clear()).rejects.toThrow('down');
  });

  test('says nothing of calls after its end', async () => {
    const { cache, faults } = cacheOf({ store: broken });
    cache.close();
    await cache.keep('k', '{}');
    expect(await cache.find('k')).toBeUndefined();
    expect(faults).toEqual([]);
  });

  test('lets others wait for an answer until it has come', async () => {
    const { cache } = cacheOf();
    expect(cache.underWay('k')).toBeUndefined();
    const first = cache.awaited('k');
    const waiting = cache.underWay('k');
    const second = cache.awaited('k');
    first();
    await waiting;
    expect(cache.underWay('k')).toBeDefined();
    second();
    expect(cache.underWay('k')).toBeUndefined();
  });
});
