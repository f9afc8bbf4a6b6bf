import { expect, test } from 'vitest';
import type { ResolvedTimeouts } from '../config/models.ts';
import { connectTimeoutMs, idleTimeoutMs } from './connection-times.ts';

const times = (more: Partial<ResolvedTimeouts>): ResolvedTimeouts => ({
  connectMs: 30_000,
  keepaliveMs: 0,
  responseHeaderMs: 0,
  tlsHandshakeMs: 10_000,
  expectContinueMs: 0,
  idleConnMs: 0,
  ...more,
});

test.each<[string, Partial<ResolvedTimeouts>, number]>([
  ['http://h', {}, 30_000],
  ['https://h', {}, 40_000],
  ['http://h', { tlsHandshakeMs: 0 }, 30_000],
  ['https://h', { tlsHandshakeMs: 0 }, 3_600_000],
  ['http://h', { connectMs: 0 }, 3_600_000],
])('a connection to %s with %j may take %d ms', (url, more, expected) => {
  expect(connectTimeoutMs(url, times(more))).toBe(expected);
});

test('an idle connection is kept as long as is wanted and safe', () => {
  expect([0, 2000, 90_000].map((idleConnMs) => idleTimeoutMs(4000, times({ idleConnMs })))).toEqual([
    4000, 2000, 4000,
  ]);
});
