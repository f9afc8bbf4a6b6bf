/**
 * A list kept in order, in chunks of bounded size: adding, removing and asking for a rank cost a binary search and one
 * short move. Made for queues of up to some 100,000 items where the place of each must be known.
 */

/** Long enough that few chunks exist, short enough that moving half of one costs less than a pointer chase. */
const chunkMax = 512;

export class SortedList<Item> {
  readonly #compare: (a: Item, b: Item) => number;
  /** None is empty. */
  readonly #chunks: Item[][] = [];
  #size = 0;

  /** `compare` must be a total order that never changes for an item while it is in the list. */
  constructor(compare: (a: Item, b: Item) => number) {
    this.#compare = compare;
  }

  get size(): number {
    return this.#size;
  }

  get first(): Item | undefined {
    return this.#chunks[0]?.[0];
  }

  add(item: Item): void {
    this.#size += 1;
    const at = Math.min(this.#chunkOf(item), this.#chunks.length - 1);
    const chunk = this.#chunks[at];
    if (chunk === undefined) {
      this.#chunks.push([item]);
      return;
    }
    const index = this.#indexIn(chunk, item);
    if (index === chunk.length) chunk.push(item);
    else chunk.splice(index, 0, item);
    if (chunk.length > chunkMax) this.#chunks.splice(at + 1, 0, chunk.splice(chunkMax >> 1));
  }

  /** Returns whether it was there. */
  delete(item: Item): boolean {
    const isFirst = this.first === item;
    const at = isFirst ? 0 : this.#chunkOf(item);
    const chunk = this.#chunks[at];
    if (chunk === undefined) return false;
    const index = isFirst ? 0 : this.#indexIn(chunk, item);
    if (chunk[index] !== item) return false;
    this.#size -= 1;
    if (chunk.length === 1) this.#chunks.splice(at, 1);
    else if (index === 0) chunk.shift();
    else chunk.splice(index, 1);
    return true;
  }

  /** How many items of the list come before this one, which need not be in it. */
  countBefore(item: Item): number {
    const at = this.#chunkOf(item);
    let count = 0;
    for (let index = 0; index < at; index += 1) count += this.#chunks[index]?.length ?? 0;
    const chunk = this.#chunks[at];
    return chunk === undefined ? count : count + this.#indexIn(chunk, item);
  }

  /** A copy, for walking while the list changes. */
  toArray(): Item[] {
    return this.#chunks.flat();
  }

  [Symbol.iterator](): IterableIterator<Item> {
    return new ChunkWalk(this.#chunks);
  }

  /** The first chunk whose last item is not before this one; the number of chunks when all are. */
  #chunkOf(item: Item): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const last = this.#chunks[middle]?.at(-1);
      if (last !== undefined && this.#compare(last, item) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #indexIn(chunk: readonly Item[], item: Item): number {
    let low = 0;
    let high = chunk.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = chunk[middle];
      if (other !== undefined && this.#compare(other, item) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** In place of a generator, which costs several times as much for each item. */
class ChunkWalk<Item> implements IterableIterator<Item> {
  readonly #chunks: readonly (readonly Item[])[];
  #at = 0;
  #index = 0;

  constructor(chunks: readonly (readonly Item[])[]) {
    this.#chunks = chunks;
  }

  [Symbol.iterator](): IterableIterator<Item> {
    return this;
  }

  next(): IteratorResult<Item, undefined> {
    for (let chunk = this.#chunks[this.#at]; chunk !== undefined; chunk = this.#chunks[this.#at]) {
      const item = chunk[this.#index];
      if (item !== undefined) {
        this.#index += 1;
        return { done: false, value: item };
      }
      this.#at += 1;
      this.#index = 0;
    }
    return { done: true, value: undefined };
  }
}
