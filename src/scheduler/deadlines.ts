/**
 * Everything that becomes due by itself, so that the scheduler asks for a single wake-up. Alarms are mostly set in the order in
 * which they are due, because most are set for the same time ahead: those stand in a line, the others in a heap.
 */
import { Heap } from '../base/heap.ts';
import type { HeapItem } from '../base/heap.ts';

/** One per owner; Infinity = not set. */
export interface Alarm<Owner> extends HeapItem {
  readonly owner: Owner;
  dueMs: number;
  /** Neighbours in the line. */
  earlier: Alarm<Owner> | undefined;
  later: Alarm<Owner> | undefined;
}

export function createAlarm<Owner>(owner: Owner): Alarm<Owner> {
  return { owner, dueMs: Infinity, heapIndex: -1, earlier: undefined, later: undefined };
}

export class Deadlines<Owner> {
  readonly #heap = new Heap<Alarm<Owner>>((a, b) => a.dueMs < b.dueMs);
  #first: Alarm<Owner> | undefined;
  #last: Alarm<Owner> | undefined;
  #lineLength = 0;

  get size(): number {
    return this.#lineLength + this.#heap.size;
  }

  /** Infinity = nothing is set. */
  get nextMs(): number {
    return this.#next()?.dueMs ?? Infinity;
  }

  /** Replaces the time set before; Infinity clears it. */
  set(alarm: Alarm<Owner>, dueMs: number): void {
    if (alarm.dueMs === dueMs) return;
    if (alarm.dueMs !== Infinity) this.#remove(alarm);
    alarm.dueMs = dueMs;
    if (dueMs === Infinity) return;
    if (this.#last === undefined || dueMs >= this.#last.dueMs) this.#append(alarm);
    else this.#heap.push(alarm);
  }

  /** Clears the first alarm that is due and returns its owner; undefined when none is. */
  takeDue(nowMs: number): Owner | undefined {
    const first = this.#next();
    if (first === undefined || first.dueMs > nowMs) return undefined;
    this.set(first, Infinity);
    return first.owner;
  }

  #next(): Alarm<Owner> | undefined {
    const first = this.#heap.peek();
    if (first === undefined || this.#first === undefined) return first ?? this.#first;
    return first.dueMs < this.#first.dueMs ? first : this.#first;
  }

  #append(alarm: Alarm<Owner>): void {
    alarm.earlier = this.#last;
    if (this.#last === undefined) this.#first = alarm;
    else this.#last.later = alarm;
    this.#last = alarm;
    this.#lineLength += 1;
  }

  /** Leaves the alarm without neighbours: an old one would keep them in memory. */
  #remove(alarm: Alarm<Owner>): void {
    if (alarm.heapIndex >= 0) return this.#heap.remove(alarm);
    const { earlier, later } = alarm;
    if (earlier === undefined) this.#first = later;
    else earlier.later = later;
    if (later === undefined) this.#last = earlier;
    else later.earlier = earlier;
    alarm.earlier = undefined;
    alarm.later = undefined;
    this.#lineLength -= 1;
  }
}
