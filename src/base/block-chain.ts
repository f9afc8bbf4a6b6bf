/**
 * Cuts a text into blocks while it is read and hashes each together with all before it, so that equal hashes mean equal
 * beginnings. Owns no text. Not against people who look for collisions: a wrong guess of what is cached is all they get.
 */

export interface Blocks {
  /** Two 32-bit halves per block. */
  readonly hashes: Uint32Array;
  /** Bytes of the text up to the end of each block. */
  readonly ends: Uint32Array;
  /** Of the whole text; what follows the last block is in none. */
  readonly bytes: number;
}

/** As fine as it is worth knowing where two prompts part: some hundred tokens. */
export const blockBytes = 512;
/** A part that ends earlier in its block is continued by the next one, so that small talk does not make many blocks. */
const partBytesMin = 128;
/** From here on blocks are longer, and only their first 512 bytes are read: whoever has so much in common has the rest as well. */
export const closeReadBytes = 64 * 1024;
export const longBlockBytes = 4096;

/** One is read after the other: a chain that is begun ends the one before. */
export class BlockChain {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #count = 0;
  // Begin as 32-bit integers: as anything larger they double the time of `#read`.
  #high = 0x11c9dc5;
  #low = 0x050c5d1f;
  /** Help the two above to read faster, and are mixed into them at the end of a block. */
  #highToo = 0x1b873593;
  #lowToo = 0x27d4eb2f;
  #total = 0;
  #inBlock = 0;

  /** `bytes`: of which the parts are parts. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** The bytes [start, end) come next. */
  add(start: number, end: number): void {
    let at = start;
    while (at < end) {
      const size = this.#total - this.#inBlock < closeReadBytes ? blockBytes : longBlockBytes;
      const next = Math.min(end, at + size - this.#inBlock);
      const readMax = Math.max(0, blockBytes - this.#inBlock);
      this.#read(at, Math.min(next, at + readMax));
      this.#total += next - at;
      this.#inBlock += next - at;
      at = next;
      if (this.#inBlock === size) this.#close();
    }
  }

  /** A small number comes next: what kind of part begins, or how long something is that is not read. */
  mark(value: number): void {
    this.#high = mix(this.#high, value);
    this.#low = mix(this.#low, ~value);
  }

  /** Something ends here. A prompt that goes on here tomorrow shares everything up to here. */
  endPart(): void {
    if (this.#inBlock >= partBytesMin) this.#close();
  }

  finish(): Blocks {
    return {
      hashes: hashes.slice(0, 2 * this.#count),
      ends: ends.slice(0, this.#count),
      bytes: this.#total,
    };
  }

  /** Four words a turn, each into a number of its own, so that none of them waits for another. */
  #read(start: number, end: number): void {
    const view = this.#view;
    let high = this.#high;
    let low = this.#low;
    let highToo = this.#highToo;
    let lowToo = this.#lowToo;
    let at = start;
    for (const last = end - 16; at <= last; at += 16) {
      high = mix(high, view.getInt32(at, true));
      low = mix(low, view.getInt32(at + 4, true));
      highToo = mix(highToo, view.getInt32(at + 8, true));
      lowToo = mix(lowToo, view.getInt32(at + 12, true));
    }
    for (; at < end; at += 1) high = mix(high, this.#bytes[at] ?? 0);
    this.#high = high;
    this.#low = low;
    this.#highToo = highToo;
    this.#lowToo = lowToo;
  }

  #close(): void {
    const one = mix(this.#high, this.#highToo);
    const other = mix(this.#low, this.#lowToo);
    const high = finish(one ^ Math.imul(other, 0x9e3779b1));
    const low = finish(other ^ Math.imul(high, 0x85ebca6b) ^ this.#inBlock);
    this.#high = high;
    this.#low = low;
    if (this.#count === ends.length) makeRoom();
    hashes[2 * this.#count] = high;
    hashes[2 * this.#count + 1] = low;
    ends[this.#count] = this.#total;
    this.#count += 1;
    this.#inBlock = 0;
  }
}

/** Where the blocks of a chain are collected: one is read at a time, so they are shared. */
let hashes = new Uint32Array(512);
let ends = new Uint32Array(256);

function makeRoom(): void {
  const [fewerHashes, fewerEnds] = [hashes, ends];
  hashes = new Uint32Array(2 * fewerHashes.length);
  hashes.set(fewerHashes);
  ends = new Uint32Array(2 * fewerEnds.length);
  ends.set(fewerEnds);
}

function mix(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0xcc9e2d51);
  return (mixed << 15) | (mixed >>> 17);
}

/** Lets every bit of a hash depend on every other one. */
function finish(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
