/** Times as Ollama writes them: RFC 3339 in UTC with nine digits of a second. */

export class Timestamps {
  #second = Number.NaN;
  #text = '';

  /** `ms`: Unix time in milliseconds; fractions count. */
  at(ms: number): string {
    const second = Math.floor(ms / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#text = new Date(second * 1000).toISOString().slice(0, -'000Z'.length);
    }
    const nanoseconds = Math.floor((ms - second * 1000) * 1e6);
    return `${this.#text}${String(nanoseconds).padStart(9, '0')}Z`;
  }
}

/** One of them; `ms`: Unix time in milliseconds. */
export function timestamp(ms: number): string {
  return new Timestamps().at(ms);
}
