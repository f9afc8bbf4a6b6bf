import { expect, test } from 'vitest';
import { EventRate } from './event-rate.ts';

test('event rate is unknown before two events', () => {
  const rate = new EventRate(1000);
  expect(rate.perMs(0)).toBeUndefined();
  rate.record(0);
  expect(rate.perMs(500)).toBeUndefined();
});

test.each([100, 1000, 20_000])('event rate is true for regular events after %i ms', (untilMs) => {
  const rate = new EventRate(5000);
  for (let nowMs = 0; nowMs <= untilMs; nowMs += 10) rate.record(nowMs);
  expect(rate.perMs(untilMs)).toBeGreaterThan(0.09);
  expect(rate.perMs(untilMs)).toBeLessThan(0.11);
});

test('event rate follows a change and is unknown again after a long silence', () => {
  const rate = new EventRate(1000);
  for (let nowMs = 0; nowMs <= 5000; nowMs += 10) rate.record(nowMs);
  for (let nowMs = 5100; nowMs <= 15_000; nowMs += 100) rate.record(nowMs);
  expect(rate.perMs(15_000)).toBeCloseTo(0.01, 2);
  expect(rate.perMs(60_000)).toBeUndefined();
});
