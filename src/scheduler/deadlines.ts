/** Everything that becomes due by itself, in one heap, so that the scheduler asks for a single wake-up. */
import { Heap } from '../base/heap.ts';
import type { HeapItem } from '../base/heap.ts';

/** One per owner; Infinity = not set. */
export interface Alarm<Owner> extends HeapItem {
  readonly owner: Owner;
  dueMs: number;
}

export function createAlarm<Owner>(owner: Owner): Alarm<Owner> {
  return { owner, dueMs: Infinity, heapIndex: -1 };
}

export class Deadlines<Owner> {
  readonly #heap = new Heap<Alarm<Owner>>((a, b) => a.dueMs < b.dueMs);

  get size(): number {
    return this.#heap.size;
  }

  /** Infinity = nothing is set. */
  get nextMs(): number {
    return this.#heap.peek()?.dueMs ?? Infinity;
  }

  /** Replaces the time set before; Infinity clears it. */
  set(alarm: Alarm<Owner>, dueMs: number): void {
    if (alarm.dueMs === dueMs) return;
    alarm.dueMs = dueMs;
    if (dueMs === Infinity) this.#heap.remove(alarm);
    else if (alarm.heapIndex < 0) this.#heap.push(alarm);
    else this.#heap.update(alarm);
  }

  /** Clears the first alarm that is due and returns its owner; undefined when none is. */
  takeDue(nowMs: number): Owner | undefined {
    const first = this.#heap.peek();
    if (first === undefined || first.dueMs > nowMs) return undefined;
    this.set(first, Infinity);
    return first.owner;
  }
}
