import { copyFileSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test } from 'vitest';
import { StoredKeysWatch } from './stored-keys-watch.ts';
import { addStoredKey, readStoredKeys, revokeStoredKey, type StoredKey } from './stored-keys.ts';

function keysPath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'llamero-keys-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, 'keys.db');
}

const key = (name: string, rules: StoredKey['rules'] = {}): StoredKey => ({
  name,
  digest: `digest of ${name}`,
  rules,
  createdEpochMs: 5,
});

describe('a file of keys', () => {
  test('has none before the first, then what was added, and is its owner’s alone', () => {
    const path = keysPath();
    expect(readStoredKeys(path)).toEqual([]);
    const [b, a] = [key('b', { models: ['x*'], tokensPerDay: 5 }), key('a')];
    expect([addStoredKey(path, b), addStoredKey(path, a), addStoredKey(path, key('a'))]).toEqual([
      true,
      true,
      false,
    ]);
    expect(readStoredKeys(path)).toEqual([a, b]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('forgets a key that is revoked, and says when there was none', () => {
    const path = keysPath();
    expect(revokeStoredKey(path, 'a')).toBe(false);
    addStoredKey(path, key('a'));
    expect([revokeStoredKey(path, 'a'), revokeStoredKey(path, 'a'), readStoredKeys(path)]).toEqual([
      true,
      false,
      [],
    ]);
  });

  test('of a newer version, or with rules that nobody knows, is refused', () => {
    const path = keysPath();
    addStoredKey(path, key('a', { moreThan: 'this' } as StoredKey['rules']));
    expect(() => readStoredKeys(path)).toThrow(/moreThan/);
    const database = new DatabaseSync(path);
    database.exec('PRAGMA user_version = 9');
    database.close();
    expect(() => readStoredKeys(path)).toThrow(/newer version/);
  });
});

describe('a watch', () => {
  function watch(path: string) {
    const seen: string[][] = [];
    const errors: unknown[] = [];
    const watching = new StoredKeysWatch({
      path,
      onChange: (keys) => seen.push(keys.map(({ name }) => name)),
      onUnreadable: (error) => errors.push(error),
    });
    onTestFinished(() => watching.close());
    return { seen, errors };
  }

  test('tells what there is at once, and each change', async () => {
    const path = keysPath();
    const { seen } = watch(path);
    expect(seen).toEqual([[]]);
    addStoredKey(path, key('a'));
    await expect.poll(() => seen.at(-1), { timeout: 5000 }).toEqual(['a']);
    revokeStoredKey(path, 'a');
    addStoredKey(path, key('b'));
    await expect.poll(() => seen.at(-1), { timeout: 5000 }).toEqual(['b']);
    rmSync(path);
    await expect.poll(() => seen.at(-1), { timeout: 5000 }).toEqual([]);
  });

  test('keeps what it read while the file is broken, and says so once', async () => {
    const path = keysPath();
    addStoredKey(path, key('a'));
    copyFileSync(path, `${path}.good`);
    const { seen, errors } = watch(path);
    writeFileSync(path, 'not a database, and not a small file either'.repeat(100));
    await expect.poll(() => errors.length, { timeout: 5000 }).toBe(1);
    expect(seen).toEqual([['a']]);
    copyFileSync(`${path}.good`, path);
    await expect.poll(() => seen.length, { timeout: 5000 }).toBe(2);
    expect([seen.at(-1), errors.length]).toEqual([['a'], 1]);
  });
});
