/** A copy of an answer's bytes as they go to its client, bounded. Knows nothing of what they say. */

export class AnswerCopy {
  readonly #bytesMax: number;
  #chunks: Buffer[] | undefined = [];
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  push(chunk: Buffer): void {
    if (this.#chunks === undefined) return;
    this.#bytes += chunk.length;
    // A reference to a few bytes would keep the whole buffer alive that they were read into.
    if (this.#bytes <= this.#bytesMax) this.#chunks.push(Buffer.from(chunk));
    else this.#chunks = undefined;
  }

  /** undefined = it is longer than that. */
  get bytes(): Buffer | undefined {
    return this.#chunks && Buffer.concat(this.#chunks, this.#bytes);
  }
}
