/** The last times at which something happened, at most as many as could matter. */

export class RecentTimes {
  /** Ascending. */
  readonly #times: number[] = [];

  /** Keeps at most `max` times. */
  push(nowMs: number, max: number): void {
    this.#times.push(nowMs);
    if (this.#times.length > max) this.#times.splice(0, this.#times.length - max);
  }

  /** How many of them are at this time or later. */
  countSince(timeMs: number): number {
    let count = 0;
    while (count < this.#times.length && (this.#times.at(-1 - count) ?? -Infinity) >= timeMs) count += 1;
    return count;
  }

  clear(): void {
    this.#times.length = 0;
  }
}
