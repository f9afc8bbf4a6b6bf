import { describe, expect, test } from 'vitest';
import { trendOf } from './trend.ts';

describe('a trend', () => {
  test('is the slope per hour, certain where all points lie on a line', () => {
    const points = [0, 60, 120, 600].map((atS) => ({ atS, value: 5 + atS / 60 }));
    const { perHour, uncertainty } = trendOf(points);
    expect(perHour).toBeCloseTo(60);
    expect(uncertainty).toBeCloseTo(0);
  });

  test('of noise alone is within its uncertainty', () => {
    const points = Array.from({ length: 40 }, (_, at) => ({ atS: at * 10, value: at % 2 === 0 ? 99 : 101 }));
    const { perHour, uncertainty } = trendOf(points);
    expect(Math.abs(perHour)).toBeLessThan(uncertainty);
    expect(uncertainty).toBeGreaterThan(1);
  });

  test.each([
    [
      'fewer than three points',
      [
        { atS: 0, value: 1 },
        { atS: 1, value: 2 },
      ],
    ],
    [
      'points of one moment',
      [
        { atS: 1, value: 1 },
        { atS: 1, value: 2 },
        { atS: 1, value: 3 },
      ],
    ],
  ])('is refused for %s', (_, points) => {
    expect(() => trendOf(points)).toThrow(RangeError);
  });
});
