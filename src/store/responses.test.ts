import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { parseExactJson } from '../base/exact-json.ts';
import { Responses, responsesPath, type ResponsesOptions, type StoredResponse } from './responses.ts';

let nowEpochMs = 1000;

function optionsOf(changes: Partial<ResponsesOptions> = {}): ResponsesOptions {
  return {
    path: undefined,
    rowsMax: 100,
    bytesMax: 1_000_000,
    ageMsMax: Number.POSITIVE_INFINITY,
    nowEpochMs: () => nowEpochMs,
    onLost: (error) => {
      throw error;
    },
    ...changes,
  };
}

function open(changes: Partial<ResponsesOptions> = {}): Responses {
  const store = new Responses(optionsOf(changes));
  onTestFinished(() => {
    store.close();
  });
  return store;
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'llamero-responses-'));
  onTestFinished(() => {
    rmSync(path, { recursive: true });
  });
  return path;
}

const keyOf = (id: string, flow = 'alice') => ({ flow, id });
const stored = (text: string): StoredResponse => ({
  input: [{ role: 'user', content: text }],
  response: { id: 'resp', output: [] },
});

test('a response is read as it was stored, only by the flow that stored it', () => {
  const store = open();
  expect(store.put(keyOf('a'), stored('ä'))).toBe(true);
  expect(store.put(keyOf('a', 'bob'), stored('b'))).toBe(true);
  expect(store.get(keyOf('a'))).toEqual(stored('ä'));
  expect(store.get(keyOf('a', 'bob'))).toEqual(stored('b'));
  expect(store.get(keyOf('a', 'carol'))).toBeUndefined();
  expect(store.get(keyOf("x' OR 1=1 --"))).toBeUndefined();
  store.put(keyOf('a'), stored('new'));
  expect(store.get(keyOf('a'))).toEqual(stored('new'));
});

test('digits that a double cannot hold are kept', () => {
  const store = open();
  const input = parseExactJson('[{"seed":12345678901234567890}]') as StoredResponse['input'];
  store.put(keyOf('a'), { input, response: {} });
  expect(JSON.stringify(store.get(keyOf('a'))?.input)).toBe('[{"seed":12345678901234567890}]');
});

test('a response is deleted by its flow', () => {
  const store = open();
  store.put(keyOf('a'), stored('a'));
  expect([store.delete(keyOf('a', 'bob')), store.delete(keyOf('a')), store.delete(keyOf('a'))]).toEqual([
    false,
    true,
    false,
  ]);
  expect(store.get(keyOf('a'))).toBeUndefined();
});

function kept(store: Responses, ids: string): string {
  return ids
    .split('')
    .filter((id) => store.get(keyOf(id)) !== undefined)
    .join('');
}

test('the oldest leave: by count, by size, by age', () => {
  const byCount = open({ rowsMax: 3 });
  for (const id of 'abcde') byCount.put(keyOf(id), stored(id));
  expect(kept(byCount, 'abcde')).toBe('cde');

  const one = Buffer.byteLength(JSON.stringify(stored('a').input) + JSON.stringify(stored('a').response));
  const bySize = open({ bytesMax: 2 * one });
  for (const id of 'abc') bySize.put(keyOf(id), stored(id));
  expect(kept(bySize, 'abc')).toBe('bc');
  expect(bySize.put(keyOf('d'), stored('d'.repeat(2 * one)))).toBe(false);
  expect(kept(bySize, 'abcd')).toBe('bc');
  bySize.delete(keyOf('c'));
  bySize.put(keyOf('e'), stored('e'));
  expect(kept(bySize, 'bce')).toBe('be');

  const byAge = open({ ageMsMax: 100 });
  byAge.put(keyOf('a'), stored('a'));
  nowEpochMs += 60;
  byAge.put(keyOf('b'), stored('b'));
  nowEpochMs += 60;
  expect(kept(byAge, 'ab')).toBe('b');
});

test('a store for none keeps none', () => {
  const store = open({ rowsMax: 0 });
  expect(store.put(keyOf('a'), stored('a'))).toBe(false);
  expect(store.get(keyOf('a'))).toBeUndefined();
});

test('other limits count at once', () => {
  const store = open();
  for (const id of 'abc') store.put(keyOf(id), stored(id));
  store.configure(optionsOf({ rowsMax: 1 }));
  expect(kept(store, 'abc')).toBe('c');
});

test('a file keeps its responses and their count', () => {
  const path = responsesPath(join(folder(), 'store.db'));
  const first = new Responses(optionsOf({ path }));
  for (const id of 'abc') first.put(keyOf(id), stored(id));
  first.close();
  expect([first.get(keyOf('a')), first.put(keyOf('d'), stored('d')), first.delete(keyOf('a'))]).toEqual([
    undefined,
    false,
    false,
  ]);
  const second = open({ path, rowsMax: 3 });
  second.put(keyOf('d'), stored('d'));
  expect(kept(second, 'abcd')).toBe('bcd');
});

test('another path begins another store, if it can be opened', () => {
  const path = folder();
  const store = open();
  store.put(keyOf('a'), stored('a'));
  expect(() => store.configure(optionsOf({ path }))).toThrow();
  expect(kept(store, 'a')).toBe('a');
  store.configure(optionsOf({ path: join(path, 'other') }));
  expect(kept(store, 'a')).toBe('');
});

test('a store of a newer version is not touched', () => {
  const path = join(folder(), 'newer');
  const newer = new DatabaseSync(path);
  newer.exec('PRAGMA user_version = 99');
  newer.close();
  expect(() => open({ path })).toThrow(/newer version/);
});
