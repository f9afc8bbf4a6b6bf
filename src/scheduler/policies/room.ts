/** How much of one model a backend takes: what several policies have to agree on. */
import type { Candidate } from '../policy.ts';

/** Most requests of the model that run there at once. */
export function slotsOfModel({ view }: Candidate): number {
  return Math.min(view.modelSlotsMax ?? view.slotsTotal, view.slotsTotal);
}

/** Whether one more request of the model would begin at once. */
export function hasRoom(candidate: Candidate): boolean {
  return candidate.free > 0 && candidate.inFlightOfModel < slotsOfModel(candidate);
}

/**
 * Where a model is loaded and has room, then where it has room, then the rest, as a rating from 0 to 1; within each the
 * lower `load` (≥ 0) is better. Equal only for the same kind of place and the same load.
 */
export function rateByRoom(candidate: Candidate, load: Readonly<Record<RoomKind, number>>): number {
  const kind = roomKind(candidate);
  return (ranks[kind] + 1 / (1 + load[kind])) / 3;
}

type RoomKind = 'loaded' | 'free' | 'full';

const ranks: Readonly<Record<RoomKind, number>> = { loaded: 2, free: 1, full: 0 };

function roomKind(candidate: Candidate): RoomKind {
  if (!hasRoom(candidate)) return 'full';
  return candidate.isWarm ? 'loaded' : 'free';
}
