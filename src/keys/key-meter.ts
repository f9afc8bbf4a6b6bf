/**
 * Owns how much of its limits every API key uses. Rates, concurrency and budgets are looked at and taken in one step, so
 * that no two requests get the same room. Knows no HTTP.
 */
import type { Clock } from '../base/clock.ts';
import type { KeyRules } from './key-rules.ts';
import type { KeyUse } from './key-use.ts';
import { RateBucket } from './rate-bucket.ts';
import { TokenBudget, type BudgetPeriod, type BudgetWindow } from './token-budget.ts';

/** Which limit stands in the way. */
export type LimitName =
  | 'requestsPerMinute'
  | 'tokensPerMinute'
  | 'concurrency'
  | 'tokensPerDay'
  | 'tokensPerMonth';

export interface LimitReached {
  readonly limit: LimitName;
  readonly allowed: number;
  /** Until the same request could pass, if nobody else asks; undefined: when a running one ends. */
  readonly retryAfterMs: number | undefined;
}

/** The room of one running request. */
export interface KeyHold {
  /** Gives the place back and charges what the request took, in place of what it reserved. Further calls do nothing. */
  settle(tokens: number): void;
}

/** How far one rate or budget is used. Limits that are not set are left out. */
export interface LimitReading {
  readonly allowed: number;
  /** Never below 0. */
  readonly left: number;
  /** Until all of it is there again. */
  readonly resetMs: number;
}

export interface KeyReading {
  readonly running: number;
  readonly requestsPerMinute: LimitReading | undefined;
  readonly tokensPerMinute: LimitReading | undefined;
  readonly day: BudgetReading;
  readonly month: BudgetReading;
}

/** Tokens of the present window; counted without a budget, too. */
export interface BudgetReading {
  readonly used: number;
  readonly reserved: number;
  readonly allowed: number;
  readonly resetMs: number;
}

interface Meter {
  running: number;
  readonly requests: RateBucket;
  readonly tokens: RateBucket;
  readonly budgets: readonly Budget[];
}

interface Budget {
  readonly period: BudgetPeriod;
  readonly limit: 'tokensPerDay' | 'tokensPerMonth';
  readonly tokens: TokenBudget;
}

const limitOf = { day: 'tokensPerDay', month: 'tokensPerMonth' } as const satisfies Record<
  BudgetPeriod,
  LimitName
>;

export class KeyMeter {
  readonly #clock: Clock;
  readonly #use: () => KeyUse;
  readonly #meters = new Map<string, Meter>();

  /** `use`: where sums are kept at the moment. */
  constructor(clock: Clock, use: () => KeyUse) {
    this.#clock = clock;
    this.#use = use;
  }

