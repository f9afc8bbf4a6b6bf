import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { ActivityRow } from './activity-row.ts';
import { Activity, type ActivityFilter, type ActivityOptions, type ActivitySort } from './activity.ts';

const onLost = (error: unknown): never => {
  throw error;
};

/** Unless said otherwise: in memory, for ever. */
function optionsOf(options: Partial<ActivityOptions>): ActivityOptions {
  return { path: undefined, rowsMax: 1000, ageMsMax: Infinity, nowEpochMs: () => 0, onLost, ...options };
}

function open(options: Partial<ActivityOptions> = {}): Activity {
  const activity = new Activity(optionsOf(options));
  onTestFinished(() => {
    activity.close();
  });
  return activity;
}

function row(changes: Partial<ActivityRow> = {}): ActivityRow {
  return {
    createdEpochMs: 1000,
    requestId: 'r',
    model: 'm',
    path: '/v1/chat/completions',
    flow: 'alice',
    backend: 'one',
    contentType: 'application/json',
    status: 200,
    outcome: 'completed',
    cacheTokens: -1,
    draftTokens: -1,
    draftTokensAccepted: -1,
    inputTokens: 10,
    outputTokens: 5,
    promptRate: -1,
    outputRate: -1,
    durationMs: 100,
    queuedMs: 10,
    loadMs: 0,
    promptMs: 20,
    generationMs: 70,
    errorMessage: '',
    metadata: {},
    ...changes,
  };
}

const all: ActivityFilter = { models: [] };
const newest = { limit: 1, page: 1, sort: 'id', descending: true } as const;

function ids(
  activity: Activity,
  filter: ActivityFilter = all,
  page: { limit?: number; page?: number; sort?: ActivitySort; descending?: boolean } = {},
): number[] {
  const { rows } = activity.list(filter, { limit: 25, page: 1, sort: 'id', descending: true, ...page });
  return rows.map(({ id }) => id);
}

test('STO-1: rows are read as they were written, newest first', () => {
  const activity = open();
  const written = row({
    model: 'ä/b',
    metadata: { selector: 's' },
    promptRate: 12.5,
    errorMessage: "it's bad",
  });
  expect([activity.add(written), activity.add(row())]).toEqual([1, 2]);
  const { rows, total } = activity.list(all, { limit: 25, page: 1, sort: 'id', descending: true });
  expect(total).toBe(2);
  expect(rows).toEqual([
    { ...row(), id: 2 },
    { ...written, id: 1 },
  ]);
});

test('STO-1: totals of a page count what the filter lets through', () => {
  const activity = open();
  for (let index = 0; index < 30; index += 1) activity.add(row({ model: index % 3 === 0 ? 'a' : 'b' }));
  const page = activity.list({ models: ['a'] }, { limit: 4, page: 3, sort: 'id', descending: true });
  expect([page.total, page.rows.map(({ id }) => id)]).toEqual([10, [4, 1]]);
  expect(ids(activity, all, { limit: 25, page: 2 })).toEqual([5, 4, 3, 2, 1]);
});

test.each<[string, ActivityFilter, number[]]>([
  ['models', { models: ['a', 'c'] }, [4, 3, 1]],
  ['time, inclusive', { models: [], fromEpochMs: 2000, toEpochMs: 3000 }, [3, 2]],
  ['ids, inclusive', { models: [], idMin: 2, idMax: 3 }, [3, 2]],
  ['all of them together', { models: ['a'], fromEpochMs: 1000, idMin: 2 }, [4]],
  ['nothing that is there', { models: ["x' OR 1=1 --"] }, []],
])('ACT-1: rows are chosen by %s', (_name, filter, expected) => {
  const activity = open();
  for (const [index, model] of ['a', 'b', 'c', 'a'].entries()) {
    activity.add(row({ model, createdEpochMs: (index + 1) * 1000 }));
  }
  expect(ids(activity, filter)).toEqual(expected);
});

test.each<[ActivitySort, number[]]>([
  ['duration', [3, 1, 2]],
  ['model', [2, 3, 1]],
  ['cached', [1, 3, 2]],
  ['time', [2, 1, 3]],
])('STO-1: rows are sorted by %s, and equal ones by age', (sort, ascending) => {
  const activity = open();
  activity.add(row({ durationMs: 2, model: 'c', cacheTokens: -1, createdEpochMs: 2000 }));
  activity.add(row({ durationMs: 3, model: 'a', cacheTokens: 5, createdEpochMs: 1000 }));
  activity.add(row({ durationMs: 1, model: 'b', cacheTokens: -1, createdEpochMs: 2000 }));
  expect(ids(activity, all, { sort, descending: false })).toEqual(ascending);
  expect(ids(activity, all, { sort, descending: true })).toEqual([...ascending].reverse());
});

