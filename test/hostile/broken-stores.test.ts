/** Files of stores whose pages were overwritten: what is in memory stays there and goes on. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { Activity } from '../../src/store/activity.ts';
import { Responses } from '../../src/store/responses.ts';
import { noUsage } from '../../src/store/usage-entry.ts';
import { Usage } from '../../src/store/usage.ts';

let path: string;
beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'llamero-broken-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  path = join(folder, 'store.db');
});

/** Everything but the first page, which says what the file is. */
function breakPages(): void {
  const database = new DatabaseSync(path);
  database.exec('PRAGMA journal_mode = DELETE');
  database.close();
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.fill(0x5a, 4096));
}

const unexpected = (error: unknown): never => {
  throw error instanceof Error ? error : new Error(String(error));
};
const nowEpochMs = (): number => 1_700_000_000_000;

test('accounts in memory go on when the file that they should move to is broken', () => {
  const options = {
    path: undefined,
    nowEpochMs,
    onFault: unexpected,
    minutesMs: 1e12,
    hoursMs: 1e12,
    ageMsMax: Infinity,
    rowsMax: 1000,
  };
  new Usage({ ...options, path }).close();
  breakPages();
  const usage = new Usage(options);
  onTestFinished(() => usage.close());
  const entry = {
    key: { flow: 'f', backend: 'b', model: 'm', dialect: 'openai' },
    counts: { ...noUsage, requests: 1 },
  } as const;
  usage.add(entry);
  expect(() => usage.configure({ ...options, path })).toThrow(/malformed|not a database/);
  usage.add(entry);
  expect([...usage.rows({ fromEpochMs: 0, toEpochMs: 2e12 })].flat()).toMatchObject([
    { counts: { requests: 2 } },
  ]);
});

test('activity in memory goes on when the file that it should move to is broken', () => {
  const options = { path: undefined, rowsMax: 10, ageMsMax: Infinity, nowEpochMs, onLost: unexpected };
  new Activity({ ...options, path }).close();
  breakPages();
  const activity = new Activity(options);
  onTestFinished(() => activity.close());
  expect(() => activity.configure({ ...options, path })).toThrow(/malformed|not a database/);
  expect(activity.totals([])).toMatchObject({ requests: 0 });
});

test('responses in memory go on when the file that they should move to is broken', () => {
  const options = {
    path: undefined,
    rowsMax: 10,
    bytesMax: 1e6,
    ageMsMax: Infinity,
    nowEpochMs,
    onLost: unexpected,
  };
  new Responses({ ...options, path }).close();
  breakPages();
  const responses = new Responses(options);
  onTestFinished(() => responses.close());
  const key = { flow: 'f', id: 'r' };
  responses.put(key, { input: [], response: { id: 'r' } });
  expect(() => responses.configure({ ...options, path })).toThrow(/malformed|not a database/);
  expect(responses.get(key)?.response).toEqual({ id: 'r' });
});
