import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { KeyMeter, type KeyHold, type LimitReached } from './key-meter.ts';
import { toKeyRules, type KeyRules } from './key-rules.ts';
import { KeyUse } from './key-use.ts';

const dayMs = 86_400_000;
const noon = Date.UTC(2026, 4, 4, 12);
const kept = (path?: string) =>
  new KeyUse({
    path,
    onFault: (error) => {
      throw error;
    },
  });

function setUp(limits: Parameters<typeof toKeyRules>[2], use = kept()) {
  const time = { nowMs: 1000, epochMs: noon };
  const clock = { nowMs: () => time.nowMs, epochMs: () => time.epochMs };
  const pass = (ms: number): void => {
    time.nowMs += ms;
    time.epochMs += ms;
  };
  return { time, pass, rules: toKeyRules('k', 'config', limits), meter: new KeyMeter(clock, () => use), use };
}

const isHold = (outcome: KeyHold | LimitReached): outcome is KeyHold => 'settle' in outcome;

function hold(meter: KeyMeter, rules: KeyRules, tokens: number): KeyHold {
  const outcome = meter.enter(rules, tokens);
  if (isHold(outcome)) return outcome;
  throw new Error(`refused: ${outcome.limit}`);
}

describe('concurrency', () => {
  test('counts what runs, and a place is given back once', () => {
    const { meter, rules } = setUp({ concurrency: 2 });
    const [first] = [hold(meter, rules, 0), hold(meter, rules, 0)];
    expect(meter.enter(rules, 0)).toEqual({ limit: 'concurrency', allowed: 2, retryAfterMs: undefined });
    first.settle(0);
    first.settle(0);
    hold(meter, rules, 0);
    expect(isHold(meter.enter(rules, 0))).toBe(false);
  });
});

describe('rates', () => {
  test('a request beyond them hears when it can come, and takes nothing', () => {
    const { meter, rules, pass } = setUp({ requestsPerMinute: 2, tokensPerMinute: 600 });
    hold(meter, rules, 500).settle(500);
    expect(meter.enter(rules, 200)).toEqual({
      limit: 'tokensPerMinute',
      allowed: 600,
      retryAfterMs: expect.closeTo(10_000) as number,
    });
    pass(10_000);
    hold(meter, rules, 200);
    const refused = meter.enter(rules, 0);
    expect(refused).toMatchObject({ limit: 'requestsPerMinute' });
    pass((refused as LimitReached).retryAfterMs ?? 0);
    hold(meter, rules, 0);
  });

  test('tokens that were not needed come back', () => {
    const { meter, rules } = setUp({ tokensPerMinute: 1000 });
    hold(meter, rules, 1000).settle(10);
    expect(meter.read(rules).tokensPerMinute).toMatchObject({ allowed: 1000, left: 990 });
  });
});

