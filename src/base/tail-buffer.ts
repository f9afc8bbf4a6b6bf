/**
 * The last bytes of a stream of chunks, copied: a small chunk that is kept by reference costs several times its size and
 * survives collections. Grows with what it gets, up to half more than it promises.
 */

const sizeMin = 1024;
const empty = Buffer.alloc(0);

export class TailBuffer {
  readonly #bytesMax: number;
  readonly #sizeMax: number;
  #buffer: Buffer = empty;
  #filled = 0;

  /** `bytesMax`: how many of the last bytes are kept at least. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
    this.#sizeMax = bytesMax + (bytesMax >> 1);
  }

  push(chunk: Buffer): void {
    const from = Math.max(0, chunk.length - this.#bytesMax);
    const taken = chunk.length - from;
    if (this.#filled + taken > this.#buffer.length) this.#makeRoom(taken);
    chunk.copy(this.#buffer, this.#filled, from);
    this.#filled += taken;
  }

  /** The last bytes, at most as many as are kept; valid until the next push. */
  bytes(): Buffer {
    return this.#buffer.subarray(Math.max(0, this.#filled - this.#bytesMax), this.#filled);
  }

  #makeRoom(bytes: number): void {
    if (this.#filled + bytes <= this.#sizeMax) {
      const size = Math.max(sizeMin, this.#buffer.length * 2, this.#filled + bytes);
      const grown = Buffer.allocUnsafeSlow(Math.min(size, this.#sizeMax));
      this.#buffer.copy(grown, 0, 0, this.#filled);
      this.#buffer = grown;
      return;
    }
    const kept = this.#bytesMax - bytes;
    if (this.#buffer.length < this.#sizeMax) {
      const grown = Buffer.allocUnsafeSlow(this.#sizeMax);
      this.#buffer.copy(grown, 0, this.#filled - kept, this.#filled);
      this.#buffer = grown;
    } else this.#buffer.copyWithin(0, this.#filled - kept, this.#filled);
    this.#filled = kept;
  }
}
