import { describe, expect, test } from 'vitest';
import { createRateMeter } from './ewma.ts';

describe('rate meter', () => {
  test('tells a steady rate right from its first seconds on', () => {
    const meter = createRateMeter({ halfLifeMs: 10_000, startedMs: 5000 });
    for (let nowMs = 5000; nowMs <= 65_000; nowMs += 100) {
      meter.add(2, nowMs);
      if (nowMs >= 8000) expect(meter.perSecond(nowMs)).toBeGreaterThan(19);
      if (nowMs >= 8000) expect(meter.perSecond(nowMs)).toBeLessThan(21.5);
    }
  });

  test('halves in its half-life when nothing happens', () => {
    const meter = createRateMeter({ halfLifeMs: 10_000, startedMs: 0 });
    for (let nowMs = 0; nowMs <= 600_000; nowMs += 100) meter.add(1, nowMs);
    const before = meter.perSecond(600_000);
    expect(meter.perSecond(610_000) / before).toBeCloseTo(0.5, 5);
    expect(meter.perSecond(630_000) / before).toBeCloseTo(0.125, 5);
  });

  test('takes a young event as one within a second, not as a flood', () => {
    const meter = createRateMeter({ halfLifeMs: 10_000, startedMs: 0 });
    meter.add(1, 1);
    expect(meter.perSecond(2)).toBeLessThan(1.1);
  });

  test('counts an event with an earlier time as one at the last time', () => {
    const meter = createRateMeter({ halfLifeMs: 1000, startedMs: 0 });
    meter.add(1, 5000);
    const one = meter.perSecond(5000);
    meter.add(1, 4000);
    expect(meter.perSecond(5000)).toBeCloseTo(2 * one, 10);
  });

  test('is 0 before anything happened', () => {
    expect(createRateMeter({ halfLifeMs: 1000, startedMs: 0 }).perSecond(9999)).toBe(0);
  });
});
