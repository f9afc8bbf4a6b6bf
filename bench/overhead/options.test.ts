import { expect, test } from 'vitest';
import { parseOptions } from './options.ts';
import { scenarios } from './scenarios.ts';
import { stackNames } from './stacks.ts';

test('parseOptions runs everything three times by default', () => {
  expect(parseOptions([])).toEqual({ rounds: 3, pace: 1, stacks: stackNames, scenarios, help: false });
});

test('parseOptions takes --quick as one short round', () => {
  expect(parseOptions(['--quick'])).toMatchObject({ rounds: 1, pace: 0.4 });
  expect(parseOptions(['--quick', '--rounds', '5'])).toMatchObject({ rounds: 5, pace: 0.4 });
});

test('parseOptions sorts the names of --only into proxies and measurements', () => {
  const options = parseOptions(['--only', 'llamero,chunk', '--only', 'haproxy']);
  expect(options.stacks).toEqual(['haproxy', 'llamero']);
  expect(options.scenarios.map(({ name }) => name)).toEqual(['chunk']);
  expect(parseOptions(['--only', 'nginx']).scenarios).toBe(scenarios);
});

test.each([
  [['--only', 'envoy'], 'nothing is called "envoy"'],
  [['--rounds', '0'], '--rounds must be 1 to 50'],
  [['--rounds', 'x'], '--rounds must be 1 to 50'],
  [['--fast'], '--fast'],
])('parseOptions refuses %j', (args, message) => {
  expect(() => parseOptions(args)).toThrow(message);
});
