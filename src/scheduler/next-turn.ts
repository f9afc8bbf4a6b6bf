/** Whose turn it is on a backend with room: the first in order that may go there, or one whose model is warm there. */
import type { Entry, Lane } from './entry.ts';
import type { Ledger, Seat } from './ledger.ts';
import type { Placement } from './placement.ts';
import type { Queue } from './queue.ts';
import type { SchedulerSettings } from './settings.ts';
import { compareTurns } from './turn.ts';
import { isWarm } from './warm.ts';

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

/** Looks at the first of each lane that the backend serves, never further. */
export function nextTurnOn(ledger: Ledger, context: TurnContext): NextTurn | undefined {
  const affinity = context.settings.modelAffinityBonusMs > 0;
  let first: Entry | undefined;
  let firstSeat: Seat | undefined;
  let warm: Entry | undefined;
  let warmSeat: Seat | undefined;
  for (const [lane, seat] of lanesOf(ledger, context.queue)) {
    const head = lane.entries.first;
    if (head === undefined) continue;
    const isFirst = first === undefined || compareTurns(head, first) < 0;
    const isFirstWarm = affinity && (warm === undefined || compareTurns(head, warm) < 0) && isWarm(seat);
    if (!isFirst && !isFirstWarm) continue;
    if (!accepts(seat, head, context)) continue;
    if (isFirst) [first, firstSeat] = [head, seat];
    if (isFirstWarm) [warm, warmSeat] = [head, seat];
  }
  if (first === undefined || firstSeat === undefined) return undefined;
  if (warm !== undefined && warmSeat !== undefined && warm !== first) {
    const overtaken = passedBy(warm, ledger, context);
    if (overtaken !== undefined) return { entry: warm, seat: warmSeat, overtaken };
  }
  return { entry: first, seat: firstSeat, overtaken: [] };
}

/** Everybody that would be passed; undefined when one of them has been patient for long enough. */
function passedBy(warm: Entry, ledger: Ledger, context: TurnContext): readonly Entry[] | undefined {
  const { modelAffinityBonusMs, overtakenMax } = context.settings;
  const passed: Entry[] = [];
  for (const [lane, seat] of lanesOf(ledger, context.queue)) {
    const head = lane.entries.first;
    if (head === undefined || compareTurns(head, warm) >= 0 || !accepts(seat, head, context)) continue;
    // The warm one is the first of all warm ones, so whoever is before it is cold here.
    // Counting only the wait would swap models with every request once the queue is longer than the bonus.
    const waitedMs = context.nowMs - head.arrivedMs;
    const apartMs = Math.abs(warm.arrivedMs - head.arrivedMs);
    if (Math.min(waitedMs, apartMs) >= modelAffinityBonusMs) return undefined;
    if (head.overtaken >= overtakenMax) return undefined;
    passed.push(head);
  }
  return passed;
}

function accepts(seat: Seat, entry: Entry, context: TurnContext): boolean {
  const model = entry.lane?.model;
  if (model === undefined) return false;
  return context.placement.accepts(seat, context.placement.contextOf(entry, model, context.nowMs));
}

function* lanesOf(ledger: Ledger, queue: Queue): IterableIterator<readonly [Lane, Seat]> {
  // From the shorter side: what the backend serves, or what is waited for.
  if (ledger.seats.size < queue.models.size) {
    for (const [name, seat] of ledger.seats) {
      for (const lane of queue.models.get(name)?.lanes.values() ?? []) yield [lane, seat];
    }
    return;
  }
  for (const [name, model] of queue.models) {
    const seat = ledger.seats.get(name);
    if (seat === undefined) continue;
    for (const lane of model.lanes.values()) yield [lane, seat];
  }
}
