/**
 * The memory of a prefix index: a fixed number of places for blocks, in typed arrays, found by hash, linked as trees and in
 * the order of use. Knows how to link, not when: `PrefixIndex` decides that.
 */

/** No place. */
export const none = 0;
/** Of all tables together. */
const bytesPerPlace = 53;
const placesMax = 2 ** 25;

export class PrefixPlaces {
  readonly capacity: number;
  readonly #high: Uint32Array;
  readonly #low: Uint32Array;
  readonly #owner: Int32Array;
  readonly #parent: Int32Array;
  readonly #firstChild: Int32Array;
  readonly #nextSibling: Int32Array;
  readonly #previousSibling: Int32Array;
  /** Neighbours in the order of use. */
  readonly #older: Int32Array;
  readonly #newer: Int32Array;
  /** The next one in the same bucket; of free places, the next free one. */
  readonly #next: Int32Array;
  /** Leaves below a place, itself if it is one; and how many texts below it, itself included, are lent. */
  readonly #leaves: Int32Array;
  readonly #lentBelow: Int32Array;
  readonly #isLent: Uint8Array;
  readonly #buckets: Int32Array;
  #used = 0;
  /** Places never taken begin here: memory that nobody touched costs nothing. */
  #untouched = 1;
  #free = none;
  #newest = none;
  #oldest = none;

  constructor(bytesMax: number) {
    this.capacity = Math.max(1, Math.min(placesMax, Math.floor(bytesMax / bytesPerPlace)));
    const size = this.capacity + 1;
    this.#high = new Uint32Array(size);
    this.#low = new Uint32Array(size);
    this.#owner = new Int32Array(size);
    this.#parent = new Int32Array(size);
    this.#firstChild = new Int32Array(size);
    this.#nextSibling = new Int32Array(size);
    this.#previousSibling = new Int32Array(size);
    this.#older = new Int32Array(size);
    this.#newer = new Int32Array(size);
    this.#next = new Int32Array(size);
    this.#leaves = new Int32Array(size);
    this.#lentBelow = new Int32Array(size);
    this.#isLent = new Uint8Array(size);
    this.#buckets = new Int32Array(2 ** Math.floor(Math.log2(this.capacity)));
  }

  get used(): number {
    return this.#used;
  }

  /** Memory of the places in use. */
  get bytes(): number {
    return this.#used * bytesPerPlace;
  }

  get isFull(): boolean {
    return this.#used === this.capacity;
  }

  /** The one that was used least recently. */
  get oldest(): number {
    return this.#oldest;
  }

