import { describe, expect, test } from 'vitest';
import { tryParsePlainHead } from './request-head.ts';

const post = (...lines: string[]) =>
  ['POST /v1/chat/completions?a=b HTTP/1.1', 'Host: r', ...lines].join('\r\n');
const get = (...lines: string[]) => ['GET /v1/models HTTP/1.1', 'Host: r', ...lines].join('\r\n');

describe('tryParsePlainHead', () => {
  test('reads method, target, headers as they came, and the length', () => {
    expect(tryParsePlainHead(post('X-A:  one two \t', 'content-LENGTH: 12', 'X-Empty:'))).toEqual({
      method: 'POST',
      url: '/v1/chat/completions?a=b',
      rawHeaders: ['Host', 'r', 'X-A', 'one two', 'content-LENGTH', '12', 'X-Empty', ''],
      bodyBytes: 12,
      closes: false,
    });
    expect(tryParsePlainHead(get())).toMatchObject({ method: 'GET', url: '/v1/models', bodyBytes: 0 });
  });

  test('keeps bytes over 127 in a value, and headers that come twice', () => {
    const head = tryParsePlainHead(get('X-A: \xe4', 'X-A: b'));
    expect(head?.rawHeaders).toEqual(['Host', 'r', 'X-A', '\xe4', 'X-A', 'b']);
  });

  test.each([
    ['Connection: keep-alive', false],
    ['connection: Keep-Alive', false],
    ['Connection: close', true],
  ])('takes %s', (line, closes) => {
    expect(tryParsePlainHead(get(line))?.closes).toBe(closes);
  });

  test.each([
    ['another method', 'PUT / HTTP/1.1\r\nHost: r\r\nContent-Length: 0'],
    ['a HEAD', 'HEAD / HTTP/1.1\r\nHost: r'],
    ['HTTP/1.0', 'GET / HTTP/1.0\r\nHost: r'],
    ['the absolute form', 'GET http://r/ HTTP/1.1\r\nHost: r'],
    ['a blank in the target', 'GET /a b HTTP/1.1\r\nHost: r'],
    ['a control character in the target', 'GET /a\x01 HTTP/1.1\r\nHost: r'],
    ['bytes over 127 in the target', 'GET /\xe4 HTTP/1.1\r\nHost: r'],
    ['no headers at all', 'GET / HTTP/1.1'],
    ['no host', 'GET / HTTP/1.1\r\nX-A: b'],
    ['two hosts', get('Host: s')],
    ['no length of a POST', post()],
    ['a length of a GET', get('Content-Length: 0')],
    ['two lengths', post('Content-Length: 1', 'Content-Length: 1')],
    ['a list of lengths', post('Content-Length: 1, 1')],
    ['a signed length', post('Content-Length: +1')],
    ['a hexadecimal length', post('Content-Length: 0x1')],
    ['no digits of a length', post('Content-Length:')],
    ['a length beyond numbers', post('Content-Length: 1000000000000000')],
    ['a transfer coding', post('Transfer-Encoding: chunked')],
    ['a transfer coding and a length', post('Content-Length: 1', 'Transfer-Encoding: chunked')],
    ['an expectation', post('Content-Length: 1', 'Expect: 100-continue')],
    ['an upgrade', get('Upgrade: websocket')],
    ['te', get('TE: trailers')],
    ['a trailer', post('Content-Length: 1', 'Trailer: X-A')],
    ['a connection option', get('Connection: keep-alive, X-A')],
    ['an upgrade of the connection', get('Connection: Upgrade')],
    ['a folded line', get('X-A: b', ' c')],
    ['a blank before the colon', get('X-A : b')],
    ['no colon', get('X-A')],
    ['no name', get(': b')],
    ['a bare line feed', get('X-A: b\nX-B: c')],
    ['a bare carriage return', get('X-A: b\rc')],
    ['a zero byte', get('X-A: b\0')],
    ['more headers than are kept', get(...Array.from({ length: 1001 }, (_, index) => `X-${index}: a`))],
  ])('leaves %s to others', (_what, text) => {
    expect(tryParsePlainHead(text)).toBeUndefined();
  });
});
