import { expect, test } from 'vitest';
import type { KeyReading } from '../../keys/key-meter.ts';
import { limitHeaders } from './limit-headers.ts';

const free = { used: 0, reserved: 0, allowed: Infinity, resetMs: 5000 };
const reading: KeyReading = {
  running: 1,
  requestsPerMinute: { allowed: 60, left: 12.9, resetMs: 47_100 },
  tokensPerMinute: { allowed: 1000, left: 400, resetMs: 36_000 },
  day: { used: 900, reserved: 90, allowed: 1000, resetMs: 93_600_000 },
  month: free,
};
const now = Date.UTC(2026, 0, 1);

test('OpenAI hears of the limit that leaves least', () => {
  expect(Object.fromEntries(limitHeaders(reading, 'openai', now))).toEqual({
    'x-ratelimit-limit-requests': '60',
    'x-ratelimit-remaining-requests': '12',
    'x-ratelimit-reset-requests': '48s',
    'x-ratelimit-limit-tokens': '1000',
    'x-ratelimit-remaining-tokens': '10',
    'x-ratelimit-reset-tokens': '26h0m0s',
  });
});

test('Anthropic hears it in its own words', () => {
  expect(Object.fromEntries(limitHeaders(reading, 'anthropic', now))).toEqual({
    'anthropic-ratelimit-requests-limit': '60',
    'anthropic-ratelimit-requests-remaining': '12',
    'anthropic-ratelimit-requests-reset': '2026-01-01T00:00:47.100Z',
    'anthropic-ratelimit-tokens-limit': '1000',
    'anthropic-ratelimit-tokens-remaining': '10',
    'anthropic-ratelimit-tokens-reset': '2026-01-02T02:00:00.000Z',
  });
});

test('limits that are not set are not told, and nothing is less than none', () => {
  const spent = { used: 15, reserved: 0, allowed: 10, resetMs: 90_000 };
  const some = {
    ...reading,
    requestsPerMinute: undefined,
    tokensPerMinute: undefined,
    day: free,
    month: spent,
  };
  expect(Object.fromEntries(limitHeaders(some, 'ollama', now))).toEqual({
    'x-ratelimit-limit-tokens': '10',
    'x-ratelimit-remaining-tokens': '0',
    'x-ratelimit-reset-tokens': '1m30s',
  });
  expect(limitHeaders({ ...some, month: free }, 'openai', now)).toEqual([]);
});
