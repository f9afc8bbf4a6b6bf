import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { SseOverflow, SseReader } from './sse-reader.ts';
import type { SseEvent } from './sse-reader.ts';

function read(bytes: Buffer | string, cuts: readonly number[] = [], eventBytesMax = 10_000): SseEvent[] {
  const whole = Buffer.from(bytes as string);
  const events: SseEvent[] = [];
  const reader = new SseReader({ onEvent: (event) => events.push(event), eventBytesMax });
  let start = 0;
  for (const cut of [...new Set(cuts.map((at) => at % (whole.length + 1)))].sort((a, b) => a - b)) {
    reader.push(whole.subarray(start, cut));
    start = cut;
  }
  reader.push(whole.subarray(start));
  return events;
}

const data = (...texts: string[]): SseEvent[] => texts.map((text) => ({ event: undefined, data: text }));

describe('SseReader', () => {
  test.each<[string, string, SseEvent[]]>([
    ['plain events', 'data: a\n\ndata: b\n\n', data('a', 'b')],
    ['names', 'event: x\ndata: a\n\ndata: b\n\n', [{ event: 'x', data: 'a' }, ...data('b')]],
    ['several data lines', 'data: a\ndata:b\ndata\ndata:  c\n\n', data('a\nb\n\n c')],
    ['CRLF', 'data: a\r\ndata: b\r\n\r\ndata: c\r\n\r\n', data('a\nb', 'c')],
    ['CR', 'data: a\rdata: b\r\rdata: c\r\r', data('a\nb', 'c')],
    ['mixed line ends', 'data: a\r\n\ndata: b\n\r\ndata: c\r\r\n', data('a', 'b', 'c')],
    ['comments and other fields', ':\n\n: hi\nid: 1\nretry: 5\nwhat: x\ndata: a\n\n:\n\n', data('a')],
    ['a byte order mark', '\ufeffdata: a\n\n\ufeffdata: b\n\n', data('a')],
    ['empty data', 'data:\n\ndata\n\n', data('', '')],
    ['an event without data', 'event: x\n\ndata: a\n\n', data('a')],
    ['text that is no event', 'data: a\n\nproxy error: no\n\ndata: b\n\n', data('a', 'b')],
    ['an unfinished event', 'data: a\n\ndata: b\n', data('a')],
    ['an unfinished line', 'data: a\n\ndata: b', data('a')],
  ])('reads %s, whole and byte by byte', (_, text, events) => {
    expect(read(text)).toEqual(events);
    expect(
      read(
        text,
        Array.from({ length: Buffer.byteLength(text) }, (_unused, at) => at),
      ),
    ).toEqual(events);
  });

  test('reads the same at any split', () => {
    const piece = fc.oneof(
      fc.constantFrom('\n', '\r', '\r\n', '\n\n', 'data: ', 'data:', 'event: x', ':', ' ', '\ufeff', '🦙é'),
      fc.string({ unit: 'binary', maxLength: 5 }),
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 40 }),
        fc.array(fc.nat(300), { maxLength: 20 }),
        (pieces, cuts) => {
          const text = pieces.join('');
          expect(read(text, cuts)).toEqual(read(text));
        },
      ),
      { numRuns: 1_000 },
    );
  });

  test('gives back any text that was written as events', () => {
    const text = fc.string({ unit: 'binary' }).filter((value) => !/[\r\n]/.test(value));
    fc.assert(
      fc.property(
        fc.array(text),
        fc.array(fc.nat(500)),
        fc.constantFrom('\n', '\r\n', '\r'),
        (texts, cuts, end) => {
          const stream = texts.map((value) => `data: ${value}${end}${end}`).join('');
          expect(read(stream, cuts)).toEqual(data(...texts.map((value) => Buffer.from(value).toString())));
        },
      ),
    );
  });

  test('refuses an event above its limit, in one line or many', () => {
    expect(() => read(`data: ${'a'.repeat(10_000)}\n\n`)).toThrow(SseOverflow);
    expect(() => read(`data: ${'a'.repeat(10_000)}`)).toThrow(SseOverflow);
    expect(() => read('data: abc\n'.repeat(2_000))).toThrow(SseOverflow);
    expect(read('data: abc\n\n'.repeat(2_000))).toHaveLength(2_000);
  });

  test('reads a long line that comes in single bytes in linear time', () => {
    const text = `data: ${'a'.repeat(200_000)}\n\n`;
    const cuts = Array.from({ length: text.length }, (_, at) => at);
    expect(read(text, cuts, 1_000_000)[0]?.data).toHaveLength(200_000);
  });
});
