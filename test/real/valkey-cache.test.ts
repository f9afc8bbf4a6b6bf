/** The cache of answers in a real Valkey: what every place for answers does, and what happens when it goes away. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { CacheEntry, CacheStore } from '../../src/store/cache/cache-store.ts';
import { ValkeyCache } from '../../src/store/cache/valkey-cache.ts';
import { describeCacheStore } from '../cache-store-contract.ts';
import { realValkey, startValkey, type ValkeyServer } from './valkey-server.ts';

const { path, missing } = realValkey();
const closing: (() => void)[] = [];
beforeEach((context) => context.skip(path === undefined, missing));
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

const entry: CacheEntry = {
  key: 'one',
  body: '{"a":1}',
  storedEpochMs: Date.now(),
  expiresEpochMs: Date.now() + 600_000,
  likeness: undefined,
};

function opened(url: string, nowEpochMs: () => number = Date.now): ValkeyCache {
  const store = new ValkeyCache({ url, nowEpochMs, timeoutMs: 1000, pauseMs: 5000 });
  closing.push(() => store.close());
  return store;
}

describe('a cache in Valkey', () => {
  let server: ValkeyServer | undefined;
  beforeAll(async () => {
    if (path !== undefined) server = await startValkey({ password: 'correct-horse' });
  });
  afterAll(() => server?.stop());
  const url = (): string => server?.url ?? '';

  describeCacheStore(async () => {
    let nowMs = 1_000_000;
    const open = (): CacheStore => opened(url(), () => nowMs);
    const store = open();
    await store.clear();
    return {
      store,
      // Its clock is its own.
      pass: async (ms) => {
        nowMs += ms;
        await sleep(ms);
      },
      reopen: () => Promise.resolve(open()),
    };
  });

  test('is shared by routers', async () => {
    const [one, other] = [opened(url()), opened(url())];
    await one.set(entry);
    expect(await other.get('one')).toEqual(entry);
    await other.clear();
    expect(await one.get('one')).toBeUndefined();
  });

  test('leaves what is not its own alone when it is cleared', async () => {
    const { createClient } = await import('@redis/client');
    const client = await createClient({ url: url() }).connect();
    await client.set('theirs', 'x');
    await opened(url()).clear();
    expect(await client.get('theirs')).toBe('x');
    client.destroy();
  });

  test('rejects with a reason where the password is wrong', async () => {
    const store = opened(url().replace('correct-horse', 'wrong'));
    await expect(store.get('one')).rejects.toThrow();
    expect(await store.get('one')).toBeUndefined();
  });
});

describe('a Valkey that cannot be reached', () => {
  test('rejects once and then finds nothing, until it is back', async () => {
    let nowMs = Date.now();
    const first = await startValkey();
    const store = opened(first.url, () => nowMs);
    await store.set(entry);
    await first.stop();
    await expect(store.get('one')).rejects.toThrow();
    expect(await store.get('one')).toBeUndefined();
    nowMs += 5001;
    expect(await store.get('one')).toBeUndefined();
    const again = await startValkey({ port: first.port });
    closing.push(() => void again.stop());
    await expect
      .poll(
        () => {
          nowMs += 5001;
          return store.set({ ...entry, expiresEpochMs: nowMs + 600_000 });
        },
        { timeout: 15_000 },
      )
      .toBe(true);
    expect((await store.get('one'))?.body).toBe(entry.body);
  });

  test('is not waited for longer than a call may take', async () => {
    const server = await startValkey();
    closing.push(() => void server.stop());
    const store = opened(server.url);
    await store.set(entry);
    server.freeze();
    await expect(store.get('one')).rejects.toThrow('did not answer within 1000 ms');
    expect(await store.get('one')).toBeUndefined();
    server.thaw();
  });

  test('that was never there keeps nothing', async () => {
    const server = await startValkey();
    await server.stop();
    const store = opened(server.url);
    await expect(store.set(entry)).rejects.toThrow();
    expect(await store.set(entry)).toBe(false);
    await expect(store.clear()).rejects.toThrow();
  });
});
