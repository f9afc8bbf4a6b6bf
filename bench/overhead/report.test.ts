import { expect, test } from 'vitest';
import { median, tablesOf, toMarkdown } from './report.ts';
import type { Sample } from './report.ts';
import type { Scenario } from './scenarios.ts';
import type { StackName } from './stacks.ts';

test.each([
  [[], undefined],
  [[3], 3],
  [[9, 1, 5], 5],
  [[4, 1, 3, 2], 2.5],
])('median of %j is %j', (values, expected) => {
  expect(median(values)).toBe(expected);
});

const scenario: Scenario = {
  name: 'request-1k',
  title: 'CPU per request',
  figures: ['1 KB'],
  stacks: ['direct', 'haproxy', 'nginx', 'llamero'],
  run: () => Promise.reject(new Error('not run here')),
};

function sample(round: number, stack: StackName, value: number, error?: string): Sample {
  return {
    round,
    scenario: 'request-1k',
    stack,
    figures: error === undefined ? { '1 KB': value } : {},
    error,
  };
}

test('tablesOf takes the median of the ratios within the rounds', () => {
  const samples = [
    sample(1, 'haproxy', 10),
    sample(1, 'llamero', 30),
    sample(2, 'haproxy', 20),
    sample(2, 'llamero', 40),
    sample(3, 'haproxy', 10),
    sample(3, 'llamero', 25),
  ];
  const [table] = tablesOf([scenario], samples);
  expect(table?.rows.map(({ stack }) => stack)).toEqual(['haproxy', 'llamero']);
  expect(table?.rows[1]?.cells).toEqual([{ median: 30, low: 25, high: 40, ratio: 2.5, error: undefined }]);
});

test('tablesOf gives no figure to a stack that failed in any round', () => {
  const samples = [sample(1, 'haproxy', 10), sample(1, 'llamero', 5), sample(2, 'llamero', 0, 'status 502')];
  const [table] = tablesOf([scenario], samples);
  expect(table?.rows[1]?.cells[0]).toMatchObject({
    median: undefined,
    ratio: undefined,
    error: 'status 502',
  });
  expect(table && toMarkdown(table)).toContain('- Llamero failed: status 502');
});

test('tablesOf leaves out a scenario that was not run', () => {
  expect(tablesOf([scenario], [])).toEqual([]);
});

test('toMarkdown shows what a proxy adds to the direct way', () => {
  const [table] = tablesOf(
    [scenario],
    [sample(1, 'direct', 80), sample(1, 'haproxy', 100), sample(1, 'llamero', 1150)],
  );
  expect(table && toMarkdown(table).split('\n')).toEqual([
    '## CPU per request',
    '',
    '|         |                1 KB | added | × HAProxy |',
    '|---------|--------------------:|------:|----------:|',
    '| direct  |    80.0 (80.0–80.0) |       |      0.80 |',
    '| HAProxy |       100 (100–100) |  20.0 |      1.00 |',
    '| Llamero | 1,150 (1,150–1,150) | 1,070 |     11.50 |',
    '',
  ]);
});
