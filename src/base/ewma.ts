/**
 * Rates that forget: how much per second lately, with an exponential window. Constant memory and cost per event; the
 * time of each event comes in from outside.
 */

export interface RateMeter {
  /** Something happened `amount` times at `nowMs`. Times may not go backwards; an earlier one counts as the last one. */
  add(amount: number, nowMs: number): void;
  /** Amount per second around `nowMs`; 0 before the first event. */
  perSecond(nowMs: number): number;
}

/**
 * `halfLifeMs`: an event's weight halves in that time. `startedMs`: since when nothing can have been missed, so that a
 * young meter is not too low. The age counts as at least one second, so that a first event does not look like a flood.
 */
export function createRateMeter(options: {
  readonly halfLifeMs: number;
  readonly startedMs: number;
}): RateMeter {
  const decayPerMs = Math.LN2 / options.halfLifeMs;
  let weight = 0;
  let lastMs = options.startedMs;

  return {
    add(amount, nowMs) {
      const elapsedMs = nowMs - lastMs;
      if (elapsedMs > 0) {
        weight *= Math.exp(-decayPerMs * elapsedMs);
        lastMs = nowMs;
      }
      weight += amount;
    },
    perSecond(nowMs) {
      if (weight === 0) return 0;
      const left = weight * Math.exp(-decayPerMs * Math.max(0, nowMs - lastMs));
      const ageMs = Math.max(1000, nowMs - options.startedMs);
      return (left * decayPerMs * 1000) / (1 - Math.exp(-decayPerMs * ageMs));
    },
  };
}
