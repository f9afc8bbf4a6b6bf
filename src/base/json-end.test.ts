import { expect, test } from 'vitest';
import { JsonEnd } from './json-end.ts';

test.each([
  ['{', false],
  ['{}', true],
  ['{"a":[1,{}]', false],
  ['{"a":[1,{}]}', true],
  ['{"a":"}"', false],
  [String.raw`{"a":"\"}"`, false],
  [String.raw`{"a":"\"}"}`, true],
  ['[{}]', true],
  ['{} and {', true],
  ['', false],
])('the end of %s is reached: %s', (text, isReached) => {
  const whole = new JsonEnd();
  whole.add(text);
  const pieces = new JsonEnd();
  for (const character of text) pieces.add(character);
  expect([whole.isReached, pieces.isReached]).toEqual([isReached, isReached]);
});
