import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { afterRun, defaultBackoff, noCrashes, waitBeforeStartMs } from './backoff.ts';
import type { CrashHistory } from './backoff.ts';

function crash(history: CrashHistory, nowMs: number, readyForMs = 0): CrashHistory {
  return afterRun(history, { crashed: true, readyForMs, nowMs });
}

describe('backoff', () => {
  test('waits nothing, 1 s, 2 s, 4 s … up to a minute for crashes in a row', () => {
    let history = noCrashes;
    const waits = [];
    for (let index = 0; index < 9; index += 1) {
      history = crash(history, 500);
      waits.push(waitBeforeStartMs(history, 500));
    }
    expect(waits).toEqual([0, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
  });

  test('counts the wait down from the crash', () => {
    const history = crash(crash(noCrashes, 0), 10_000);
    expect(waitBeforeStartMs(history, 10_400)).toBe(600);
    expect(waitBeforeStartMs(history, 11_000)).toBe(0);
    expect(waitBeforeStartMs(history, 99_000)).toBe(0);
  });

  test('forgets earlier crashes after a run that was ready for long, crashed or not', () => {
    const crashed = crash(crash(crash(noCrashes, 0), 0), 0);
    expect(crash(crashed, 90_000, 60_000)).toEqual({ crashesInRow: 1, notBeforeMs: 90_000 });
    expect(afterRun(crashed, { crashed: false, readyForMs: 60_000, nowMs: 90_000 })).toEqual(noCrashes);
    expect(afterRun(crashed, { crashed: false, readyForMs: 59_999, nowMs: 90_000 })).toEqual(crashed);
  });

  test('never waits longer than the cap and never less after one more crash in a row', () => {
    fc.assert(
      fc.property(fc.nat(3000), fc.nat(1_000_000), (crashes, nowMs) => {
        const before = { crashesInRow: crashes, notBeforeMs: -Infinity };
        const once = crash(before, nowMs);
        const wait = waitBeforeStartMs(once, nowMs);
        expect(wait).toBeLessThanOrEqual(defaultBackoff.capMs);
        expect(waitBeforeStartMs(crash(once, nowMs), nowMs)).toBeGreaterThanOrEqual(wait);
      }),
    );
  });
});
