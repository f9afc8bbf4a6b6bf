import { expect, test } from 'vitest';
import { ageText, bytesText, countText, rateText } from './figures.ts';

test.each([
  [0, '0.0s'],
  [9.99, '9.9s'],
  [10, '10s'],
  [59.9, '59s'],
  [65, '1m05s'],
  [3599, '59m59s'],
  [7380, '2h03m'],
  [86_400 * 4 + 3600 * 7, '4d07h'],
])('ageText(%d) is %s', (seconds, text) => {
  expect(ageText(seconds)).toBe(text);
});

test.each([
  [0, '0'],
  [999, '999'],
  [1000, '1.0k'],
  [9949, '9.9k'],
  [9950, '10k'],
  [999_499, '999k'],
  [999_500, '1.0M'],
])('countText(%d) is %s', (count, text) => {
  expect(countText(count)).toBe(text);
});

test('bytesText and rateText are short', () => {
  expect([bytesText(300 * 1024 ** 2), bytesText(7.5 * 1024 ** 3), bytesText(80 * 1024 ** 3)]).toEqual([
    '300 MiB',
    '7.5 GiB',
    '80 GiB',
  ]);
  expect([rateText(0), rateText(2.34), rateText(85.4), rateText(1234)]).toEqual(['0.0', '2.3', '85', '1.2k']);
});
