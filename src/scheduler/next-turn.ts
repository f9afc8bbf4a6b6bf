/** Whose turn it is on a backend with room: the first in order that may go there, or one whose model is warm there. */
import type { Entry } from './entry.ts';
import type { Ledger, Seat } from './ledger.ts';
import type { Placement } from './placement.ts';
import type { Queue } from './queue.ts';
import type { SchedulerSettings } from './settings.ts';

export interface NextTurn {
  readonly entry: Entry;
  readonly seat: Seat;
  /** The first of each lane that it goes before although its own turn is later. */
  readonly overtaken: readonly Entry[];
}

export interface TurnContext {
  readonly queue: Queue;
  readonly placement: Placement;
  readonly settings: SchedulerSettings;
  readonly nowMs: number;
}

/** Looks at the first of each lane, in order, and no further than to the one it returns. */
export function nextTurnOn(ledger: Ledger, context: TurnContext): NextTurn | undefined {
  const { queue, placement, settings, nowMs } = context;
  let first: NextTurn | undefined;
  const cold: Entry[] = [];
  for (const lane of queue.lanes) {
    const entry = lane.head;
    const seat = ledger.seats.get(lane.model.name);
    if (entry === undefined || seat === undefined) continue;
    if (!placement.accepts(seat, placement.contextOf(entry, lane.model, nowMs))) continue;
    first ??= { entry, seat, overtaken: [] };
    if (settings.modelAffinityBonusMs <= 0) return first;
    if (seat.isWarm) {
      const mayPass = cold.every((passed) => isPatient(passed, entry, context));
      return mayPass ? { entry, seat, overtaken: cold } : first;
    }
    cold.push(entry);
  }
  return first;
}

/** Whether one whose model is cold lets a later one with a warm model go first. */
function isPatient(cold: Entry, warm: Entry, { settings, nowMs }: TurnContext): boolean {
  // Counting only the wait would swap models with every request once the queue is longer than the bonus.
  const waitedMs = nowMs - cold.arrivedMs;
  const apartMs = Math.abs(warm.arrivedMs - cold.arrivedMs);
  return (
    Math.min(waitedMs, apartMs) < settings.modelAffinityBonusMs && cold.overtaken < settings.overtakenMax
  );
}
