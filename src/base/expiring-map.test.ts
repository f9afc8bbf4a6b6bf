import { expect, test } from 'vitest';
import { ExpiringMap } from './expiring-map.ts';

test('expiring map forgets an entry when its time is over, and the least recently used one when it is full', () => {
  const map = new ExpiringMap<string, number>({ ttlMs: 100, sizeMax: 2 });
  map.set('a', 1, 0);
  map.set('b', 2, 50);
  map.set('a', 3, 60);
  map.set('c', 4, 70);
  expect(['a', 'b', 'c'].map((key) => map.get(key, 159))).toEqual([3, undefined, 4]);
  expect(['a', 'b', 'c'].map((key) => map.get(key, 160))).toEqual([undefined, undefined, 4]);
});
