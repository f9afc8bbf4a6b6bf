/** Follows JSON text that comes in pieces: has it begun, is it whole, is another text the same. Keeps none of it. */

export class JsonExtent {
  #depth = 0;
  #inString = false;
  #isEscaped = false;
  #hasOpened = false;
  #length = 0;
  #hash = 0;

  /** Nothing came yet. */
  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** Everything that was opened is closed. */
  get isWhole(): boolean {
    return this.#hasOpened && this.#depth === 0;
  }

  push(text: string): void {
    this.#length += text.length;
    for (let at = 0; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      this.#hash = (Math.imul(this.#hash, 31) + code) | 0;
      this.#follow(code);
    }
  }

  /** Whether what came is the same as `text`, as far as a digest can tell. */
  equals(text: string): boolean {
    if (text.length !== this.#length) return false;
    const other = new JsonExtent();
    other.push(text);
    return other.#hash === this.#hash;
  }

  #follow(code: number): void {
    if (this.#inString) {
      if (this.#isEscaped) this.#isEscaped = false;
      else if (code === 0x5c) this.#isEscaped = true;
      else if (code === 0x22) this.#inString = false;
      return;
    }
    if (code === 0x22) this.#inString = true;
    else if (code === 0x7b || code === 0x5b) {
      this.#depth += 1;
      this.#hasOpened = true;
    } else if (code === 0x7d || code === 0x5d) this.#depth -= 1;
  }
}
