/**
 * Claims keep the longest wait bounded where backends swap models: a lane that nobody was served of for too long makes
 * one backend drain for it. Owns which lanes are starving and which backend is claimed for whom.
 */
import type { ModelName } from '../domain/ids.ts';
import type { Lane } from './entry.ts';
import type { Ledger, Seat } from './ledger.ts';
import type { Placement } from './placement.ts';
import { claimed } from './policies/filters/claimed.ts';
import { freeSlot } from './policies/filters/free-slot.ts';
import { maxModels } from './policies/filters/max-models.ts';
import { sticky } from './policies/filters/sticky.ts';
import { filters } from './policies/index.ts';
import type { Claim, Filter, PlacementContext } from './policy.ts';
import { refusing } from './ratings.ts';
import { compareTurns } from './turn.ts';
import type { Turn } from './turn.ts';

/** What keeps a model out of a backend only because of the models that others run there. */
const swapFilters: readonly Filter[] = [maxModels, sticky];
/** What no other model's end could change. */
const fixedFilters: readonly Filter[] = filters.filter(
  (filter) => filter !== freeSlot && filter !== claimed && filter !== maxModels && filter !== sticky,
);

export class LaneClaim implements Claim {
  readonly lane: Lane;
  readonly #ledger: Ledger;
  /** A claimed backend still opens one sticky window for those before, not one after each of them. */
  windowUsed: boolean;

  constructor(lane: Lane, ledger: Ledger) {
    this.lane = lane;
    this.#ledger = ledger;
    this.windowUsed = ledger.sticky !== undefined;
  }

  get model(): ModelName | undefined {
    return this.#ledger.seats.get(this.lane.model.name)?.model;
  }

  get turn(): Turn {
    return headOf(this.lane);
  }
}

export class Claims {
  readonly #placement: Placement;
  readonly #starving = new Set<Lane>();

  constructor(placement: Placement) {
    this.#placement = placement;
  }

  get size(): number {
    return this.#starving.size;
  }

  isStarving(lane: Lane): boolean {
    return this.#starving.has(lane);
  }

  /** The lane's patience is over: it claims the backend that has least to finish first. */
  starve(lane: Lane, nowMs: number): void {
    this.#starving.add(lane);
    this.#seek(lane, nowMs);
  }

  /** The lane cannot use a claim now, and stays hungry. Returns the backend that is free of it. */
  suspend(lane: Lane): Ledger | undefined {
    return release(lane);
  }

  /** Somebody of the lane was served, or nobody waits there any more. Returns the backend that is free of its claim. */
  satisfy(lane: Lane): Ledger | undefined {
    this.#starving.delete(lane);
    return release(lane);
  }

  /** What can be claimed has changed at large. Returns the backends that are free of a claim now. */
  review(nowMs: number): readonly Ledger[] {
    const freed: Ledger[] = [];
    for (const lane of this.#starving) {
      const ledger = lane.claim;
      if (ledger !== undefined && !this.#canClaim(ledger, lane, nowMs)) {
        release(lane);
        freed.push(ledger);
      }
      this.#seek(lane, nowMs);
    }
    return freed;
  }

  /** A backend may have become claimable: the first of the starving takes it. */
  offer(ledger: Ledger, nowMs: number): void {
    if (this.#starving.size === 0 || ledger.claim !== undefined) return;
    let first: Lane | undefined;
    for (const lane of this.#starving) {
      if (lane.claim !== undefined || !this.#canClaim(ledger, lane, nowMs)) continue;
      if (first === undefined || compareTurns(headOf(lane), headOf(first)) < 0) first = lane;
    }
    if (first !== undefined) claim(first, ledger);
  }

  #seek(lane: Lane, nowMs: number): void {
    const context = this.#contextOf(lane, nowMs);
    if (lane.claim !== undefined || context === undefined) return;
    let best: Ledger | undefined;
    for (const seat of lane.model.seats) {
      const { ledger } = seat;
      if (ledger.claim !== undefined || !isKeptOut(seat, context)) continue;
      if (best === undefined || ledger.inFlight < best.inFlight) best = ledger;
    }
    if (best !== undefined) claim(lane, best);
  }

  #canClaim(ledger: Ledger, lane: Lane, nowMs: number): boolean {
    const context = this.#contextOf(lane, nowMs);
    const seat = lane.model.seatOn(ledger);
    return context !== undefined && seat !== undefined && isKeptOut(seat, context);
  }

  /** Of the first of the lane. */
  #contextOf({ entries: { first }, model }: Lane, nowMs: number): PlacementContext | undefined {
    return first === undefined ? undefined : this.#placement.contextOf(first, model, nowMs);
  }
}

/** Whether nothing but the models of others keeps it out. Hardly any backend does: that is asked first. */
function isKeptOut(seat: Seat, context: PlacementContext): boolean {
  return (
    refusing(swapFilters, seat, context) !== undefined && refusing(fixedFilters, seat, context) === undefined
  );
}

function claim(lane: Lane, ledger: Ledger): void {
  lane.claim = ledger;
  ledger.claim = new LaneClaim(lane, ledger);
}

function release(lane: Lane): Ledger | undefined {
  const ledger = lane.claim;
  lane.claim = undefined;
  if (ledger !== undefined) ledger.claim = undefined;
  return ledger;
}

/** A lane without anybody, which no claim outlives, would come last. */
function headOf(lane: Lane): Turn {
  return lane.entries.first ?? { priorityClass: Infinity, tag: Infinity, seq: Infinity };
}
