import { expect, test } from 'vitest';
import { findDotSegment } from './dot-segments.ts';

test.each([
  '/api/../unload',
  '/api/./status',
  '/api/..',
  '/.',
  '/api/%2e%2E/unload',
  '/api/.%2e/unload',
  '/upstream/a/..%2f..%2fslots',
  '/a\\..\\b',
  '/a%5c..%5Cb',
])('%s holds a dot segment', (path) => {
  expect(findDotSegment(path)?.code).toBe('request_malformed');
});

test.each(['/', '/v1/models/qwen2.5', '/a/...', '/a/..b', '/a/b..', '/.well-known/x', '/a%2eb', '//a'])(
  '%s holds none',
  (path) => {
    expect(findDotSegment(path)).toBeUndefined();
  },
);
