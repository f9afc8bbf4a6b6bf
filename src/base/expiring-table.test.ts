import { expect, test } from 'vitest';
import { ExpiringTable } from './expiring-table.ts';

test('expiring table forgets an entry when its time is over, counted from its last use', () => {
  const map = new ExpiringTable<string, string, number>({ ttlMs: 100, sizeMax: 10 });
  map.set('g', 'a', { value: 1, nowMs: 0 });
  map.set('g', 'b', { value: 2, nowMs: 50 });
  map.set('g', 'a', { value: 3, nowMs: 60 });
  expect(map.get('g', 'b', 149)).toBe(2);
  expect(map.get('g', 'b', 150)).toBeUndefined();
  map.prune(155);
  expect(map.size).toBe(1);
  expect(map.get('g', 'a', 159)).toBe(3);
  expect(map.get('g', 'a', 160)).toBeUndefined();
});

test('expiring table lists what was used last, with the time that is left', () => {
  const map = new ExpiringTable<string, string, number>({ ttlMs: 100, sizeMax: 10 });
  map.set('g', 'a', { value: 1, nowMs: 0 });
  map.set('g', 'b', { value: 2, nowMs: 50 });
  map.set('g', 'c', { value: 3, nowMs: 60 });
  expect(map.newest(110, 5)).toEqual([
    { row: 'g', column: 'c', value: 3, remainingMs: 50 },
    { row: 'g', column: 'b', value: 2, remainingMs: 40 },
  ]);
  expect(map.newest(110, 1)).toHaveLength(1);
  expect(map.newest(110, 0)).toEqual([]);
});

test('expiring table forgets the least recently used entry when it is full', () => {
  const map = new ExpiringTable<string, string, number>({ ttlMs: Infinity, sizeMax: 2 });
  map.set('g', 'a', { value: 1, nowMs: 0 });
  map.set('g', 'b', { value: 2, nowMs: 1 });
  map.set('g', 'a', { value: 1, nowMs: 2 });
  map.set('g', 'c', { value: 3, nowMs: 3 });
  expect(['a', 'b', 'c'].map((key) => map.get('g', key, 4))).toEqual([1, undefined, 3]);
  map.resize({ ttlMs: Infinity, sizeMax: 1 }, 5);
  expect(['a', 'b', 'c'].map((key) => map.get('g', key, 6))).toEqual([undefined, undefined, 3]);
});

test('expiring table tells apart what is in one column of different rows, and forgets all in one order', () => {
  const map = new ExpiringTable<string, string, number>({ ttlMs: 100, sizeMax: 2 });
  map.set('g', 'a', { value: 1, nowMs: 0 });
  map.set('h', 'a', { value: 2, nowMs: 1 });
  expect([map.get('g', 'a', 2), map.get('h', 'a', 2), map.get('i', 'a', 2)]).toEqual([1, 2, undefined]);
  map.set('h', 'b', { value: 3, nowMs: 3 });
  expect([map.get('g', 'a', 4), map.get('h', 'a', 4), map.get('h', 'b', 4)]).toEqual([undefined, 2, 3]);
  expect(map.size).toBe(2);
});

test.each([
  ['size', { ttlMs: 100, sizeMax: 0 }],
  ['time', { ttlMs: 0, sizeMax: 100 }],
])('expiring table keeps nothing without %s', (_, limits) => {
  const map = new ExpiringTable<string, string, number>(limits);
  map.set('g', 'a', { value: 1, nowMs: 0 });
  expect(map.size).toBe(0);
});
