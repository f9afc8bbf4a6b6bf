import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createHistory } from './history.ts';

describe('history', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('has a point at once, one per interval, oldest first, and forgets the oldest', () => {
    let reads = 0;
    const history = createHistory({
      clock: { nowMs: () => performance.now(), epochMs: () => Date.now() },
      max: 3,
      intervalMs: 2000,
      read: () => ({
        requestsPerMinute: (reads += 1),
        outputTokensPerSecond: 0,
        queued: 0,
        slotsUsed: 0,
        slotsTotal: 4,
      }),
    });
    const values = () => history.points().map(({ requestsPerMinute }) => requestsPerMinute);
    expect(values()).toEqual([1]);
    vi.advanceTimersByTime(4000);
    expect(values()).toEqual([1, 2, 3]);
    vi.advanceTimersByTime(2000);
    expect(values()).toEqual([2, 3, 4]);
    const [first, second] = history.points();
    expect((second?.atEpochMs ?? 0) - (first?.atEpochMs ?? 0)).toBe(2000);
    history.close();
    vi.advanceTimersByTime(10_000);
    expect(values()).toEqual([2, 3, 4]);
  });
});
