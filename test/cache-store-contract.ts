/** What every place for kept answers has to do. Run by the tests of each. */
import { expect, test } from 'vitest';
import type { CacheEntry, CacheStore } from '../src/store/cache/cache-store.ts';

export interface StoreUnderTest {
  readonly store: CacheStore;
  /** Lets this time pass for it. */
  readonly pass: (ms: number) => Promise<void>;
  /** The same place, opened again; absent = what it holds goes with it. */
  readonly reopen?: () => Promise<CacheStore>;
}

const answer =
  '{"choices":[{"message":{"content":"Grüße 🦙 \\u0000\\"quoted\\""}}],"seed":12345678901234567890}';
const vector = Float32Array.from([0.6, -0.8, 0]);

/** `open`: an empty store of 64 KiB, where it counts bytes. */
export function describeCacheStore(open: () => Promise<StoreUnderTest>): void {
  const entry = (key: string, more: Partial<CacheEntry> = {}): CacheEntry => ({
    key,
    body: answer,
    storedEpochMs: 1_000_000,
    expiresEpochMs: Number.POSITIVE_INFINITY,
    likeness: undefined,
    ...more,
  });

  test('gives back exactly what was put in, and nothing for other keys', async () => {
    const { store } = await open();
    const kept = entry('one', { likeness: { space: 's', vector } });
    expect(await store.set(kept)).toBe(true);
    expect(await store.get('one')).toEqual(kept);
    expect(await store.get('two')).toBeUndefined();
  });

  test('replaces an entry of the same key', async () => {
    const { store } = await open();
    await store.set(entry('one'));
    await store.set(entry('one', { body: '{"second":true}' }));
    expect((await store.get('one'))?.body).toBe('{"second":true}');
    expect(store.size()?.entries ?? 1).toBe(1);
  });

  test('deletes one entry, and says whether there was one', async () => {
    const { store } = await open();
    await store.set(entry('one', { likeness: { space: 's', vector } }));
    await store.set(entry('two'));
    expect(await store.delete('one')).toBe(true);
    expect(await store.delete('one')).toBe(false);
    expect(await store.get('one')).toBeUndefined();
    expect(await store.questions('s', 10)).toEqual([]);
    expect(await store.get('two')).toBeDefined();
  });

  test('clears everything', async () => {
    const { store } = await open();
    await store.set(entry('one', { likeness: { space: 's', vector } }));
    await store.set(entry('two'));
    await store.clear();
    expect(await store.get('one')).toBeUndefined();
    expect(await store.get('two')).toBeUndefined();
    expect(await store.questions('s', 10)).toEqual([]);
    expect(store.size() ?? { entries: 0, bytes: 0 }).toEqual({ entries: 0, bytes: 0 });
  });

  test('gives out nothing that has expired, and removes it', async () => {
    const { store, pass } = await open();
    const likeness = { space: 's', vector };
    await store.set(entry('short', { expiresEpochMs: 1_000_200, likeness }));
    await store.set(entry('long', { expiresEpochMs: 9_000_000, likeness }));
    expect(await store.get('short')).toBeDefined();
    await pass(300);
    expect((await store.questions('s', 10)).map(({ key }) => key)).toEqual(['long']);
    store.sweep();
    expect(store.size()?.entries ?? 1).toBe(1);
    expect(await store.get('short')).toBeUndefined();
    expect(await store.get('long')).toBeDefined();
  });

  test('lists the questions of one space alone, not more than wanted', async () => {
    const { store } = await open();
    await store.set(entry('a', { likeness: { space: 's', vector } }));
    await store.set(entry('b', { storedEpochMs: 1_000_100, likeness: { space: 's', vector } }));
    await store.set(entry('c', { likeness: { space: 'other', vector } }));
    await store.set(entry('d'));
    const all = await store.questions('s', 10);
    expect(all.map(({ key }) => key).toSorted()).toEqual(['a', 'b']);
    expect(all[0]?.vector).toEqual(vector);
    expect(await store.questions('s', 1)).toHaveLength(1);
  });

  test('lets what was used longest ago go when there is no room, where it counts bytes', async () => {
    const { store } = await open();
    if (store.size() === undefined) return;
    const body = JSON.stringify('x'.repeat(20_000));
    for (const key of ['a', 'b', 'c']) await store.set(entry(key, { body }));
    await store.get('a');
    await store.set(entry('d', { body }));
    expect(await store.get('b')).toBeUndefined();
    for (const key of ['a', 'c', 'd']) expect(await store.get(key), key).toBeDefined();
    expect(store.size()?.bytes).toBeLessThanOrEqual(64 * 1024);
    expect(await store.set(entry('huge', { body: JSON.stringify('x'.repeat(70_000)) }))).toBe(false);
    expect(store.size()?.entries).toBe(3);
  });

  test('takes many calls at once', async () => {
    const { store } = await open();
    const keys = Array.from({ length: 50 }, (_, index) => `key ${index}`);
    await Promise.all(keys.map((key) => store.set(entry(key, { body: JSON.stringify(key) }))));
    const found = await Promise.all(keys.map((key) => store.get(key)));
    expect(found.map((kept) => kept?.body)).toEqual(keys.map((key) => JSON.stringify(key)));
  });

  test('finds its entries again when it is opened again, where it lasts', async () => {
    const { store, reopen } = await open();
    if (reopen === undefined) return;
    const kept = entry('one', { likeness: { space: 's', vector }, expiresEpochMs: 9_000_000 });
    await store.set(kept);
    const size = store.size();
    store.close();
    const again = await reopen();
    expect(await again.get('one')).toEqual(kept);
    expect(again.size()).toEqual(size);
  });
}
