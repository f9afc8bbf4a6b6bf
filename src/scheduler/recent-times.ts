/** The last times at which something happened, at most as many as could matter. */

export class RecentTimes {
  /** Ascending. */
  readonly #times: number[] = [];
  #max = 0;

  /** From now on at most `max` times count. */
  push(nowMs: number, max: number): void {
    this.#max = max;
    this.#times.push(nowMs);
    // Each removal moves all that stay: half of the list goes at once, and seldom.
    if (this.#times.length >= 2 * max) this.#times.splice(0, this.#times.length - max);
  }

  /** How many of them are at this time or later. */
  countSince(timeMs: number): number {
    const countMax = Math.min(this.#times.length, this.#max);
    let count = 0;
    while (count < countMax && (this.#times.at(-1 - count) ?? -Infinity) >= timeMs) count += 1;
    return count;
  }

  clear(): void {
    this.#times.length = 0;
  }
}
