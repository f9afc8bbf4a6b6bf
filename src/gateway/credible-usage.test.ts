import { describe, expect, test } from 'vitest';

import { tryBelieveTimings, tryBelieveUsage } from './credible-usage.ts';

const usage = { inputTokens: 10, outputTokens: 5, cachedTokens: 3, estimated: false };
const timings = { promptTokens: 10, promptMs: 1.5, cachedTokens: 0, predictedTokens: 5, predictedMs: 20.25 };

describe('an engine is believed', () => {
  test('what it can have counted', () => {
    expect(tryBelieveUsage(usage)).toBe(usage);
    expect(tryBelieveTimings(timings)).toBe(timings);
    expect([tryBelieveUsage(undefined), tryBelieveTimings(undefined)]).toEqual([undefined, undefined]);
  });

  test.each([
    ['inputTokens', 1e308],
    ['outputTokens', 2 ** 63],
    ['cachedTokens', 1.5],
    ['reasoningTokens', 1e10],
  ])('no %s of %s', (field, value) => {
    expect(tryBelieveUsage({ ...usage, [field]: value })).toBeUndefined();
  });

  test.each([
    ['promptTokens', 2.5],
    ['draftTokens', 1e10],
    ['promptMs', 1e300],
    ['predictedRate', 1e300],
  ])('no timings with %s of %s', (field, value) => {
    expect(tryBelieveTimings({ ...timings, [field]: value })).toBeUndefined();
  });
});