  /** `tokens`: what the request may cost. Takes room under every limit, or none at all. */
  enter(rules: KeyRules, tokens: number): KeyHold | LimitReached {
    const meter = this.#meterOf(rules.name);
    const reached = this.#reached(rules, meter, tokens);
    if (reached !== undefined) return reached;
    const { limits } = rules;
    const nowMs = this.#clock.nowMs();
    meter.running += 1;
    meter.requests.take(limits.requestsPerMinute, 1, nowMs);
    meter.tokens.take(limits.tokensPerMinute, tokens, nowMs);
    const reservations = meter.budgets.map((budget) => this.#reserve(rules.name, budget, tokens));
    let isSettled = false;
    return {
      settle: (taken) => {
        if (isSettled) return;
        isSettled = true;
        meter.running -= 1;
        meter.tokens.take(limits.tokensPerMinute, taken - tokens, this.#clock.nowMs());
        for (const settle of reservations) settle(taken);
      },
    };
  }

  read({ name, limits }: KeyRules): KeyReading {
    const { running, requests, tokens, budgets } = this.#meterOf(name);
    const nowMs = this.#clock.nowMs();
    const [day, month] = budgets.map((budget): BudgetReading => {
      const epochMs = this.#clock.epochMs();
      const { used, reserved, endEpochMs } = budget.tokens.windowAt(epochMs);
      return { used, reserved, allowed: limits[budget.limit], resetMs: endEpochMs - epochMs };
    });
    const nothing: BudgetReading = { used: 0, reserved: 0, allowed: Infinity, resetMs: 0 };
    return {
      running,
      requestsPerMinute: readRate(requests, limits.requestsPerMinute, nowMs),
      tokensPerMinute: readRate(tokens, limits.tokensPerMinute, nowMs),
      day: day ?? nothing,
      month: month ?? nothing,
    };
  }

  /** Writes all sums again, as they are to be kept elsewhere. */
  keepAll(): void {
    for (const [key, { budgets }] of this.#meters) {
      for (const { period, tokens } of budgets) {
        for (const window of tokens.windows()) this.#keep(key, period, window);
      }
    }
  }

  #reached({ limits }: KeyRules, meter: Meter, tokens: number): LimitReached | undefined {
    const nowMs = this.#clock.nowMs();
    const { requestsPerMinute, tokensPerMinute, concurrency } = limits;
    if (meter.running >= concurrency) {
      return { limit: 'concurrency', allowed: concurrency, retryAfterMs: undefined };
    }
    // What costs nothing, such as counting tokens, goes on.
    for (const { limit, tokens: budget } of tokens === 0 ? [] : meter.budgets) {
      const epochMs = this.#clock.epochMs();
      const { used, reserved, endEpochMs } = budget.windowAt(epochMs);
      if (used >= limits[limit]) {
        return { limit, allowed: limits[limit], retryAfterMs: endEpochMs - epochMs };
      }
      // What is reserved is given back in part, and nobody knows when.
      if (used + reserved >= limits[limit]) return { limit, allowed: limits[limit], retryAfterMs: undefined };
    }
    const waits = [
      { limit: 'requestsPerMinute', waitMs: meter.requests.waitMs(requestsPerMinute, 1, nowMs) },
      { limit: 'tokensPerMinute', waitMs: meter.tokens.waitMs(tokensPerMinute, tokens, nowMs) },
    ] as const;
    const [longest] = waits.toSorted((one, other) => other.waitMs - one.waitMs);
    if (longest === undefined || longest.waitMs === 0) return undefined;
    return { limit: longest.limit, allowed: limits[longest.limit], retryAfterMs: longest.waitMs };
  }

  /**
   * Reserves all that the request may cost, even beyond what is left: were the rest not held against the others, one that
   * ended cheaply would make room for a second request beyond the budget.
   */
  #reserve(key: string, { period, tokens: budget }: Budget, reserved: number) {
    const window = budget.windowAt(this.#clock.epochMs());
    window.reserved += reserved;
    this.#keep(key, period, window);
    return (taken: number): void => {
      window.reserved -= reserved;
      window.used += taken;
      this.#keep(key, period, window);
    };
  }

  #keep(key: string, period: BudgetPeriod, { startEpochMs, used, reserved }: BudgetWindow): void {
    this.#use().set({ key, period, startEpochMs }, used + reserved);
  }

  #meterOf(key: string): Meter {
    const known = this.#meters.get(key);
    if (known !== undefined) return known;
    const budgets = (['day', 'month'] as const).map((period): Budget => {
      const load = (startEpochMs: number): number => this.#use().load({ key, period, startEpochMs });
      return { period, limit: limitOf[period], tokens: new TokenBudget(period, load) };
    });
    const meter: Meter = { running: 0, requests: new RateBucket(), tokens: new RateBucket(), budgets };
    this.#meters.set(key, meter);
    return meter;
  }
}

function readRate(bucket: RateBucket, allowed: number, nowMs: number): LimitReading | undefined {
  if (allowed === Infinity) return undefined;
  const left = Math.max(0, bucket.left(allowed, nowMs));
  return { allowed, left, resetMs: bucket.resetMs(allowed, nowMs) };
}
