import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findByByte, findStringEnd } from './string-end.ts';

describe('findStringEnd', () => {
  test.each([
    ['a short one', 'abc"', 4],
    ['none', 'abc', -1],
    ['nothing at all', '', -1],
    ['one at every place of a block', `${'a'.repeat(31)}"`, 32],
    ['an escaped one before it', String.raw`a\"b"`, 5],
    ['an escaped backslash before it', String.raw`a\\"b"`, 4],
    ['one whose escape is cut off', 'abc\\', -1],
    ['one beyond the first window', `${'x'.repeat(5000)}"`, 5001],
  ])('finds %s', (_what, text, expected) => {
    expect(findStringEnd(Buffer.from(text), 0, Buffer.byteLength(text))).toBe(expected);
  });

  test('looks no further than the limit', () => {
    const bytes = Buffer.from(`${'x'.repeat(2000)}"`);
    expect(findStringEnd(bytes, 0, 2000)).toBe(-1);
    expect(findStringEnd(bytes, 0, 2001)).toBe(2001);
  });

  test('finds what a search byte by byte finds, from any place up to any limit', () => {
    const piece = fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom('\\', '"', '\\"', '\\\\', '\\u0022', 'ä', '\0') },
      { weight: 2, arbitrary: fc.nat(40).map((length) => 'x'.repeat(length)) },
      { weight: 1, arbitrary: fc.constantFrom(1000, 1020, 5119, 70_000).map((length) => 'y'.repeat(length)) },
    );
    fc.assert(
      fc.property(fc.array(piece), fc.nat(), fc.nat(), (pieces, from, upTo) => {
        const bytes = Buffer.from(pieces.join(''));
        const limit = upTo % (bytes.length + 1);
        const at = from % (limit + 1);
        expect(findStringEnd(bytes, at, limit)).toBe(findByByte(bytes, at, limit));
      }),
      { numRuns: 500 },
    );
  });

  test('finds a quote behind an escape at every border of windows and blocks', () => {
    for (let length = 1000; length < 1060; length += 1) {
      for (const end of ['"', String.raw`\""`, String.raw`\\"`, String.raw`\\\""`]) {
        const bytes = Buffer.from('z'.repeat(length) + end);
        expect(findStringEnd(bytes, 0, bytes.length)).toBe(bytes.length);
      }
    }
  });
});
