import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LineOverflow, LineReader } from './line-reader.ts';

function read(chunks: readonly Buffer[], lineBytesMax?: number): string[] {
  const lines: string[] = [];
  const reader = new LineReader({
    onLine: (line) => lines.push(line),
    ...(lineBytesMax !== undefined && { lineBytesMax }),
  });
  for (const chunk of chunks) reader.push(chunk);
  reader.end();
  return lines;
}

describe('a line reader', () => {
  test.each([
    ['a\nb\n', ['a', 'b']],
    ['a\r\nb', ['a', 'b']],
    ['\n\na\n\n', ['a']],
    ['', []],
    ['é🦙\n', ['é🦙']],
  ])('reads %j', (text, lines) => {
    expect(read([Buffer.from(text)])).toEqual(lines);
  });

  test('gives the same lines for any split', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 5 }), fc.nat(), (lines, cut) => {
        const bytes = Buffer.from(lines.join('\n'));
        const at = cut % (bytes.length + 1);
        const split = read([bytes.subarray(0, at), bytes.subarray(at)]);
        const single = read(Array.from(bytes, (byte) => Buffer.of(byte)));
        expect(split).toEqual(read([bytes]));
        expect(single).toEqual(read([bytes]));
      }),
    );
  });

  test('refuses a line beyond its limit, also one that never ends', () => {
    expect(read([Buffer.from('12345\n12345\n')], 5)).toEqual(['12345', '12345']);
    expect(() => read([Buffer.from('123456\n')], 5)).toThrow(LineOverflow);
    expect(() => read([Buffer.from('123'), Buffer.from('456')], 5)).toThrow('longer than 5 bytes');
  });
});