describe('budgets', () => {
  test('the last request may reserve more than is left, and nobody begins beside it', () => {
    const { meter, rules } = setUp({ tokensPerDay: 1000 });
    hold(meter, rules, 600).settle(600);
    const last = hold(meter, rules, 5000);
    expect(meter.read(rules).day).toMatchObject({ used: 600, reserved: 5000 });
    expect(meter.enter(rules, 1)).toMatchObject({ limit: 'tokensPerDay', retryAfterMs: undefined });
    last.settle(100);
    hold(meter, rules, 300).settle(300);
    expect(meter.enter(rules, 1)).toEqual({ limit: 'tokensPerDay', allowed: 1000, retryAfterMs: dayMs / 2 });
  });

  test('one that ends cheaply makes no room beside another that may go beyond the budget', () => {
    const { meter, rules } = setUp({ tokensPerDay: 2 });
    const cheap = hold(meter, rules, 1);
    const dear = hold(meter, rules, 5);
    cheap.settle(0);
    expect(meter.enter(rules, 5)).toMatchObject({ limit: 'tokensPerDay', retryAfterMs: undefined });
    dear.settle(3);
    expect(meter.read(rules).day).toMatchObject({ used: 3, reserved: 0 });
  });

  test('what costs nothing passes a budget that is used up', () => {
    const { meter, rules } = setUp({ tokensPerDay: 10 });
    hold(meter, rules, 10).settle(10);
    hold(meter, rules, 0);
  });

  test('a day ends in UTC, a month goes on', () => {
    const { meter, rules, pass } = setUp({ tokensPerDay: 10, tokensPerMonth: 15 });
    hold(meter, rules, 10).settle(10);
    pass(dayMs / 2);
    hold(meter, rules, 10).settle(5);
    expect(meter.enter(rules, 1)).toMatchObject({ limit: 'tokensPerMonth', retryAfterMs: 27 * dayMs });
  });

  test('a request counts in the window that it began in', () => {
    const { meter, rules, pass } = setUp({ tokensPerDay: 10 });
    const late = hold(meter, rules, 10);
    pass(dayMs / 2);
    const early = hold(meter, rules, 10);
    late.settle(10);
    early.settle(3);
    expect(meter.read(rules).day).toMatchObject({ used: 3, reserved: 0 });
  });

  test('a clock that jumps away and comes back finds its sums', () => {
    const { meter, rules, time } = setUp({ tokensPerDay: 10 });
    hold(meter, rules, 10).settle(10);
    time.epochMs += 4000 * dayMs;
    hold(meter, rules, 1).settle(1);
    time.epochMs = noon - dayMs;
    hold(meter, rules, 1).settle(1);
    time.epochMs = noon;
    expect(meter.enter(rules, 1)).toMatchObject({ limit: 'tokensPerDay' });
  });

  test('sums outlive the program, and what ran when it died counts as reserved', () => {
    const folder = mkdtempSync(join(tmpdir(), 'llamero-keys-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'use.db');
    const before = setUp({ tokensPerDay: 100 }, kept(path));
    hold(before.meter, before.rules, 50).settle(40);
    hold(before.meter, before.rules, 30);
    before.use.close();
    const after = setUp({ tokensPerDay: 100 }, kept(path));
    expect(after.meter.read(after.rules).day).toMatchObject({ used: 70, reserved: 0 });
    hold(after.meter, after.rules, 30).settle(30);
    expect(after.meter.enter(after.rules, 1)).toMatchObject({ limit: 'tokensPerDay' });
    after.use.close();
  });
});

/** A history of one key: what is asked for, how much of it is taken in the end, and how time passes. */
type Step =
  | { readonly kind: 'enter'; readonly tokens: number; readonly percent: number }
  | { readonly kind: 'end'; readonly pick: number }
  | { readonly kind: 'endAgain'; readonly pick: number }
  | { readonly kind: 'pass'; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('enter' as const),
      tokens: fc.integer({ min: 1, max: 400 }),
      percent: fc.integer({ min: 0, max: 100 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('end' as const), pick: fc.nat(100) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('endAgain' as const), pick: fc.nat(100) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      ms: fc.constantFrom(1000, 60_000, 3_600_000, dayMs),
    }),
  },
);

test('no order of requests overspends a budget by more than one reservation, or has too many at once', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), fc.integer({ min: 1, max: 1500 }), (steps, budget) => {
      const concurrency = 5;
      const { meter, rules, time, pass } = setUp({ tokensPerDay: budget, concurrency });
      // The checker keeps its own books: what each day's requests took, by the day they began in.
      const spent = new Map<number, number>();
      const largest = new Map<number, number>();
      const running: { hold: KeyHold; takes: number; day: number }[] = [];
      const ended: KeyHold[] = [];
      for (const each of steps) {
        const day = Math.floor(time.epochMs / dayMs);
        if (each.kind === 'pass') pass(each.ms);
        else if (each.kind === 'endAgain') ended[each.pick % ended.length]?.settle(1_000_000);
        else if (each.kind === 'end') {
          const [one] = running.splice(each.pick % Math.max(1, running.length), 1);
          if (one === undefined) continue;
          one.hold.settle(one.takes);
          ended.push(one.hold);
          spent.set(one.day, (spent.get(one.day) ?? 0) + one.takes);
        } else {
          const already = spent.get(day) ?? 0;
          const outcome = meter.enter(rules, each.tokens);
          if (!isHold(outcome)) {
            expect(running.length === concurrency || already > 0 || running.length > 0).toBe(true);
            continue;
          }
          expect(already).toBeLessThan(budget);
          const takes = Math.round((each.tokens * each.percent) / 100);
          running.push({ hold: outcome, takes, day });
          largest.set(day, Math.max(largest.get(day) ?? 0, each.tokens));
        }
        expect(running.length).toBeLessThanOrEqual(concurrency);
      }
      for (const { hold: one, takes, day } of running) {
        one.settle(takes);
        spent.set(day, (spent.get(day) ?? 0) + takes);
      }
      for (const [day, tokens] of spent) expect(tokens).toBeLessThan(budget + (largest.get(day) ?? 0));
      expect(meter.read(rules)).toMatchObject({ running: 0, day: { reserved: 0 } });
    }),
    { numRuns: 500 },
  );
});
