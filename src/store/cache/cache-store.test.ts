import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { DatabaseSync } from 'node:sqlite';
import { describeCacheStore } from '../../../test/cache-store-contract.ts';
import type { CacheStore } from './cache-store.ts';
import { MemoryCache } from './memory-cache.ts';
import { SqliteCache } from './sqlite-cache.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0).toReversed()) close();
});

const bytesMax = 64 * 1024;

function inTime() {
  let nowMs = 1_000_000;
  const pass = (ms: number): Promise<void> => {
    nowMs += ms;
    return Promise.resolve();
  };
  return { nowEpochMs: () => nowMs, pass };
}

function newFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'cache-'));
  closing.push(() => rmSync(folder, { recursive: true }));
  return join(folder, 'answers.cache');
}

function closed<Store extends CacheStore>(store: Store): Store {
  closing.push(() => store.close());
  return store;
}

describe('a cache in memory', () => {
  describeCacheStore(() => {
    const { nowEpochMs, pass } = inTime();
    return Promise.resolve({ store: closed(new MemoryCache({ bytesMax, nowEpochMs })), pass });
  });
});

describe('a cache in a file', () => {
  describeCacheStore(() => {
    const { nowEpochMs, pass } = inTime();
    const path = newFile();
    const open = (): CacheStore => closed(new SqliteCache({ path, bytesMax, nowEpochMs }));
    return Promise.resolve({ store: open(), pass, reopen: () => Promise.resolve(open()) });
  });

  test('keeps the order of uses over a restart', async () => {
    const path = newFile();
    const { nowEpochMs } = inTime();
    const first = closed(new SqliteCache({ path, bytesMax, nowEpochMs }));
    const entry = { storedEpochMs: 1, expiresEpochMs: Infinity, likeness: undefined };
    const body = JSON.stringify('x'.repeat(20_000));
    for (const key of ['a', 'b', 'c']) await first.set({ ...entry, key, body });
    await first.get('a');
    first.close();
    const second = closed(new SqliteCache({ path, bytesMax, nowEpochMs }));
    await second.get('b');
    await second.set({ ...entry, key: 'd', body });
    expect(await second.get('c')).toBeUndefined();
    expect(await second.get('a')).toBeDefined();
  });

  test('makes room when it is opened with less', async () => {
    const path = newFile();
    const { nowEpochMs } = inTime();
    const first = closed(new SqliteCache({ path, bytesMax, nowEpochMs }));
    const entry = { storedEpochMs: 1, expiresEpochMs: Infinity, likeness: undefined };
    for (const key of ['a', 'b'])
      await first.set({ ...entry, key, body: JSON.stringify('x'.repeat(20_000)) });
    first.close();
    const second = closed(new SqliteCache({ path, bytesMax: 30_000, nowEpochMs }));
    expect(second.size()?.entries).toBe(1);
    expect(await second.get('b')).toBeDefined();
  });

  test('refuses a file of a newer version', () => {
    const path = newFile();
    const database = new DatabaseSync(path);
    database.exec('PRAGMA user_version = 9');
    database.close();
    expect(() => new SqliteCache({ path, bytesMax, nowEpochMs: () => 0 })).toThrow('newer version (9)');
  });

  test('rejects what is asked of it after its end', async () => {
    const store = closed(new SqliteCache({ path: newFile(), bytesMax, nowEpochMs: () => 0 }));
    store.close();
    await expect(store.get('a')).rejects.toThrow();
  });
});
