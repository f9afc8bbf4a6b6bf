/** Follows JSON text that comes in pieces: has it begun, is it whole, is another text the same. Keeps none of it. */
import { JsonEnd } from '../../base/json-end.ts';

export class JsonExtent {
  readonly #end = new JsonEnd();
  #length = 0;
  #hash = 0;

  /** Nothing came yet. */
  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** Everything that was opened is closed. */
  get isWhole(): boolean {
    return this.#end.isReached;
  }

  push(text: string): void {
    this.#length += text.length;
    this.#hash = digest(text, this.#hash);
    this.#end.add(text);
  }

  /** Whether what came is the same as `text`, as far as a digest can tell. */
  equals(text: string): boolean {
    return text.length === this.#length && digest(text, 0) === this.#hash;
  }
}

/** `before`: the digest of what comes before the text. */
function digest(text: string, before: number): number {
  let hash = before;
  for (let at = 0; at < text.length; at += 1) hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0;
  return hash;
}
