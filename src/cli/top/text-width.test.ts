import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cutTo, fitTo, plainText, widthOf } from './text-width.ts';

const escape = '\u001b';

describe('plainText', () => {
  test.each([
    ['colors', `${escape}[31mred${escape}[0m`, 'red'],
    ['moves of the cursor', `a${escape}[2J${escape}[Hb`, 'ab'],
    ['titles of windows', `${escape}]0;owned\u0007text`, 'text'],
    ['one-byte control sequences', '\u009b31mred', 'red'],
    ['a bell and a backspace', 'a\u0007b\u0008c', 'abc'],
    ['marks of writing direction', 'user\u202egnp.exe', 'usergnp.exe'],
    ['an escape without a sequence', `a${escape}`, 'a'],
    ['half a surrogate pair', 'a\ud83db', 'ab'],
  ])('takes out %s', (_what, text, plain) => {
    expect(plainText(text)).toBe(plain);
  });

  test('makes one line of several', () => {
    expect(plainText('one\r\n\ttwo\u2028three')).toBe('one twothree');
  });

  test('leaves letters of all languages alone', () => {
    expect(plainText('Größe 模型 नमस्ते')).toBe('Größe 模型 नमस्ते');
  });

  test('leaves nothing that a terminal obeys, whatever comes', () => {
    const nasty = fc.string({
      unit: fc.constantFrom('\u001b', '[', ']', '2', 'J', '\u009b', '\u0007', ';', 'a', '\n'),
    });
    fc.assert(
      fc.property(nasty, (text) => {
        // oxlint-disable-next-line no-control-regex
        expect(plainText(text)).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
      }),
    );
  });
});

test.each([
  ['plain', 5],
  ['模型', 4],
  ['ｗｉｄｅ', 8],
  ['한국어', 6],
  ['e\u0301', 1],
  ['🦙', 2],
  ['❤️', 2],
  ['…', 1],
  ['', 0],
])('widthOf %s is %i', (text, width) => {
  expect(widthOf(text)).toBe(width);
});

describe('cutTo and fitTo', () => {
  test.each([
    ['abcdef', 6, 'abcdef'],
    ['abcdef', 5, 'abcd…'],
    ['模型名称', 8, '模型名称'],
    ['模型名称', 7, '模型名…'],
    ['模型名称', 6, '模型…'],
    ['abc', 1, '…'],
    ['abc', 0, ''],
  ])('cutTo(%s, %i) is %s', (text, width, cut) => {
    expect(cutTo(text, width)).toBe(cut);
  });

  test('fitTo fills on the side that is not aligned', () => {
    expect([fitTo('模', 4), fitTo('7', 3, 'right')]).toEqual(['模  ', '  7']);
  });

  test('fitTo gives exactly the width, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat({ max: 40 }), (text, width) => {
        expect(widthOf(fitTo(plainText(text), width))).toBe(width);
      }),
    );
  });
});
