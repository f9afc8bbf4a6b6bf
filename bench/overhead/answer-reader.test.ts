import { expect, test } from 'vitest';
import { AnswerReader } from './answer-reader.ts';

function readAll(pieces: readonly Buffer[]): { bodies: number; ends: unknown[]; idle: boolean } {
  const ends: unknown[] = [];
  let bodies = 0;
  const reader = new AnswerReader({
    onBody: (bytes) => {
      bodies += bytes;
    },
    onEnd: (answer) => ends.push(answer),
  });
  for (const piece of pieces) reader.push(piece);
  return { bodies, ends, idle: reader.idle };
}

const wire = Buffer.from(
  'HTTP/1.1 100 Continue\r\n\r\n' +
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello' +
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n' +
    'HTTP/1.1 503 Busy\r\nConnection: close\r\ncontent-length: 0\r\n\r\n',
);
const answers = [
  { status: 200, bodyBytes: 5, closes: false },
  { status: 200, bodyBytes: 19, closes: false },
  { status: 503, bodyBytes: 0, closes: true },
];

test('AnswerReader reads several answers in one piece', () => {
  expect(readAll([wire])).toEqual({ bodies: 24, ends: answers, idle: true });
});

test('AnswerReader reads the same answers at every split in two', () => {
  for (let at = 1; at < wire.length; at += 1) {
    const read = readAll([wire.subarray(0, at), wire.subarray(at)]);
    expect(read, `split at ${at}`).toEqual({ bodies: 24, ends: answers, idle: true });
  }
});

test('AnswerReader reads the same answers byte by byte', () => {
  const bytes = Array.from(wire, (byte) => Buffer.from([byte]));
  expect(readAll(bytes)).toEqual({ bodies: 24, ends: answers, idle: true });
});

test.each([
  ['no HTTP', 'SSH-2.0\r\n\r\n'],
  ['no length', 'HTTP/1.1 200 OK\r\n\r\n'],
  ['a bad chunk size', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'],
])('AnswerReader throws on %s', (_what, text) => {
  expect(() => readAll([Buffer.from(text)])).toThrow();
});
