import { expect, test } from 'vitest';

import { StoreFaults } from './store-faults.ts';

test('a fault is told when it begins and when it is over', () => {
  const told: unknown[] = [];
  const faults = new StoreFaults({
    onBegin: (store, error) => told.push([store, error]),
    onEnd: (store, failures) => told.push([store, failures]),
  });
  faults.worked('usage');
  faults.failed('usage', 'full');
  faults.failed('activity', 'full');
  faults.failed('usage', 'still full');
  expect(faults.failing).toEqual(['activity', 'usage']);
  faults.worked('usage');
  faults.worked('usage');
  expect(faults.failing).toEqual(['activity']);
  faults.failed('usage', 'again');
  expect(told).toEqual([
    ['usage', 'full'],
    ['activity', 'full'],
    ['usage', 2],
    ['usage', 'again'],
  ]);
});
