import { expect, test } from 'vitest';
import { codeOnly } from './code-only.ts';

test.each([
  ['a // b\nc', 'a     \nc'],
  ['a /* b\n b */ c', 'a     \n      c'],
  ['f(\'x\', "y")', 'f(\' \', " ")'],
  ["f('it\\'s', b)", "f('     ', b)"],
  ['`a ${b + `c ${d}`} e` + f', '`  ${b + `  ${d}`}  ` + f'],
  ['`${ { a: { b } } }` + c', '`${ { a: { b } } }` + c'],
  ['x = /[\'"]/.test(y); z', 'x = /    /.test(y); z'],
  ['a / b / c', 'a / b / c'],
  ['return /[/]x/g', 'return /    /g'],
])('codeOnly blanks what is not code in %j', (text, expected) => {
  expect(codeOnly(text)).toBe(expected);
});

test('codeOnly keeps the length and the lines of a text', () => {
  const text = "/** Doc. */\nconst a = `x\n${b}`; // c\nconst d = 'e\\\nf';\n";
  expect(codeOnly(text)).toHaveLength(text.length);
  expect(codeOnly(text).split('\n')).toHaveLength(text.split('\n').length);
});
