/**
 * Everybody who waits, sorted into lanes. Owns order and fair share; knows nothing of capacity. An operation costs a
 * search in one lane, whatever the number of those who wait.
 */
import type { BackendId } from '../domain/ids.ts';
import { SortedList } from '../base/sorted-list.ts';
import { Lane, noBackends } from './entry.ts';
import type { Entry } from './entry.ts';
import { FairClock } from './fair-clock.ts';
import { tokensCertain } from './policies/filters/context-fits.ts';
import type { ServedModel } from './served-model.ts';
import { compareTurns } from './turn.ts';

export class Queue {
  readonly #fairClock = new FairClock();
  /** Those with somebody in them, by the turn of the first. */
  readonly #lanes = new SortedList<Lane>(compareHeads);
  readonly #keyOfSet = new WeakMap<ReadonlySet<BackendId>, string>();
  #ordering: 'fifo' | 'fair';
  #size = 0;
  #slotless = 0;

  constructor(ordering: 'fifo' | 'fair') {
    this.#ordering = ordering;
  }

  get size(): number {
    return this.#size;
  }

  /** Of those who wait, how many want no slot. */
  get slotless(): number {
    return this.#slotless;
  }

  /** Lanes with somebody in them, by the turn of the first. Copy it before changing anything on the way. */
  get lanes(): Iterable<Lane> & { toArray(): Lane[]; readonly size: number } {
    return this.#lanes;
  }

  /** Flows remembered for fair share. */
  get flows(): number {
    return this.#fairClock.size;
  }

  /** Gives a new arrival its tag. */
  tagFor(entry: Entry): number {
    const { model, flow } = entry.request;
    return this.#ordering === 'fair' ? this.#fairClock.nextTag(model, flow) : 0;
  }

  /** The lane where an entry waits or would wait, if somebody does. */
  laneOf(entry: Entry, model: ServedModel): Lane | undefined {
    return model.lanes.size === 0 ? undefined : model.lanes.get(this.#laneKey(entry, model));
  }

  /** The same, or a new one that holds nobody and is known to nobody until `add`. */
  laneFor(entry: Entry, model: ServedModel): Lane {
    const key = this.#laneKey(entry, model);
    return model.lanes.get(key) ?? new Lane(key, model, entry.arrivedMs);
  }

  add(entry: Entry, lane: Lane): void {
    const { request } = entry;
    if (lane.entries.size === 0) lane.model.lanes.set(lane.key, lane);
    lane.entries.add(entry);
    entry.lane = lane;
    this.#order(lane);
    this.#size += 1;
    if (request.slotless) this.#slotless += 1;
    if (this.#ordering === 'fair')
      entry.share = this.#fairClock.entered(request.model, request.flow, entry.tag);
  }

  /** `served`: it was granted, so that the fair share of its flow is used. Returns the lane it was in. */
  remove(entry: Entry, served: boolean): Lane | undefined {
    const { lane, request } = entry;
    if (lane === undefined) return undefined;
    // Whoever goes before an earlier one of its lane moves the clock no further than that one would.
    const tag = Math.min(entry.tag, lane.head?.tag ?? entry.tag);
    lane.entries.delete(entry);
    entry.lane = undefined;
    this.#order(lane);
    this.#size -= 1;
    if (request.slotless) this.#slotless -= 1;
    if (entry.share !== undefined) {
      if (served) this.#fairClock.served(entry.share, tag);
      this.#fairClock.left(entry.share);
      entry.share = undefined;
    }
    if (lane.entries.size === 0) lane.model.lanes.delete(lane.key);
    return lane;
  }

  /** Changes the class of an entry that waits. */
  promote(entry: Entry, priorityClass: number): void {
    const { lane } = entry;
    if (lane === undefined) return;
    lane.entries.delete(entry);
    this.#order(lane);
    entry.priorityClass = priorityClass;
    lane.entries.add(entry);
    this.#order(lane);
  }

  /** How many have their turn before this entry. */
  countBefore(entry: Entry): number {
    let count = 0;
    for (const lane of this.#lanes) count += lane.entries.countBefore(entry);
    return count;
  }

  /** The first of all who wait, in order. */
  list(max: number): readonly Entry[] {
    const found: Entry[] = [];
    for (const lane of this.#lanes) {
      let taken = 0;
      for (const entry of lane.entries) {
        if (taken >= max) break;
        found.push(entry);
        taken += 1;
      }
    }
    return found.sort(compareTurns).slice(0, max);
  }

  /** Empties the lanes of a model, or all, and returns who was in them, by arrival. They keep their tags. */
  takeOut(model?: ServedModel): readonly Entry[] {
    const taken: Entry[] = [];
    for (const lane of this.#lanes) {
      if (model === undefined || lane.model === model) taken.push(...lane.entries);
    }
    for (const entry of taken) this.remove(entry, false);
    return taken.sort((a, b) => a.seq - b.seq);
  }

  /** Only while nobody waits. */
  setOrdering(ordering: 'fifo' | 'fair'): void {
    this.#ordering = ordering;
  }

  /** Puts a lane where it belongs after somebody came or went. */
  #order(lane: Lane): void {
    const { first } = lane.entries;
    if (first === lane.head) return;
    if (lane.head !== undefined) this.#lanes.delete(lane);
    lane.head = first;
    if (first !== undefined) this.#lanes.add(lane);
  }

  #laneKey(entry: Entry, model: ServedModel): string {
    const { request, failedOn } = entry;
    if (request.slotless) return `s|${this.#setKey(failedOn)}|${this.#setKey(request.only)}`;
    const context = model.contextTooSmall(tokensCertain(request));
    const key =
      context === 0 && failedOn.size === 0 && request.only === undefined
        ? ''
        : `${context}|${this.#setKey(failedOn)}|${this.#setKey(request.only)}`;
    return entry.awaited === undefined ? key : `${entry.awaited}|${key}`;
  }

  #setKey(set: ReadonlySet<BackendId> | undefined): string {
    if (set === undefined) return '*';
    if (set === noBackends) return '';
    let key = this.#keyOfSet.get(set);
    if (key === undefined) {
      key = [...set].sort().join(' ');
      this.#keyOfSet.set(set, key);
    }
    return key;
  }
}

function compareHeads(a: Lane, b: Lane): number {
  return a.head === undefined || b.head === undefined ? 0 : compareTurns(a.head, b.head);
}
