import { describe, expect, test } from 'vitest';
import { addressesCollide, isLoopback, parseListenAddress, tryParseListenAddress } from './listen-address.ts';

describe('parseListenAddress', () => {
  test.each([
    ['127.0.0.1:8700', '127.0.0.1', 8700],
    [':8700', '', 8700],
    ['8700', '127.0.0.1', 8700],
    ['localhost:0', 'localhost', 0],
    ['[::1]:65535', '::1', 65_535],
    ['[fe80::1%eth0]:80', 'fe80::1%eth0', 80],
    ['my-host.example.org:80', 'my-host.example.org', 80],
  ])('reads %s', (text, host, port) => {
    expect(parseListenAddress(text)).toEqual({ host, port });
  });

  test.each([
    '',
    '87000',
    'localhost',
    '::1:80',
    '[::1]',
    '127.0.0.1:65536',
    'a:b',
    'a b:1',
    ':',
    'http://a:1',
    '[]:1',
  ])('throws for %j', (text) => {
    expect(() => parseListenAddress(text)).toThrow(RangeError);
  });
});

test.each([
  ['127.0.0.1', true],
  ['127.9.9.9', true],
  ['::1', true],
  ['LOCALHOST', true],
  ['::ffff:127.0.0.1', true],
  ['', false],
  ['0.0.0.0', false],
  ['::', false],
  ['10.0.0.1', false],
  ['127.example.org', false],
])('isLoopback says of %j: %s', (host, expected) => {
  expect(isLoopback(host)).toBe(expected);
});

test.each([
  ['a:1', 'a:1', true],
  ['a:1', 'A:1', true],
  ['a:1', 'a:2', false],
  ['a:1', 'b:1', false],
  ['a:0', 'a:0', false],
  [':1', '127.0.0.1:1', true],
  ['[::]:1', '127.0.0.1:1', true],
  ['0.0.0.0:1', '127.0.0.1:1', true],
  ['0.0.0.0:1', '[::1]:1', false],
])('addressesCollide says of %s and %s: %s', (a, b, expected) => {
  const [first, second] = [tryParseListenAddress(a), tryParseListenAddress(b)];
  if (first === undefined || second === undefined) throw new Error('must be addresses');
  expect(addressesCollide(first, second)).toBe(expected);
  expect(addressesCollide(second, first)).toBe(expected);
});
