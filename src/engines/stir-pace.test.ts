import { expect, test } from 'vitest';
import { isStirDue } from './stir-pace.ts';

/** Rounds every 2 s on an engine that falls asleep `sleepMs` after it was last stirred; when it does, in ms. */
function fallsAsleepAtMs(sleepMs: number): number | undefined {
  let stirredMs = 0;
  for (let nowMs = 0; nowMs < 4 * 3_600_000; nowMs += 2000) {
    if (nowMs - stirredMs >= sleepMs) return nowMs;
    if (isStirDue(nowMs, 0, stirredMs)) stirredMs = nowMs;
  }
  return undefined;
}

test.each([60, 300, 1800])(
  'an engine that sleeps after %i s falls asleep within three times that',
  (seconds) => {
    const asleepMs = fallsAsleepAtMs(seconds * 1000) ?? Infinity;
    expect(asleepMs).toBeGreaterThan(seconds * 1000);
    expect(asleepMs).toBeLessThanOrEqual(3 * seconds * 1000);
  },
);

test('isStirDue asks at every round while the engine was active lately', () => {
  for (let nowMs = 0; nowMs <= 30_000; nowMs += 2000) expect(isStirDue(nowMs, 0, nowMs - 2000)).toBe(true);
});

test('isStirDue asks at once when a long idle engine is used again', () => {
  expect(isStirDue(1_000_000, 0, 900_000)).toBe(false);
  expect(isStirDue(1_000_000, 999_000, 900_000)).toBe(true);
});

test('isStirDue asks an engine idle for a day once an hour', () => {
  const day = 86_400_000;
  expect(isStirDue(day + 3_599_000, 0, day)).toBe(false);
  expect(isStirDue(day + 3_600_000, 0, day)).toBe(true);
});
