import { expect, test } from 'vitest';
import { RateBucket } from './rate-bucket.ts';

test('a bucket gives its limit at once, then as it grows back', () => {
  const bucket = new RateBucket();
  for (let count = 0; count < 6; count += 1) {
    expect(bucket.waitMs(6, 1, 0)).toBe(0);
    bucket.take(6, 1, 0);
  }
  expect(bucket.waitMs(6, 1, 0)).toBe(10_000);
  expect(bucket.waitMs(6, 1, 4000)).toBeCloseTo(6000);
  expect(bucket.waitMs(6, 1, 10_000)).toBe(0);
  expect(bucket.resetMs(6, 10_000)).toBeCloseTo(50_000);
  expect(bucket.left(6, 60_000)).toBe(6);
});

test('more than the limit passes a full bucket, and is owed', () => {
  const bucket = new RateBucket();
  expect(bucket.waitMs(100, 250, 0)).toBe(0);
  bucket.take(100, 250, 0);
  expect(bucket.left(100, 0)).toBe(-150);
  expect(bucket.waitMs(100, 1, 0)).toBeCloseTo(90_600);
});

test('what is given back is there again, and never more than the limit', () => {
  const bucket = new RateBucket();
  bucket.take(100, 80, 0);
  bucket.take(100, -60, 0);
  expect(bucket.left(100, 0)).toBe(80);
  bucket.take(100, -60, 0);
  expect(bucket.left(100, 0)).toBe(100);
});

test('a clock that goes back gives nothing and takes nothing', () => {
  const bucket = new RateBucket();
  bucket.take(60, 60, 10_000);
  expect(bucket.left(60, 5000)).toBe(0);
  expect(bucket.left(60, 11_000)).toBeCloseTo(1);
});

test('a limit that is raised counts at once', () => {
  const bucket = new RateBucket();
  bucket.take(10, 10, 0);
  expect([bucket.waitMs(10, 1, 0), bucket.waitMs(20, 1, 0)]).toEqual([6000, 0]);
});
