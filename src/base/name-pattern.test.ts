import { expect, test } from 'vitest';
import { matchesPattern } from './name-pattern.ts';

test.each<[string, string, boolean]>([
  ['qwen', 'qwen', true],
  ['qwen', 'qwen2', false],
  ['qwen', 'Qwen', false],
  ['qwen*', 'qwen', true],
  ['qwen*', 'qwen3:8b', true],
  ['*:8b', 'qwen3:8b', true],
  ['*:8b', 'qwen3:8b-q4', false],
  ['a*b*c', 'a-b-b-c', true],
  ['a*b*c', 'acb', false],
  ['*', '', true],
  ['**', 'x', true],
  ['ab*ba', 'aba', false],
  ['a*bb*b', 'abb', false],
  ['a.c', 'abc', false],
])('%s matches %s: %s', (pattern, name, expected) => {
  expect(matchesPattern(pattern, name)).toBe(expected);
});

test('a pattern of many stars does not take long', () => {
  expect(matchesPattern(`${'*a'.repeat(500)}*b`, 'a'.repeat(4000))).toBe(false);
});
