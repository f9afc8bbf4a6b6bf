import { expect, test } from 'vitest';
import { nearestName } from './nearest-name.ts';

test.each([
  ['slot', ['slots', 'models'], 'slots'],
  ['qwen3-8B', ['llama-8b', 'qwen3-8b'], 'qwen3-8b'],
  ['lsiten', ['listen'], 'listen'],
  ['abc', ['xyz', 'listen'], undefined],
  ['', ['a'], 'a'],
  ['anything', [], undefined],
])('nearestName finds what %j probably meant among %j', (name, candidates, expected) => {
  expect(nearestName(name, candidates)).toBe(expected);
});

test('nearestName prefers the closest of several', () => {
  expect(nearestName('timeout', ['timeouts', 'timeot', 'timeout2'])).toBe('timeouts');
});
