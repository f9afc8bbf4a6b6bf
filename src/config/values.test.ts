import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  duration,
  formatDuration,
  formatSize,
  secret,
  size,
  tryParseDurationMs,
  tryParseSizeBytes,
} from './values.ts';

describe('tryParseDurationMs', () => {
  test.each([
    ['0', 0],
    ['0s', 0],
    ['1', 1000],
    ['1.5', 1500],
    ['250ms', 250],
    ['1.1s', 1100],
    ['1m30s', 90_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    ['1d2h3m4s5ms', 93_784_005],
    ['0.0001s', 1],
    ['1s1s', 2000],
  ])('reads %j as %d ms', (text, ms) => {
    expect(tryParseDurationMs(text)).toBe(ms);
  });

  test.each([
    '',
    ' ',
    's',
    '5x',
    '1m 30s',
    '-1s',
    '+1s',
    '1e3',
    '.5s',
    '1,5s',
    '1S',
    'NaN',
    'Infinity',
    '0x10',
  ])('takes %j for no duration', (text) => {
    expect(tryParseDurationMs(text)).toBeUndefined();
  });

  test('reads back what formatDuration writes', () => {
    fc.assert(
      fc.property(fc.nat({ max: 24 * 86_400_000 }), (ms) => {
        expect(tryParseDurationMs(formatDuration(ms))).toBe(ms);
      }),
    );
  });
});

test.each([
  [0, '0s'],
  [1, '1ms'],
  [1000, '1s'],
  [90_000, '1m30s'],
  [300_000, '5m'],
  [93_784_005, '1d2h3m4s5ms'],
])('formatDuration writes %d ms as %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

describe('tryParseSizeBytes', () => {
  test.each([
    ['0', 0],
    ['512', 512],
    ['512B', 512],
    ['1KiB', 1024],
    ['1kb', 1000],
    ['1.5 MiB', 1_572_864],
    ['64MiB', 67_108_864],
    ['10MB', 10_000_000],
    ['2GiB', 2_147_483_648],
    ['1GB', 1_000_000_000],
  ])('reads %j as %d bytes', (text, bytes) => {
    expect(tryParseSizeBytes(text)).toBe(bytes);
  });

  test.each(['', 'MiB', '5XB', '1 2', '-1', '1TiB', '1MiBs', '1e3', '1  MiB'])(
    'takes %j for no size',
    (text) => {
      expect(tryParseSizeBytes(text)).toBeUndefined();
    },
  );

  test('reads back what formatSize writes', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (bytes) => {
        expect(tryParseSizeBytes(formatSize(bytes))).toBe(bytes);
      }),
    );
  });
});

describe('duration', () => {
  test.each([
    [-1, 'must not be negative'],
    ['-1s', 'must be a duration such as 30s, 1m30s or 250ms, or plain seconds'],
    ['25d', 'must be at most 24d'],
    [25 * 86_400, 'must be at most 24d'],
  ])('rejects %j', (value, message) => {
    expect(duration().safeParse(value).error?.issues[0]?.message).toBe(message);
  });

  test.each([0, '0s', '99ms', 0.099])('rejects %j below its bound', (value) => {
    const issue = duration({ msMin: 100 }).safeParse(value).error?.issues[0];
    expect(issue?.message).toBe('must be at least 100ms');
  });

  test('never turns a short time into 0', () => {
    expect(duration().parse(0.0001)).toBe(1);
  });
});

test.each([0, -5, '0MiB', '99999999GiB'])('size rejects %j', (value) => {
  expect(size().safeParse(value).success).toBe(false);
});

test.each(['', 'a b', 'a\nb', 'ä', 'a\tb'])('secret rejects %j', (value) => {
  expect(secret().safeParse(value).success).toBe(false);
});
