import { expect, test } from 'vitest';
import { readKeys } from './keys.ts';

const escape = '\u001b';

test.each([
  ['letters', 'qjkludx?h', ['quit', 'down', 'up', 'load', 'unload', 'drain', 'cancel', 'help', 'help']],
  ['Ctrl-C', '\u0003', ['quit']],
  ['arrows of both modes', `${escape}[A${escape}[B${escape}OA${escape}OB`, ['up', 'down', 'up', 'down']],
  ['tab and its way back', `\t${escape}[Z`, ['nextPane', 'previousPane']],
  ['pages', `${escape}[5~${escape}[6~`, ['pageUp', 'pageDown']],
  ['a lone escape', escape, ['escape']],
])('readKeys knows %s', (_what, input, keys) => {
  expect(readKeys(input)).toEqual(keys);
});

test.each([
  ['unknown letters', 'zZ1'],
  ['function keys', `${escape}[15~${escape}OP`],
  ['keys with Alt', `${escape}q${escape}x`],
  ['arrows with Ctrl', `${escape}[1;5A`],
  ['reports of a mouse', `${escape}[<0;12;5M${escape}[<0;12;5m`],
  ['names of every object', 'constructor'.replaceAll(/[cuhjkldxq]/g, '')],
])('readKeys makes nothing of %s', (_what, input) => {
  expect(readKeys(input)).toEqual([]);
});
