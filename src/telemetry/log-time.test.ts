import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createIsoTime, tryFormatLogTime } from './log-time.ts';

/** The second of January, a Monday, four minutes and five seconds past three in the afternoon, wherever the tests run. */
const time = new Date(2006, 0, 2, 15, 4, 5, 120);

describe('LOG-1 a time in the log', () => {
  test.each<[string, RegExp]>([
    ['ansic', /^Mon Jan {2}2 15:04:05 2006$/],
    ['unixdate', /^Mon Jan {2}2 15:04:05 \S+ 2006$/],
    ['rubydate', /^Mon Jan 02 15:04:05 [+-]\d{4} 2006$/],
    ['rfc822', /^02 Jan 06 15:04 \S+$/],
    ['rfc822z', /^02 Jan 06 15:04 [+-]\d{4}$/],
    ['rfc850', /^Monday, 02-Jan-06 15:04:05 \S+$/],
    ['rfc1123', /^Mon, 02 Jan 2006 15:04:05 \S+$/],
    ['rfc1123z', /^Mon, 02 Jan 2006 15:04:05 [+-]\d{4}$/],
    ['rfc3339', /^2006-01-02T15:04:05(?:Z|[+-]\d\d:\d\d)$/],
    ['RFC3339Nano', /^2006-01-02T15:04:05\.12(?:Z|[+-]\d\d:\d\d)$/],
    ['Kitchen', /^3:04PM$/],
    ['stamp', /^Jan {2}2 15:04:05$/],
    ['stampmilli', /^Jan {2}2 15:04:05\.120$/],
    ['stampmicro', /^Jan {2}2 15:04:05\.120000$/],
    ['stampnano', /^Jan {2}2 15:04:05\.120000000$/],
  ])('has the form %s', (format, expected) => {
    expect(tryFormatLogTime(format, time)).toMatch(expected);
  });

  test('is the same moment in the forms that have a zone', () => {
    expect(Date.parse(tryFormatLogTime('rfc3339nano', time) ?? '')).toBe(time.getTime());
    expect(Date.parse(tryFormatLogTime('rfc1123z', time) ?? '')).toBe(time.getTime() - 120);
  });

  test.each([
    [0, '12:04AM'],
    [11, '11:04AM'],
    [12, '12:04PM'],
  ])('has hour %d as %s in the kitchen', (hour, expected) => {
    expect(tryFormatLogTime('kitchen', new Date(2006, 0, 2, hour, 4))).toBe(expected);
  });

  test.each(['', 'iso', 'constructor'])('has no form %j', (format) => {
    expect(tryFormatLogTime(format, time)).toBeUndefined();
  });
});

test('an ISO time is what Date says, in whatever order the times come', () => {
  const near = fc.integer({ min: 1_795_000_000_000, max: 1_795_000_003_000 });
  const epochMs = fc.oneof(near, fc.integer({ min: 0, max: 253_402_300_799_999 }));
  fc.assert(
    fc.property(fc.array(epochMs), (times) => {
      const isoTime = createIsoTime();
      expect(times.map(isoTime)).toEqual(times.map((one) => new Date(one).toISOString()));
    }),
  );
});
