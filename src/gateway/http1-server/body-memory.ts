/**
 * Memory for large request bodies that is used again: made anew for each, it would be the largest part of the garbage and
 * cost more than everything that is done with the body. Knows nothing of requests.
 */

/** Smaller ones are not worth it. */
const bytesMin = 64 * 1024;
/** Idle memory that is kept. */
const idleBytesMax = 32 * 1024 * 1024;

export class BodyMemory {
  /** Idle pieces by their size, a power of two. */
  readonly #idle = new Map<number, ArrayBuffer[]>();
  #idleBytes = 0;

  /** Memory for so many bytes, its content undefined. Give it back with `give`, or leave it to the garbage. */
  take(bytes: number): Buffer {
    if (bytes < bytesMin) return Buffer.allocUnsafeSlow(bytes);
    const size = 2 ** Math.ceil(Math.log2(bytes));
    const known = this.#idle.get(size)?.pop();
    if (known !== undefined) this.#idleBytes -= size;
    return Buffer.from(known ?? Buffer.allocUnsafeSlow(size).buffer, 0, bytes);
  }

  /** Takes back what `take` gave, whole or a part from its beginning; nobody may hold it any more. */
  give({ buffer }: Buffer): void {
    const size = buffer.byteLength;
    if (size < bytesMin || this.#idleBytes + size > idleBytesMax || !(buffer instanceof ArrayBuffer)) return;
    const idle = this.#idle.get(size);
    if (idle === undefined) this.#idle.set(size, [buffer]);
    else idle.push(buffer);
    this.#idleBytes += size;
  }
}
