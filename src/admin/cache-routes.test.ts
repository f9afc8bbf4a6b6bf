import { describe, expect, test } from 'vitest';
import { createFakeFleet } from '../../test/fake-admin-deps.ts';
import type { CacheStore } from '../store/cache/cache-store.ts';
import { MemoryCache } from '../store/cache/memory-cache.ts';
import { ResponseCache } from '../store/cache/response-cache.ts';
import { createAdminApp } from './app.ts';
import { cacheInvalidatedSchema, cacheSchema, cacheStatsSchema } from './contract-cache.ts';

function createCache(changes: Partial<CacheStore> = {}): ResponseCache {
  const nowEpochMs = (): number => 1000;
  const store = Object.assign(new MemoryCache({ bytesMax: 10_000, nowEpochMs }), changes);
  return new ResponseCache({ store, ttlMs: 1000, entryBytesMax: 1000, nowEpochMs, onFault: () => {} });
}

function createAdmin(cache: ResponseCache | undefined) {
  const fleet = createFakeFleet();
  fleet.cache = cache;
  const app = createAdminApp(fleet.deps);
  return async (path: string, method = 'GET'): Promise<{ status: number; body: unknown }> => {
    const response = await app.request(path, { method });
    return { status: response.status, body: await response.json() };
  };
}

describe('the cache of answers', () => {
  test('is told of with its size and how often it served', async () => {
    const cache = createCache();
    await cache.keep('one', '{}');
    cache.hit('exact', { inputTokens: 10, outputTokens: 3 });
    cache.hit('semantic', { inputTokens: 5, outputTokens: 1 });
    cache.missed();
    cache.missed();
    const ask = createAdmin(cache);
    const body = cacheSchema.parse((await ask('/api/cache')).body);
    expect(body).toMatchObject({ enabled: true, store: 'memory', entries: 1, stored: 1, not_stored: 0 });
    expect(body).toMatchObject({ hits: 2, semantic_hits: 1, misses: 2, hit_rate: 0.5 });
    expect(body).toMatchObject({ saved_input_tokens: 15, saved_output_tokens: 4 });
    expect(body.bytes).toBeGreaterThan(0);
    expect(cacheStatsSchema.parse((await ask('/api/cache/stats')).body)).toEqual({
      enabled: true,
      hits: 2,
      misses: 2,
      hit_rate: 0.5,
      semantic: false,
      backend: 'memory',
      similarity_threshold: 1,
      history_weight: null,
    });
  });

  test('is told of where nothing is kept', async () => {
    const ask = createAdmin(undefined);
    expect(cacheSchema.parse((await ask('/api/cache')).body)).toMatchObject({
      enabled: false,
      entries: null,
      hit_rate: null,
    });
    expect((await ask('/api/cache/stats')).body).toEqual({ enabled: false });
    expect((await ask('/api/cache', 'DELETE')).body).toEqual({ enabled: false, cleared: false });
  });

  test.each([
    ['/api/cache', 'DELETE'],
    ['/api/cache/invalidate', 'POST'],
  ])('forgets everything with %s %s, its counts included', async (path, method) => {
    const cache = createCache();
    await cache.keep('one', '{}');
    cache.missed();
    const ask = createAdmin(cache);
    const { status, body } = await ask(path, method);
    expect([status, cacheInvalidatedSchema.parse(body)]).toEqual([200, { enabled: true, cleared: true }]);
    expect((await ask('/api/cache')).body).toMatchObject({ entries: 0, misses: 0, stored: 0 });
  });

  test('says so when it could not be made to forget', async () => {
    const cache = createCache({ clear: () => Promise.reject(new Error('gone')) });
    const { status, body } = await createAdmin(cache)('/api/cache', 'DELETE');
    expect(status).toBe(500);
    expect(JSON.stringify(body)).toContain('not forgotten');
  });
});
