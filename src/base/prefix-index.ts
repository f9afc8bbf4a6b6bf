/**
 * Which beginnings of texts several owners have, as trees of blocks in a fixed number of places. When it is full, the leaf
 * that was used least recently goes. Owns no clock and no text; the same calls lead to the same state, and memory never
 * grows beyond what it was built with.
 */
import { none, PrefixPlaces } from './prefix-places.ts';

/** Somebody who has texts. */
export interface PrefixOwner {
  readonly id: number;
  /** Blocks known. */
  readonly blocks: number;
  /** Blocks that went for others. */
  readonly evicted: number;
}

/** A known text that somebody reads now, so that nobody else can. */
export interface PrefixLoan {
  readonly owner: PrefixOwner;
  readonly hashes: Uint32Array;
  readonly depth: number;
}

interface OwnerBook extends PrefixOwner {
  blocks: number;
  evicted: number;
}

/**
 * Paths are given as hashes, two halves per block, each of which stands for the whole path up to there. Two rules hold after
 * every call: the parent of every block is there, so that how much of a path is known can be found by halving; and in
 * the order of use every block comes before those below it, so that the last one is a leaf.
 */
export class PrefixIndex {
  readonly #places: PrefixPlaces;
  readonly #owners = new Map<number, OwnerBook>();
  #ownersSeen = 0;

  constructor(options: { readonly bytesMax: number }) {
    this.#places = new PrefixPlaces(options.bytesMax);
  }

  /** Blocks held, those of dropped owners included. */
  get size(): number {
    return this.#places.used;
  }

  /** Memory of these blocks. */
  get bytes(): number {
    return this.#places.bytes;
  }

  /** Most blocks held. */
  get capacity(): number {
    return this.#places.capacity;
  }

  createOwner(): PrefixOwner {
    this.#ownersSeen += 1;
    const owner: OwnerBook = { id: this.#ownersSeen, blocks: 0, evicted: 0 };
    this.#owners.set(owner.id, owner);
    return owner;
  }

  /** At once, whatever it had: its blocks are never found again and go when their places are needed. */
  dropOwner(owner: PrefixOwner): void {
    this.#owners.delete(owner.id);
  }

  /** How many first blocks of the path the owner has. */
  depthOf(owner: PrefixOwner, hashes: Uint32Array): number {
    return this.#depth(owner, hashes, false);
  }

  /** The same without what only texts begin with that are lent. */
  freeDepthOf(owner: PrefixOwner, hashes: Uint32Array): number {
    return this.#depth(owner, hashes, true);
  }

  /** The owner has this path from now on, or still. Of one longer than the index only the beginning is kept. */
  add(owner: PrefixOwner, hashes: Uint32Array): void {
    const book = this.#owners.get(owner.id);
    if (book === undefined) return;
    const places = this.#places;
    const length = Math.min(hashes.length >> 1, places.capacity);
    const known = Math.min(length, this.#depth(owner, hashes, false));
    let above = this.#at(owner, hashes, known);
    for (let place = above; place !== none; place = places.parentOf(place)) places.moveToFront(place);
    if (known < length && above !== none && !places.isLeaf(above)) places.addLeaves(above, 1);
    for (let depth = known; depth < length; depth += 1) {
      if (places.isFull) this.#evict();
      above = places.insert(above, owner.id, hashes[2 * depth] ?? 0, hashes[2 * depth + 1] ?? 0);
      book.blocks += 1;
    }
  }

  /** The owner has nothing that goes on after `depth` blocks of the path, unless some of it is lent. Returns how many blocks it lost. */
  forgetAfter(owner: PrefixOwner, hashes: Uint32Array, depth: number): number {
    const places = this.#places;
    const top = this.#at(owner, hashes, depth + 1);
    if (top === none || places.lentBelow(top) > 0) return 0;
    const above = places.parentOf(top);
    const leavesGone = places.leavesBelow(top);
    let forgotten = 0;
    for (let place = places.firstLeafBelow(top); ; place = places.firstLeafBelow(place)) {
      const next = places.parentOf(place);
      places.remove(place);
      forgotten += 1;
      if (place === top) break;
      place = next;
    }
    if (above !== none) places.addLeaves(above, (places.isLeaf(above) ? 1 : 0) - leavesGone);
    const book = this.#owners.get(owner.id);
    if (book !== undefined) book.blocks -= forgotten;
    return forgotten;
  }

  /** Takes the longest known text that the path begins with out of what others may use; undefined = it is no whole one, or lent already. */
  lend(owner: PrefixOwner, hashes: Uint32Array): PrefixLoan | undefined {
    const depth = this.#depth(owner, hashes, false);
    const place = this.#at(owner, hashes, depth);
    if (place === none || !this.#places.isLeaf(place) || !this.#places.tryLend(place)) return undefined;
    return { owner, hashes, depth };
  }

  /** Harmless when the text was forgotten in the meantime. */
  giveBack({ owner, hashes, depth }: PrefixLoan): void {
    const place = this.#at(owner, hashes, depth);
    if (place !== none) this.#places.takeBack(place);
  }

  #depth(owner: PrefixOwner, hashes: Uint32Array, isFree: boolean): number {
    let known = 0;
    let unknown = (hashes.length >> 1) + 1;
    // Most paths are known nearly whole or not at all.
    for (let probe = 1; unknown - known > 1; probe = (known + unknown) >> 1) {
      const place = this.#at(owner, hashes, probe);
      const counts = place !== none && (!isFree || this.#places.hasFreeBelow(place));
      if (counts) known = probe;
      else unknown = probe;
    }
    return known;
  }

  /** Place of the last of the first `depth` blocks. */
  #at(owner: PrefixOwner, hashes: Uint32Array, depth: number): number {
    if (depth < 1 || depth > hashes.length >> 1) return none;
    return this.#places.find(owner.id, hashes[2 * depth - 2] ?? 0, hashes[2 * depth - 1] ?? 0);
  }

  #evict(): void {
    const places = this.#places;
    const place = places.oldest;
    const above = places.parentOf(place);
    const book = this.#owners.get(places.ownerOf(place));
    places.takeBack(place);
    places.remove(place);
    if (above !== none && !places.isLeaf(above)) places.addLeaves(above, -1);
    if (book === undefined) return;
    book.blocks -= 1;
    book.evicted += 1;
  }
}
