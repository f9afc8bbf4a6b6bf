/**
 * Whether a request that could go somewhere at once had better wait a moment for a slot of a full backend, because that has
 * its prompt cached. Decides for one request and reads only.
 */
import type { BackendId } from '../domain/ids.ts';
import type { Entry } from './entry.ts';
import type { Seat } from './ledger.ts';
import type { Choice, Placement } from './placement.ts';
import { freeSlot } from './policies/filters/free-slot.ts';
import type { PlacementContext } from './policy.ts';
import type { ServedModel } from './served-model.ts';
import type { SchedulerSettings } from './settings.ts';

/** Of the prompt, to be found there beyond what the other place has: reading less takes no longer than the wait. */
const bytesGainedMin = 8192;

export interface PatienceContext {
  readonly placement: Placement;
  readonly settings: SchedulerSettings;
  readonly nowMs: number;
}

/** The backend worth waiting for; undefined = `choice` is as good. Costs a look at each backend that serves the model. */
export function backendWorthAwaiting(
  entry: Entry,
  choice: Choice,
  { placement, settings, nowMs }: PatienceContext,
): BackendId | undefined {
  const { prompt, slotless } = entry.request;
  if (settings.promptPatienceMs <= 0 || slotless || prompt === undefined || prompt.bytes < bytesGainedMin) {
    return undefined;
  }
  if (!placement.ratesPrompts) return undefined;
  const { model } = choice;
  const context = placement.contextOf(entry, model, nowMs);
  let best: Seat | undefined;
  let bestBytes = placement.cachedBytes(choice.seat, entry) + bytesGainedMin;
  for (const seat of model.seats) {
    if (seat.ledger.ready || !seat.ledger.isHealthy || !placement.isCacheProven(seat)) continue;
    const bytes = placement.cachedBytes(seat, entry);
    if (bytes < bestBytes || !isOnlyFull(seat, placement, context)) continue;
    best = seat;
    bestBytes = bytes;
  }
  return best === undefined || isOverloaded(best, model, settings) ? undefined : best.ledger.id;
}

/** A claimed backend drains: its next slot goes to somebody else. */
function isOnlyFull(seat: Seat, placement: Placement, context: PlacementContext): boolean {
  return seat.claim === undefined && placement.refusalOf(seat, context) === freeSlot;
}

/** By the rule of `prefix-affinity`: a popular beginning is to spread while others have room. */
function isOverloaded({ ledger }: Seat, model: ServedModel, settings: SchedulerSettings): boolean {
  let inFlight = 1;
  let slots = 0;
  for (const seat of model.seats) {
    if (!seat.ledger.isHealthy) continue;
    inFlight += seat.inFlight;
    slots += seat.view.slotsTotal;
  }
  const share = (inFlight / slots) * ledger.view.slotsTotal;
  return ledger.inFlight > settings.promptLoadFactor * share + 1;
}
