/**
 * A map by name for entries that come and go all the time, such as requests. Instead of Map, because V8 chains the outgrown
 * tables of a Map one to the next: once one of them is old, everything that was ever in the map counts as alive until the
 * next full collection. Here a deleted entry is referred to by nothing. Not for keys that clients choose: the hash has no secret.
 */

interface Node<Value> {
  readonly key: string;
  /** Grows with each arrival. */
  readonly order: number;
  value: Value;
  /** The next one in the same bucket. */
  next: Node<Value> | undefined;
}

/** Enough that a burst of requests and its end do not build the table anew each time. */
const bucketsMin = 256;
/** Names of requests differ at their end; a longer look costs more than a rare collision. */
const hashedCharsMax = 12;

export class TurnoverMap<Value> {
  #buckets: (Node<Value> | undefined)[] = emptyBuckets(bucketsMin);
  #size = 0;
  #arrivals = 0;

  get size(): number {
    return this.#size;
  }

  get(key: string): Value | undefined {
    return this.#find(key)?.value;
  }

  has(key: string): boolean {
    return this.#find(key) !== undefined;
  }

  /** A key that is there already keeps its place in the order. */
  set(key: string, value: Value): void {
    const known = this.#find(key);
    if (known !== undefined) {
      known.value = value;
      return;
    }
    const node: Node<Value> = { key, order: this.#arrivals, value, next: undefined };
    this.#arrivals += 1;
    this.#size += 1;
    this.#put(node);
    if (this.#size > this.#buckets.length) this.#resize(this.#buckets.length * 2);
  }

  /** Returns whether it was there. */
  delete(key: string): boolean {
    const at = this.#bucketOf(key);
    let before: Node<Value> | undefined;
    let node = this.#buckets[at];
    while (node !== undefined && node.key !== key) {
      before = node;
      node = node.next;
    }
    if (node === undefined) return false;
    if (before === undefined) this.#buckets[at] = node.next;
    else before.next = node.next;
    // It may be old already and would keep its neighbour alive.
    node.next = undefined;
    this.#size -= 1;
    if (this.#buckets.length > bucketsMin && this.#size * 8 < this.#buckets.length) {
      this.#resize(this.#buckets.length / 2);
    }
    return true;
  }

  /** A copy, in the order of arrival. */
  values(): Value[] {
    return this.#nodes()
      .sort((one, other) => one.order - other.order)
      .map(({ value }) => value);
  }

  #find(key: string): Node<Value> | undefined {
    let node = this.#buckets[this.#bucketOf(key)];
    while (node !== undefined && node.key !== key) node = node.next;
    return node;
  }

  #bucketOf(key: string): number {
    return hashOf(key) & (this.#buckets.length - 1);
  }

  #put(node: Node<Value>): void {
    const at = this.#bucketOf(node.key);
    node.next = this.#buckets[at];
    this.#buckets[at] = node;
  }

  #resize(length: number): void {
    const nodes = this.#nodes();
    this.#buckets = emptyBuckets(length);
    for (const node of nodes) this.#put(node);
  }

  #nodes(): Node<Value>[] {
    const nodes: Node<Value>[] = [];
    for (const first of this.#buckets) {
      for (let node = first; node !== undefined; node = node.next) nodes.push(node);
    }
    return nodes;
  }
}

function emptyBuckets<Value>(length: number): (Node<Value> | undefined)[] {
  return Array.from({ length }, () => undefined);
}

/** FNV-1a of the last characters. */
function hashOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let index = Math.max(0, key.length - hashedCharsMax); index < key.length; index += 1) {
    hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193);
  }
  return hash ^ (hash >>> 15);
}
