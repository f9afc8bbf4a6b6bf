import { describe, expect, test } from 'vitest';
import { findLoop, loopSignature, signedBy } from './loop-guard.ts';

const me = loopSignature('me');

describe('a request', () => {
  test.each<[string, string[]]>([
    ['that nobody signed', []],
    ['that others signed', ['CDN-Loop', 'cdn.example; v=1, llamero-other']],
    ['with a name that only looks like ours', ['CDN-Loop', 'llamero-meadow, llamero-m, me']],
    ['with our name in another header', ['Via', 'llamero-me']],
  ])('%s goes on', (_name, headers) => {
    expect(findLoop(headers, me)).toBeUndefined();
  });

  test.each<[string[], string]>([
    [['cdn-loop', 'llamero-me'], 'directly'],
    [['Cdn-Loop', ' llamero-x ,llamero-me; a="b",llamero-y'], 'through 1 other router:'],
    [['CDN-Loop', 'cdn, llamero-me', 'cdn-loop', 'llamero-y, cdn, llamero-z'], 'through 2 other routers:'],
  ])('with %j has come back %s', (headers, way) => {
    const error = findLoop(headers, me);
    expect([error?.status, error?.code, error?.message]).toEqual([
      508,
      'loop_detected',
      expect.stringContaining(way),
    ]);
  });

  test('goes through sixteen routers at most', () => {
    const through = (count: number) => [
      'cdn-loop',
      Array.from({ length: count }, (_, at) => `llamero-${at}`).join(),
    ];
    expect(findLoop(through(15), me)).toBeUndefined();
    expect(findLoop(through(16), me)?.code).toBe('loop_detected');
  });
});

test('the signature comes after all others, in one header', () => {
  expect(signedBy([], me)).toBe('llamero-me');
  expect(signedBy(['cdn-loop', 'a; x=1', 'accept', '*/*', 'CDN-LOOP', 'b, c'], me)).toBe(
    'a; x=1, b, c, llamero-me',
  );
});
