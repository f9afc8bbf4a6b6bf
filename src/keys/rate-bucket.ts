/** How much of a rate per minute is used. Time comes in with each call; the limit too, for it may change. */

const minuteMs = 60_000;
/** Sums of fractions must not refuse what fits. */
const tolerance = 1e-6;

export class RateBucket {
  /** Falls by the limit within a minute, never below 0. May be more than the limit after a request that took more than was thought. */
  #used = 0;
  #atMs = 0;

  /** What can be taken now; may be a fraction, and less than 0. */
  left(limit: number, nowMs: number): number {
    this.#settle(limit, nowMs);
    return limit - this.#used;
  }

  /** Until `amount` can be taken; 0 = now. More than the limit can be taken once all of it is there. */
  waitMs(limit: number, amount: number, nowMs: number): number {
    this.#settle(limit, nowMs);
    if (limit === Infinity) return 0;
    const excess = this.#used + Math.min(amount, limit) - limit;
    return excess <= tolerance ? 0 : (excess / limit) * minuteMs;
  }

  /** Until nothing is used. */
  resetMs(limit: number, nowMs: number): number {
    this.#settle(limit, nowMs);
    return limit === Infinity ? 0 : (this.#used / limit) * minuteMs;
  }

  /** Takes an amount, whatever is left; a negative one gives back. */
  take(limit: number, amount: number, nowMs: number): void {
    this.#settle(limit, nowMs);
    this.#used = Math.max(0, this.#used + amount);
  }

  #settle(limit: number, nowMs: number): void {
    const passedMs = Math.max(0, nowMs - this.#atMs);
    this.#atMs = Math.max(this.#atMs, nowMs);
    this.#used = limit === Infinity ? 0 : Math.max(0, this.#used - (passedMs * limit) / minuteMs);
  }
}