test('STO-1, ACT-2: sums take an unknown cache for none', () => {
  const activity = open();
  activity.add(row({ cacheTokens: -1, outputRate: 10 }));
  activity.add(row({ cacheTokens: 4, outputRate: 30 }));
  activity.add(row({ model: 'other', inputTokens: 1000 }));
  expect(activity.totals(['m'])).toMatchObject({
    requests: 2,
    inputTokens: 20,
    outputTokens: 10,
    cacheTokens: 4,
    prompt: null,
    output: { min: 10, max: 30, p50: 20 },
  });
  expect(activity.totals([]).inputTokens).toBe(1020);
  expect(open().totals([])).toMatchObject({ requests: 0, inputTokens: 0, output: null });
});

test('STO-1: the oldest rows leave', () => {
  const activity = open({ rowsMax: 5 });
  for (let index = 0; index < 12; index += 1) activity.add(row());
  expect(ids(activity)).toEqual([12, 11, 10, 9, 8]);
});

test('rows that are too old leave, in parts, and new ones stay', async () => {
  let nowEpochMs = 0;
  const activity = open({ rowsMax: Infinity, ageMsMax: 10_000, nowEpochMs: () => nowEpochMs });
  for (let index = 0; index < 5000; index += 1) activity.add(row({ createdEpochMs: index }));
  expect(activity.list(all, newest).total).toBe(5000);
  nowEpochMs = 14_000;
  activity.configure(optionsOf({ rowsMax: Infinity, ageMsMax: 10_000, nowEpochMs: () => nowEpochMs }));
  await expect.poll(() => activity.list(all, newest).total).toBe(1000);
  expect(ids(activity, all, { descending: false, limit: 1 })).toEqual([4001]);
});

test('a file of which most has left shrinks, and does not grow while rows come and go', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'llamero-activity-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  const path = join(folder, 'store.db');
  const heavy = row({ metadata: { text: 'x'.repeat(1000) } });
  const fill = (activity: Activity, count: number): void => {
    for (let index = 0; index < count; index += 1) activity.add(heavy);
    activity.list(all, newest);
  };
  const size = (): number => statSync(path).size;
  const activity = open({ path, rowsMax: Infinity });
  fill(activity, 9000);
  await expect.poll(() => size()).toBeGreaterThan(5_000_000);
  activity.configure(optionsOf({ path, rowsMax: 500 }));
  await expect.poll(() => activity.list(all, newest).total).toBe(500);
  // What leaves the file is in the log beside it until that is taken over, which happens as rows come.
  await expect
    .poll(() => {
      fill(activity, 100);
      return size();
    })
    .toBeLessThan(6_000_000);
  const settled = size();
  for (let round = 0; round < 20; round += 1) fill(activity, 400);
  expect(size()).toBeLessThanOrEqual(settled + 1_000_000);
});

test('STO-1: a file keeps its rows, has a write-ahead log, and ids go on', () => {
  const folder = mkdtempSync(join(tmpdir(), 'llamero-activity-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  const path = join(folder, 'store.db');
  const first = new Activity(optionsOf({ path, rowsMax: 2 }));
  for (let index = 0; index < 4; index += 1) first.add(row());
  first.close();
  const second = open({ path, rowsMax: 2 });
  expect([second.add(row()), ids(second)]).toEqual([5, [5, 4]]);
  const beside = new DatabaseSync(path, { readOnly: true });
  expect(beside.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
  beside.close();
});

test('a store of a newer version is not touched', () => {
  const folder = mkdtempSync(join(tmpdir(), 'llamero-activity-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  const path = join(folder, 'store.db');
  const newer = new DatabaseSync(path);
  newer.exec('PRAGMA user_version = 99');
  newer.close();
  expect(() => new Activity(optionsOf({ path, rowsMax: 2 }))).toThrow(/newer version/);
});

test('another path begins another store, whose ids are new ones', () => {
  const folder = mkdtempSync(join(tmpdir(), 'llamero-activity-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  const activity = open();
  activity.add(row());
  expect(() => activity.configure(optionsOf({ path: folder, rowsMax: 5 }))).toThrow();
  expect(ids(activity)).toEqual([1]);
  activity.configure(optionsOf({ path: join(folder, 'store.db'), rowsMax: 5 }));
  expect([activity.add(row()), ids(activity)]).toEqual([2, [2]]);
});
