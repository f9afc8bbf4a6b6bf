import { expect, test } from 'vitest';
import { ExpiringMap } from './expiring-map.ts';

test('expiring map forgets an entry when its time is over, counted from its last use', () => {
  const map = new ExpiringMap<string, number>({ ttlMs: 100, sizeMax: 10 });
  map.set('a', 1, 0);
  map.set('b', 2, 50);
  map.set('a', 3, 60);
  expect(map.get('a', 159)).toBe(3);
  expect(map.get('b', 149)).toBe(2);
  expect(map.get('b', 150)).toBeUndefined();
  map.prune(155);
  expect(map.size).toBe(1);
  expect(map.get('a', 160)).toBeUndefined();
});

test('expiring map lists what was used last, with the time that is left', () => {
  const map = new ExpiringMap<string, number>({ ttlMs: 100, sizeMax: 10 });
  map.set('a', 1, 0);
  map.set('b', 2, 50);
  map.set('c', 3, 60);
  expect(map.newest(110, 5)).toEqual([
    ['c', 3, 50],
    ['b', 2, 40],
  ]);
  expect(map.newest(110, 1)).toEqual([['c', 3, 50]]);
  expect(map.newest(110, 0)).toEqual([]);
});

test('expiring map forgets the least recently used entry when it is full', () => {
  const map = new ExpiringMap<string, number>({ ttlMs: Infinity, sizeMax: 2 });
  map.set('a', 1, 0);
  map.set('b', 2, 1);
  map.set('a', 1, 2);
  map.set('c', 3, 3);
  expect(['a', 'b', 'c'].map((key) => map.get(key, 4))).toEqual([1, undefined, 3]);
  map.resize({ ttlMs: Infinity, sizeMax: 1 }, 5);
  expect(['a', 'b', 'c'].map((key) => map.get(key, 6))).toEqual([undefined, undefined, 3]);
});

test.each([
  ['size', { ttlMs: 100, sizeMax: 0 }],
  ['time', { ttlMs: 0, sizeMax: 100 }],
])('expiring map keeps nothing without %s', (_, limits) => {
  const map = new ExpiringMap<string, number>(limits);
  map.set('a', 1, 0);
  expect(map.size).toBe(0);
});
