import { expect, test } from 'vitest';
import { closingLines, tallyRun } from './reporter.ts';
import type { FinishedModule, FinishedTest } from './reporter.ts';

function moduleOf(
  results: Record<string, FinishedTest>,
  broken: { file?: number; suites?: number[] } = {},
): FinishedModule {
  return {
    relativeModuleId: 'a.test.ts',
    errors: () => Array.from({ length: broken.file ?? 0 }, () => 'broken'),
    children: {
      allTests: () =>
        Object.entries(results).map(([fullName, result]) => ({ fullName, result: () => result })),
      allSuites: () =>
        (broken.suites ?? []).map((length) => ({ errors: () => Array.from({ length }, () => 'broken') })),
    },
  };
}

test('tallyRun counts passed and failed tests and keeps the reasons of skipped ones', () => {
  const results: Record<string, FinishedTest> = {
    one: { state: 'passed' },
    two: { state: 'failed' },
    three: { state: 'skipped', note: 'no browser' },
    four: { state: 'skipped', note: undefined },
    five: { state: 'pending' },
  };
  expect(tallyRun([moduleOf(results)], 0)).toEqual({
    passed: 1,
    failed: 1,
    skipped: [
      { name: 'a.test.ts > three', reason: 'no browser' },
      { name: 'a.test.ts > four', reason: 'no reason given' },
      { name: 'a.test.ts > five', reason: 'did not run' },
    ],
  });
});

test('tallyRun counts broken files, broken suites and stray errors as failed', () => {
  const tally = tallyRun([moduleOf({ one: { state: 'passed' } }, { file: 2, suites: [1, 0, 3] })], 4);
  expect(tally).toEqual({ passed: 1, failed: 1 + 2 + 4, skipped: [] });
});

const tally = { passed: 7, failed: 1, skipped: [{ name: 'a > b', reason: 'no browser' }] };

test('closingLines end with the counts', () => {
  expect(closingLines({ ...tally, skipped: [] }, { ci: true, missing: ['x: y'] })).toEqual([
    '',
    '7 passed, 1 failed',
  ]);
});

test('closingLines list skipped tests and what is missing', () => {
  expect(closingLines(tally, { ci: false, missing: ['chromium: no apt-get'] })).toEqual([
    '',
    '!!! 1 skipped !!!',
    '  a > b: no browser',
    '  missing on this machine: chromium: no apt-get',
    '',
    '7 passed, 1 failed',
  ]);
});

test('closingLines count skipped tests as failed in CI', () => {
  const lines = closingLines(tally, { ci: true, missing: [] });
  expect(lines).toContain('!!! 1 skipped (counted as failed: CI=true) !!!');
  expect(lines.at(-1)).toBe('7 passed, 2 failed');
});
