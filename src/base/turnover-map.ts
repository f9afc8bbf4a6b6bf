/**
 * A map by name for entries that come and go all the time, such as requests. Instead of Map, because V8 chains the outgrown
 * tables of a Map one to the next: once one of them is old, everything that was ever in the map counts as alive until the
 * next full collection. Here a deleted entry is referred to by nothing. Not for keys that clients choose: the hash has no secret.
 */

interface Node<Value> {
  readonly key: string;
  /** Of the key: compared first, because the keys of others are far away in memory. */
  readonly hash: number;
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
    return this.#find(key, hashOf(key))?.value;
  }

  has(key: string): boolean {
    return this.#find(key, hashOf(key)) !== undefined;
  }

  /** A key that is there already keeps its place in the order. */
  set(key: string, value: Value): void {
    const hash = hashOf(key);
    const known = this.#find(key, hash);
    if (known !== undefined) {
      known.value = value;
      return;
    }
    this.#put({ key, hash, order: this.#arrivals, value, next: undefined });
    this.#arrivals += 1;
    this.#size += 1;
    if (this.#size > this.#buckets.length) this.#resize(this.#buckets.length * 2);
  }

  /** Returns whether it was there. */
  delete(key: string): boolean {
    const hash = hashOf(key);
    const at = hash & (this.#buckets.length - 1);
    let before: Node<Value> | undefined;
    let node = this.#buckets[at];
    while (node !== undefined && !isOf(node, key, hash)) {
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

  #find(key: string, hash: number): Node<Value> | undefined {
    let node = this.#buckets[hash & (this.#buckets.length - 1)];
    while (node !== undefined && !isOf(node, key, hash)) node = node.next;
    return node;
  }

  #put(node: Node<Value>): void {
    const at = node.hash & (this.#buckets.length - 1);
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

function isOf(node: Node<unknown>, key: string, hash: number): boolean {
  return node.hash === hash && node.key === key;
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
