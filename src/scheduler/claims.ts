/**
 * Claims keep the longest wait bounded where backends swap models: a lane that nobody was served of for too long makes
 * one backend drain for it. Owns which lanes are starving and which backend is claimed for whom.
 */
import type { ModelName } from '../domain/ids.ts';
import type { Lane } from './entry.ts';
import type { Ledger } from './ledger.ts';
import type { Placement } from './placement.ts';
import type { Claim } from './policy.ts';
import { compareTurns } from './turn.ts';
import type { Turn } from './turn.ts';

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
      if (ledger !== undefined && !this.#placement.canClaim(ledger, lane, nowMs)) {
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
      if (lane.claim !== undefined || !this.#placement.canClaim(ledger, lane, nowMs)) continue;
      if (first === undefined || compareTurns(headOf(lane), headOf(first)) < 0) first = lane;
    }
    if (first !== undefined) claim(first, ledger);
  }

  #seek(lane: Lane, nowMs: number): void {
    if (lane.claim !== undefined) return;
    let best: Ledger | undefined;
    for (const { ledger } of lane.model.seats) {
      if (ledger.claim !== undefined || !this.#placement.canClaim(ledger, lane, nowMs)) continue;
      if (best === undefined || ledger.inFlight < best.inFlight) best = ledger;
    }
    if (best !== undefined) claim(lane, best);
  }
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
