import { describe, expect, test } from 'vitest';

import { formatRequestHead, RequestFault } from './request-head.ts';

const request = {
  method: 'POST',
  path: '/v1/x?y=1',
  headers: ['Accept', '*/*'],
  body: [Buffer.from('{'), Buffer.from('}')],
};

describe('formatRequestHead', () => {
  test('writes request line, host, headers and length', () => {
    expect(formatRequestHead('[::1]:8080', request)).toBe(
      'POST /v1/x?y=1 HTTP/1.1\r\nHost: [::1]:8080\r\nAccept: */*\r\nContent-Length: 2\r\n\r\n',
    );
  });

  test('says length 0 for a POST without body and nothing for a GET', () => {
    expect(formatRequestHead('h', { ...request, body: undefined })).toContain('Content-Length: 0\r\n');
    for (const body of [undefined, [], [Buffer.alloc(0)]]) {
      expect(formatRequestHead('h', { ...request, method: 'GET', body })).not.toContain('Length');
    }
  });

  test.each([
    [{ method: 'GET /' }],
    [{ path: '/a b' }],
    [{ path: '/a\r\nX: y' }],
    [{ path: '' }],
    [{ path: '/\u0142' }],
    [{ headers: ['X\r\nY', 'z'] }],
    [{ headers: ['X', 'y\r\nZ: a'] }],
    [{ headers: ['X', 'y\nZ: a'] }],
    [{ headers: ['X', '\0'] }],
    [{ headers: ['', 'a'] }],
  ])('refuses %j', (change) => {
    expect(() => formatRequestHead('h', { ...request, ...change })).toThrow(RequestFault);
  });
});
