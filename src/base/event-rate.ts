/** How often something happens, with recent events counting more (exponential decay). Owns no clock. */

export class EventRate {
  readonly #windowMs: number;
  #weight = 0;
  #lastMs = 0;
  #startMs: number | undefined;

  /** `windowMs`: an event this long ago counts 1/e of a new one. */
  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  record(nowMs: number): void {
    // The first event only opens the window: a rate needs an interval.
    if (this.#startMs === undefined) this.#startMs = nowMs;
    else this.#weight = this.#weight * this.#decay(nowMs) + 1;
    this.#lastMs = nowMs;
  }

  /** Events per millisecond; undefined when too few are recent to tell. */
  perMs(nowMs: number): number | undefined {
    if (this.#startMs === undefined) return undefined;
    const weight = this.#weight * this.#decay(nowMs);
    // The window is not full yet after a start: judge by the part of it that has been seen.
    const seenMs = this.#windowMs * (1 - Math.exp((this.#startMs - nowMs) / this.#windowMs));
    if (weight < 0.5 || seenMs <= 0) return undefined;
    return weight / seenMs;
  }

  #decay(nowMs: number): number {
    return Math.exp((this.#lastMs - nowMs) / this.#windowMs);
  }
}
