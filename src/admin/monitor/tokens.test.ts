import { expect, test } from 'vitest';
import { createFakeFleet } from '../../../test/fake-admin-deps.ts';
import { noUsage } from '../../store/usage-entry.ts';
import { createTokenReader } from './tokens.ts';

test('the monitor tells of today from midnight UTC, of the last sixty minutes, and of no caller', () => {
  const fleet = createFakeFleet();
  const read = createTokenReader(fleet.deps);
  const use = (model: string, inputTokens: number) =>
    fleet.usage.add({
      key: { flow: 'notebook', backend: 'gpu-1', model, dialect: 'openai' },
      counts: { ...noUsage, requests: 1, inputTokens },
    });
  use('tiny', 1000);
  fleet.advance(14 * 3_600_000 + 50 * 60_000);
  use('tiny', 200);
  expect(read().today).toMatchObject({ total_tokens: 1200, requests: 2 });
  // Ten minutes past midnight.
  fleet.advance(20 * 60_000);
  use('tiny', 30);
  use('big', 40);
  use('', 0);
  const body = read();
  expect(body.today).toMatchObject({ total_tokens: 70, requests: 3 });
  expect(body.models.map(({ name, total_tokens: tokens }) => [name, tokens])).toEqual([
    ['big', 40],
    ['tiny', 30],
  ]);
  expect([body.hour.tokens.length, body.hour.tokens[39], body.hour.tokens[59]]).toEqual([60, 200, 70]);
  expect(JSON.stringify(body)).not.toContain('notebook');
  use('tiny', 5);
  expect(read()).toBe(body);
});
