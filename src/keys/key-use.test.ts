import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { KeyUse, type UseEntry } from './key-use.ts';

function usePath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'llamero-keys-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, 'use.db');
}

const entry = (startEpochMs: number): UseEntry => ({ key: 'k', period: 'day', startEpochMs });
const unexpected = (error: unknown): never => {
  throw error;
};

test('a sum is in the file within a second, though nobody closes it', async () => {
  const path = usePath();
  const use = new KeyUse({ path, onFault: unexpected });
  onTestFinished(() => use.close());
  use.set(entry(1), 5);
  use.set(entry(1), 7);
  expect(use.load(entry(1))).toBe(7);
  const beside = new DatabaseSync(path, { readOnly: true });
  onTestFinished(() => beside.close());
  const written = () => beside.prepare('SELECT tokens FROM key_use').get()?.['tokens'];
  await expect.poll(written, { timeout: 1000 }).toBe(7);
  expect(beside.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
});

test('sums that cannot be written now are written with the next ones', async () => {
  const path = usePath();
  const lost: unknown[] = [];
  const use = new KeyUse({ path, onFault: (error) => lost.push(error) });
  const beside = new DatabaseSync(path);
  beside.exec('ALTER TABLE key_use RENAME TO away');
  use.set(entry(1), 5);
  await expect.poll(() => lost.length, { timeout: 3000 }).toBe(1);
  beside.exec('ALTER TABLE away RENAME TO key_use');
  beside.close();
  use.set(entry(2), 6);
  use.close();
  const again = new KeyUse({ path, onFault: unexpected });
  expect([again.load(entry(1)), again.load(entry(2))]).toEqual([5, 6]);
  again.close();
});

test('only the newest windows stay, and a file of a newer version is refused', () => {
  const path = usePath();
  const use = new KeyUse({ path, onFault: unexpected });
  for (let day = 1; day <= 100; day += 1) use.set(entry(day), day);
  use.close();
  const again = new KeyUse({ path, onFault: unexpected });
  expect([again.load(entry(8)), again.load(entry(9)), again.load(entry(100))]).toEqual([0, 9, 100]);
  again.close();
  const newer = new DatabaseSync(path);
  newer.exec('PRAGMA user_version = 9');
  newer.close();
  expect(() => new KeyUse({ path, onFault: unexpected })).toThrow(/newer version/);
});

test('without a path nothing is kept', () => {
  const use = new KeyUse({ path: undefined, onFault: unexpected });
  use.set(entry(1), 5);
  expect(use.load(entry(1))).toBe(0);
  use.close();
});
