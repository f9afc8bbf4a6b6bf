import { describe, expect, test } from 'vitest';

import { HeadFault, parseResponseHead } from './response-head.ts';

const head = (...lines: string[]): string => lines.join('\r\n');

describe('parseResponseHead', () => {
  test('keeps header names, order and duplicates as received', () => {
    const parsed = parseResponseHead(
      head('HTTP/1.1 200 OK', 'Server: llama.cpp', 'Set-Cookie: a=1', 'set-cookie:\t b=2 ', 'Empty:'),
      'GET',
    );
    expect(parsed.status).toBe(200);
    expect(parsed.headers).toEqual([
      'Server',
      'llama.cpp',
      'Set-Cookie',
      'a=1',
      'set-cookie',
      'b=2',
      'Empty',
      '',
    ]);
  });

  test.each([
    ['length', head('HTTP/1.1 200 OK', 'Content-Length: 15'), 'POST'],
    ['none', head('HTTP/1.1 200 OK', 'Content-Length: 0'), 'POST'],
    ['none', head('HTTP/1.1 200 OK', 'Content-Length: 15'), 'HEAD'],
    ['none', head('HTTP/1.1 204 No Content', 'Content-Length: 15'), 'GET'],
    ['none', head('HTTP/1.1 304 Not Modified', 'Transfer-Encoding: chunked'), 'GET'],
    ['chunked', head('HTTP/1.1 200 OK', 'transfer-encoding: Chunked'), 'GET'],
    ['close', head('HTTP/1.1 200 OK'), 'GET'],
    ['close', head('HTTP/1.0 200'), 'GET'],
  ])('finds framing %s in %j for %s', (framing, text, method) => {
    expect(parseResponseHead(text, method).framing).toBe(framing);
  });

  test.each([
    [true, head('HTTP/1.1 200 OK', 'Content-Length: 1')],
    [false, head('HTTP/1.1 200 OK', 'Content-Length: 1', 'Connection: Close')],
    [false, head('HTTP/1.1 200 OK', 'Content-Length: 1', 'Connection: close, keep-alive')],
    [false, head('HTTP/1.1 200 OK', 'Content-Length: 1', 'Connection: keep-alive, close')],
    [false, head('HTTP/1.0 200 OK', 'Content-Length: 1')],
    [true, head('HTTP/1.0 200 OK', 'Content-Length: 1', 'Connection: keep-alive')],
    [false, head('HTTP/1.1 200 OK', 'Connection: keep-alive')],
  ])('says keepAlive %s of %j', (keepAlive, text) => {
    expect(parseResponseHead(text, 'GET').keepAlive).toBe(keepAlive);
  });

  test('reads the idle limit of Keep-Alive', () => {
    const text = head('HTTP/1.1 200 OK', 'Keep-Alive: timeout=5, max=100');
    expect(parseResponseHead(text, 'GET').keepAliveMs).toBe(5_000);
  });

  test.each([
    ['HTTP/2 200 OK'],
    ['HTTP/1.1 2000 OK'],
    ['HTTP/1.1 200\tOK'],
    ['HTTP/1.1 099 no'],
    [' HTTP/1.1 200 OK'],
    ['SSH-2.0-OpenSSH_9.2'],
    [head('HTTP/1.1 200 OK', 'A: b', ' folded')],
    [head('HTTP/1.1 200 OK', ' A: b')],
    [head('HTTP/1.1 200 OK', 'A : b')],
    [head('HTTP/1.1 200 OK', ': b')],
    [head('HTTP/1.1 200 OK', 'no colon')],
    [head('HTTP/1.1 200 OK', 'A: b\nContent-Length: 1')],
    [head('HTTP/1.1 200 OK', 'A: b\0')],
    [head('HTTP/1.1 200 OK', 'Content-Length: 1', 'Content-Length: 1')],
    [head('HTTP/1.1 200 OK', 'Content-Length: 1, 1')],
    [head('HTTP/1.1 200 OK', 'Content-Length: +1')],
    [head('HTTP/1.1 200 OK', 'Content-Length: ')],
    [head('HTTP/1.1 200 OK', 'Content-Length: 9999999999999999')],
    [head('HTTP/1.1 200 OK', 'Content-Length: 1', 'Transfer-Encoding: chunked')],
    [head('HTTP/1.1 200 OK', 'Transfer-Encoding: gzip, chunked')],
    [head('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked')],
    [head('HTTP/1.0 200 OK', 'Transfer-Encoding: chunked')],
  ])('refuses %j', (text) => {
    expect(() => parseResponseHead(text, 'GET')).toThrow(HeadFault);
  });
});
