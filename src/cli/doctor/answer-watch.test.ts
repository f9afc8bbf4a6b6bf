import { describe, expect, test } from 'vitest';
import type { ProbeClient } from '../../engines/engine-kind.ts';
import { clockSkewMs, watchAnswers } from './answer-watch.ts';

const noon = Date.parse('2026-01-02T12:00:00Z');
const httpDate = (epochMs: number) => new Date(epochMs).toUTCString();

describe('clockSkewMs', () => {
  test.each([
    ['the second of the answer', noon, noon + 300, noon + 400, 0],
    ['an answer that took four seconds', noon, noon, noon + 4000, 0],
    ['a clock that is a minute ahead', noon + 60_000, noon, noon + 100, 59_900],
    ['a clock that is a minute behind', noon - 60_000, noon, noon + 100, -59_001],
  ])('explains %s', (_case, told, sent, received, skew) => {
    expect(clockSkewMs(httpDate(told), sent, received)).toBe(skew);
  });

  test.each([undefined, '', 'yesterday'])('knows nothing by the header %j', (date) => {
    expect(clockSkewMs(date, noon, noon)).toBeUndefined();
  });
});

describe('watchAnswers', () => {
  const answering = (status: number, date: string): ProbeClient => ({
    get: () => Promise.resolve({ status, headers: new Map([['date', date]]), json: undefined, text: '' }),
  });
  const clock = { epochMs: () => noon };

  test('warns of a clock that is ten seconds away, not of one that is five', async () => {
    const far = watchAnswers(answering(200, httpDate(noon + 10_000)), clock);
    await far.client.get('/');
    expect(far.clockFindings('box')).toEqual([
      expect.objectContaining({
        level: 'warning',
        subject: 'box',
        saw: 'the clock of its machine is 10 s ahead of this one',
      }),
    ]);
    const near = watchAnswers(answering(200, httpDate(noon - 5000)), clock);
    await near.client.get('/');
    expect(near.clockFindings('box')).toEqual([]);
  });

  test('remembers that a key was refused', async () => {
    const watch = watchAnswers(answering(401, ''), clock);
    expect(watch.refusedKey()).toBe(false);
    await watch.client.get('/');
    expect(watch.refusedKey()).toBe(true);
  });
});
