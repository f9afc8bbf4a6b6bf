import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { ResponseReader } from './response-reader.ts';

interface Reading {
  readonly heads: string[];
  readonly body: string;
  readonly done: boolean;
  readonly fault: string | undefined;
  /** Bytes after the end of the response. */
  readonly left: number;
}

function readPieces(pieces: readonly Buffer[], method = 'GET'): Reading {
  const reader = new ResponseReader({ method });
  const heads: string[] = [];
  let body = '';
  let left = 0;
  const sink = {
    head: (head: { status: number; headers: readonly string[] }) =>
      void heads.push([head.status, ...head.headers].join('|')),
    body: (piece: Buffer) => {
      expect(piece.length).toBeGreaterThan(0);
      body += piece.toString('latin1');
    },
  };
  for (const piece of pieces) {
    let offset = 0;
    while (offset < piece.length && !reader.done && reader.fault === undefined) {
      offset = reader.read(piece, offset, sink);
    }
    left += piece.length - offset;
  }
  return { heads, body, done: reader.done, fault: reader.fault, left };
}

function split(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  let start = 0;
  for (const cut of [...new Set(cuts.map((at) => at % (bytes.length + 1)))].sort((a, b) => a - b)) {
    pieces.push(bytes.subarray(start, cut));
    start = cut;
  }
  return [...pieces, bytes.subarray(start)];
}

const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
const responses = {
  length: 'HTTP/1.1 200 OK\r\nContent-Length: 15\r\nServer: x\r\n\r\n{"status":"ok"}',
  'length and more': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n',
  empty: 'HTTP/1.1 204 No Content\r\nX: y\r\n\r\n',
  interim:
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na',
  chunked: `${chunked}5\r\nhello\r\n1a;name="v"\r\n, the second chunk is here\r\n0\r\n\r\n`,
  'chunked with trailer': `${chunked}A \r\n0123456789\r\n000\r\nX-Sum: 1\r\nY: 2\r\n\r\nleft over`,
  'until close': 'HTTP/1.0 200 OK\r\n\r\nsome bytes\r\n\r\nmore',
};

describe('ResponseReader', () => {
  test.each(Object.entries(responses))('reads "%s" the same at every single split', (_, text) => {
    const bytes = Buffer.from(text, 'latin1');
    const whole = readPieces([bytes]);
    expect(whole.fault).toBeUndefined();
    for (let cut = 0; cut <= bytes.length; cut += 1) expect(readPieces(split(bytes, [cut]))).toEqual(whole);
    expect(readPieces(Array.from(bytes, (byte) => Buffer.from([byte])))).toEqual(whole);
  });

  test('reads arbitrary chunked bodies the same at arbitrary splits', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 8 }),
        fc.array(fc.nat(400), { maxLength: 20 }),
        (chunks, cuts) => {
          const body = Buffer.concat(chunks);
          const framed = Buffer.concat([
            Buffer.from(chunked),
            ...chunks.flatMap((chunk) => [
              Buffer.from(`${chunk.length.toString(16)}\r\n`),
              Buffer.from(chunk),
              Buffer.from('\r\n'),
            ]),
            Buffer.from('0\r\n\r\nrest'),
          ]);
          expect(readPieces(split(framed, cuts))).toEqual({
            heads: ['200|Transfer-Encoding|chunked'],
            body: body.toString('latin1'),
            done: true,
            fault: undefined,
            left: 4,
          });
        },
      ),
    );
  });

  test('never throws and answers the same at every split when bytes are broken', () => {
    const seeds = Object.values(responses);
    fc.assert(
      fc.property(
        fc.constantFrom(...seeds),
        fc.array(fc.tuple(fc.nat(200), fc.constantFrom(0, 10, 13, 32, 48, 58, 65, 255)), { maxLength: 4 }),
        fc.array(fc.nat(200), { maxLength: 6 }),
        (text, mutations, cuts) => {
          const bytes = Buffer.from(text, 'latin1');
          for (const [at, byte] of mutations) bytes[at % bytes.length] = byte;
          const whole = readPieces([bytes]);
          const parts = readPieces(split(bytes, cuts));
          expect({ ...parts, left: 0 }).toEqual({ ...whole, left: 0 });
        },
      ),
      { numRuns: 500 },
    );
  });

  test.each([
    ['a head that does not end', `HTTP/1.1 200 OK\r\nA: ${'a'.repeat(70_000)}`, 'head too large'],
    ['a head above the limit', `HTTP/1.1 200 OK\r\nA: ${'a'.repeat(70_000)}\r\n\r\n`, 'head too large'],
    ['101', 'HTTP/1.1 101 Switching Protocols\r\n\r\n', 'unexpected switch of protocols'],
    ['endless interim answers', 'HTTP/1.1 100 C\r\n\r\n'.repeat(40), 'too many interim answers'],
    ['no chunk size', `${chunked}\r\n`, 'bad chunk size'],
    ['a negative chunk size', `${chunked}-1\r\n`, 'bad chunk size'],
    ['a huge chunk size', `${chunked}ffffffffffffffff\r\n`, 'bad chunk size'],
    ['a bare line feed after the size', `${chunked}1\na\r\n`, 'bad chunk size'],
    ['a chunk longer than its size', `${chunked}1\r\nab\r\n`, 'chunk longer than its size'],
    ['an endless chunk extension', `${chunked}1;${'a'.repeat(5_000)}`, 'bad chunk extension'],
    ['an endless trailer', `${chunked}0\r\n${'a: b\r\n'.repeat(4_000)}`, 'bad trailer'],
  ])('refuses %s', (_, text, fault) => {
    const bytes = Buffer.from(text, 'latin1');
    expect(readPieces([bytes]).fault).toBe(fault);
    expect(readPieces(split(bytes, [7, 60, 90, 30_000, 60_000])).fault).toBe(fault);
  });

  test('takes a head of exactly 64 KiB', () => {
    const start = 'HTTP/1.1 204 OK\r\nA: ';
    const bytes = Buffer.from(`${start}${'a'.repeat(64 * 1024 - start.length)}\r\n\r\n`);
    expect(readPieces([bytes]).done).toBe(true);
    expect(readPieces(split(bytes, [10, 65_530, 65_537, 65_539])).done).toBe(true);
  });

  test('is complete at the end of the connection only when the body has no other end', () => {
    const ends = (text: string): boolean => {
      const reader = new ResponseReader({ method: 'GET' });
      const bytes = Buffer.from(text);
      let offset = 0;
      while (offset < bytes.length) offset = reader.read(bytes, offset, { head() {}, body() {} });
      return reader.end();
    };
    expect(ends('HTTP/1.1 200 OK\r\n\r\nabc')).toBe(true);
    expect(ends('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc')).toBe(false);
    expect(ends(`${chunked}3\r\nabc\r\n`)).toBe(false);
    expect(ends(`${chunked}0\r\n`)).toBe(false);
    expect(ends('HTTP/1.1 200 OK\r\n')).toBe(false);
  });
});
