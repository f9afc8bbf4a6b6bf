/** Finds stop strings in text that comes piece by piece; holds back an ending that may become one. */

export class StopWatcher {
  readonly #stops: readonly string[];
  #held = '';
  /** The stop string that was found; empty = none so far. */
  stoppedBy = '';

  constructor(stops: readonly string[]) {
    this.#stops = stops;
  }

  /** The text that may be shown now. After a stop string was found there is no more. */
  feed(text: string): string {
    if (this.#stops.length === 0) return text;
    const all = this.#held + text;
    let end = all.length;
    for (const stop of this.#stops) {
      const at = all.indexOf(stop);
      if (at === -1 || at >= end) continue;
      end = at;
      this.stoppedBy = stop;
    }
    if (this.stoppedBy === '') end = all.length - this.#openLength(all);
    this.#held = this.stoppedBy === '' ? all.slice(end) : '';
    return all.slice(0, end);
  }

  /** What was held back and is shown after all, at the end of the text. */
  flush(): string {
    const held = this.#held;
    this.#held = '';
    return held;
  }

  /** Length of the longest end of `text` that begins a stop string. */
  #openLength(text: string): number {
    const longest = Math.max(...this.#stops.map((stop) => stop.length)) - 1;
    for (let length = Math.min(longest, text.length); length > 0; length -= 1) {
      const ending = text.slice(-length);
      if (this.#stops.some((stop) => stop.length > length && stop.startsWith(ending))) return length;
    }
    return 0;
  }
}
