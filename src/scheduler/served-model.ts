/** One name that clients ask for: where it is served, what of it runs, and who waits for it. */
import type { EventRate } from '../base/event-rate.ts';
import type { ModelName } from '../domain/ids.ts';
import type { Entry, Lane } from './entry.ts';
import type { Ledger, Seat } from './ledger.ts';
import { compareTurns } from './turn.ts';

export class ServedModel {
  /** Undefined = requests without a model; every backend serves them. */
  readonly name: ModelName | undefined;
  /** In configuration order of their backends. */
  readonly seats: Seat[] = [];
  /** Lanes with somebody in them, by key. */
  readonly lanes = new Map<string, Lane>();
  /** Permits and lingering requests over all backends. */
  inFlight = 0;
  /** Permits alone, also those that take no slot. */
  permits = 0;
  /** How often one of its requests ends; kept where the number of its requests is limited. */
  ends: EventRate | undefined = undefined;
  /** Turns taken: of requests with a slot, and of those without. */
  turns = 0;
  slotlessTurns = 0;
  /** How many seats have each known context size. */
  readonly #contexts = new Map<number, number>();

  constructor(name: ModelName | undefined) {
    this.name = name;
  }

  get isUnused(): boolean {
    return this.seats.length === 0 && this.lanes.size === 0 && this.inFlight === 0 && this.permits === 0;
  }

  /** Its seat on a backend, if that serves it. */
  seatOn(ledger: Ledger): Seat | undefined {
    // Where every backend serves it the place is known, which is cheaper than a look-up by name.
    const seat = this.seats[ledger.order];
    return seat?.ledger === ledger ? seat : ledger.seats.get(this.name);
  }

  /** Whose turn it is among those who wait for it, these lanes left out. */
  firstWaiting(without: ReadonlySet<Lane>): Entry | undefined {
    let first: Entry | undefined;
    for (const lane of this.lanes.values()) {
      const head = without.has(lane) ? undefined : lane.entries.first;
      if (head !== undefined && (first === undefined || compareTurns(head, first) < 0)) first = head;
    }
    return first;
  }

  get waiting(): number {
    let waiting = 0;
    for (const lane of this.lanes.values()) waiting += lane.entries.size;
    return waiting;
  }

  addSeat(seat: Seat): void {
    const order = seat.ledger.order;
    const at = this.seats.findLastIndex((other) => other.ledger.order < order);
    this.seats.splice(at + 1, 0, seat);
    const context = seat.contextTokens;
    if (context !== undefined) this.#contexts.set(context, (this.#contexts.get(context) ?? 0) + 1);
  }

  removeSeat(seat: Seat): void {
    const at = this.seats.indexOf(seat);
    if (at < 0) return;
    this.seats.splice(at, 1);
    const context = seat.contextTokens;
    if (context === undefined) return;
    const count = this.#contexts.get(context) ?? 0;
    if (count > 1) this.#contexts.set(context, count - 1);
    else this.#contexts.delete(context);
  }

  /** The largest context known here that is certainly too small for so many tokens; 0 = it fits everywhere. */
  contextTooSmall(tokensCertain: number): number {
    let largest = 0;
    for (const context of this.#contexts.keys()) {
      if (context < tokensCertain && context > largest) largest = context;
    }
    return largest;
  }

  /** Changes whenever `contextTooSmall` may answer differently. */
  get contextsKey(): string {
    return this.#contexts.size < 2
      ? String(this.#contexts.keys().next().value)
      : [...this.#contexts.keys()].sort((a, b) => a - b).join();
  }
}