  find(owner: number, high: number, low: number): number {
    let place = this.#buckets[this.#bucketOf(owner, high)] ?? none;
    while (
      place !== none &&
      (this.#high[place] !== high || this.#low[place] !== low || this.#owner[place] !== owner)
    ) {
      place = this.#next[place] ?? none;
    }
    return place;
  }

  parentOf(place: number): number {
    return this.#parent[place] ?? none;
  }

  ownerOf(place: number): number {
    return this.#owner[place] ?? 0;
  }

  isLeaf(place: number): boolean {
    return this.#firstChild[place] === none;
  }

  leavesBelow(place: number): number {
    return this.#leaves[place] ?? 0;
  }

  lentBelow(place: number): number {
    return this.#lentBelow[place] ?? 0;
  }

  /** Whether a text goes through here that is not lent. */
  hasFreeBelow(place: number): boolean {
    return this.leavesBelow(place) > this.lentBelow(place);
  }

  firstLeafBelow(place: number): number {
    let leaf = place;
    for (let child = this.#firstChild[leaf] ?? none; child !== none; child = this.#firstChild[leaf] ?? none) {
      leaf = child;
    }
    return leaf;
  }

  /** A new leaf below `above`, used just before that; `none` = a tree of its own, used last. There has to be room. */
  insert(above: number, owner: number, high: number, low: number): number {
    const place = this.#take();
    this.#high[place] = high;
    this.#low[place] = low;
    this.#owner[place] = owner;
    this.#leaves[place] = 1;
    this.#lentBelow[place] = 0;
    this.#isLent[place] = 0;
    this.#firstChild[place] = none;
    this.#parent[place] = above;
    this.#previousSibling[place] = none;
    const sibling = above === none ? none : (this.#firstChild[above] ?? none);
    this.#nextSibling[place] = sibling;
    if (sibling !== none) this.#previousSibling[sibling] = place;
    if (above !== none) this.#firstChild[above] = place;
    const bucket = this.#bucketOf(owner, high);
    this.#next[place] = this.#buckets[bucket] ?? none;
    this.#buckets[bucket] = place;
    this.#putBehind(place, above);
    return place;
  }

  /** A leaf that is not lent. Counts of those above it stay as they are. */
  remove(place: number): void {
    const above = this.parentOf(place);
    const previous = this.#previousSibling[place] ?? none;
    const sibling = this.#nextSibling[place] ?? none;
    if (previous !== none) this.#nextSibling[previous] = sibling;
    else if (above !== none) this.#firstChild[above] = sibling;
    if (sibling !== none) this.#previousSibling[sibling] = previous;
    this.#unchain(place);
    this.#takeOut(place);
    this.#next[place] = this.#free;
    this.#free = place;
    this.#used -= 1;
  }

  /** For a place and all above it. */
  addLeaves(place: number, count: number): void {
    for (let at = place; at !== none; at = this.parentOf(at)) this.#leaves[at] = this.leavesBelow(at) + count;
  }

  moveToFront(place: number): void {
    if (place === this.#newest) return;
    this.#takeOut(place);
    this.#putBehind(place, none);
  }

  /** False = it is lent already. */
  tryLend(place: number): boolean {
    if (this.#isLent[place] === 1) return false;
    this.#isLent[place] = 1;
    this.#addLent(place, 1);
    return true;
  }

  takeBack(place: number): void {
    if (this.#isLent[place] !== 1) return;
    this.#isLent[place] = 0;
    this.#addLent(place, -1);
  }

  #addLent(place: number, count: number): void {
    for (let at = place; at !== none; at = this.parentOf(at))
      this.#lentBelow[at] = this.lentBelow(at) + count;
  }

  #take(): number {
    this.#used += 1;
    const place = this.#free;
    if (place !== none) {
      this.#free = this.#next[place] ?? none;
      return place;
    }
    this.#untouched += 1;
    return this.#untouched - 1;
  }

  /** Into the order of use, right behind another; `none` = in front of all. */
  #putBehind(place: number, newer: number): void {
    const older = newer === none ? this.#newest : (this.#older[newer] ?? none);
    this.#newer[place] = newer;
    this.#older[place] = older;
    if (newer === none) this.#newest = place;
    else this.#older[newer] = place;
    if (older === none) this.#oldest = place;
    else this.#newer[older] = place;
  }

  #takeOut(place: number): void {
    const newer = this.#newer[place] ?? none;
    const older = this.#older[place] ?? none;
    if (newer === none) this.#newest = older;
    else this.#older[newer] = older;
    if (older === none) this.#oldest = newer;
    else this.#newer[older] = newer;
  }

  #unchain(place: number): void {
    const bucket = this.#bucketOf(this.ownerOf(place), this.#high[place] ?? 0);
    const next = this.#next[place] ?? none;
    let before = this.#buckets[bucket] ?? none;
    if (before === place) {
      this.#buckets[bucket] = next;
      return;
    }
    while (this.#next[before] !== place) before = this.#next[before] ?? none;
    this.#next[before] = next;
  }

  #bucketOf(owner: number, high: number): number {
    return (high ^ Math.imul(owner, 0x9e3779b1)) & (this.#buckets.length - 1);
  }
}
