/** Notices where a JSON object that comes in pieces ends. Checks nothing else about it. */

const quote = 0x22;
const backslash = 0x5c;

export class JsonEnd {
  #depth = 0;
  #inString = false;
  #isEscaped = false;
  #isReached = false;

  /** The outermost brace or bracket was closed. */
  get isReached(): boolean {
    return this.#isReached;
  }

  add(text: string): void {
    for (let at = 0; at < text.length && !this.#isReached; at += 1) this.#step(text.charCodeAt(at));
  }

  #step(code: number): void {
    if (this.#inString) {
      if (this.#isEscaped) this.#isEscaped = false;
      else if (code === backslash) this.#isEscaped = true;
      else if (code === quote) this.#inString = false;
      return;
    }
    if (code === quote) this.#inString = true;
    else if (code === 0x7b || code === 0x5b) this.#depth += 1;
    else if (code === 0x7d || code === 0x5d) {
      this.#depth -= 1;
      this.#isReached = this.#depth <= 0;
    }
  }
}
