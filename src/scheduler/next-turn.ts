/**
 * Whose turn it is on a backend with room: the first in order that may go there, one whose model is warm there, or one
 * that finds more of its prompt there. Whoever passes others does so within what each of them puts up with.
 */
import type { Entry, Lane } from './entry.ts';
import type { Ledger, Seat } from './ledger.ts';
import type { Placement } from './placement.ts';
import type { Queue } from './queue.ts';
import type { ServedModel } from './served-model.ts';
import type { SchedulerSettings } from './settings.ts';
import { compareTurns } from './turn.ts';

export interface NextTurn {
  readonly entry: Entry;
  readonly seat: Seat;
  readonly model: ServedModel;
  /** Those that it goes before although its own turn is later; of other lanes the first. */
  readonly overtaken: readonly Entry[];
}

export interface TurnContext {
  /** The backend with room. */
  readonly ledger: Ledger;
  readonly queue: Queue;
  readonly placement: Placement;
  readonly settings: SchedulerSettings;
  readonly nowMs: number;
}

/** How many of a lane are looked at for what is cached of their prompts. */
const cachedAmongMax = 32;
/** How much later than its own share a flow may be served for the sake of another one's cache, in requests. */
const tagsApartMax = 1;

/** Looks at the first of each lane, in order, and no further than to the one it returns; then at a few behind that one. */
export function nextTurnOn(context: TurnContext): NextTurn | undefined {
  const next = firstOrWarm(context);
  return next === undefined ? undefined : preferCached(next, context);
}

function firstOrWarm(context: TurnContext): NextTurn | undefined {
  const isWarmWorthMore = context.settings.modelAffinityBonusMs > 0;
  let first: NextTurn | undefined;
  const cold: Lane[] = [];
  for (const lane of context.queue.lanes) {
    // Behind the first only the warm ones are looked for: who is passed matters once there is one.
    if (first !== undefined && lane.model.seatOn(context.ledger)?.isWarm !== true) {
      cold.push(lane);
      continue;
    }
    const seat = seatFor(lane, context);
    if (lane.head === undefined || seat === undefined) continue;
    const found = { entry: lane.head, seat, model: lane.model, overtaken: [] };
    if (first !== undefined) return passCold(first, found, cold, context);
    first = found;
    if (seat.isWarm || !isWarmWorthMore) return first;
  }
  return first;
}

/** The warm one with all that it passes, if each of them lets it. `cold`: lanes between the two. */
function passCold(first: NextTurn, warm: NextTurn, cold: readonly Lane[], context: TurnContext): NextTurn {
  if (!isPatient(first.entry, warm.entry, context)) return first;
  const overtaken = [first.entry];
  for (const lane of cold) {
    if (lane.head === undefined || seatFor(lane, context) === undefined) continue;
    if (!isPatient(lane.head, warm.entry, context)) return first;
    overtaken.push(lane.head);
  }
  return { ...warm, overtaken };
}

/** The same, or one of its lane that finds more of its prompt in the cache. */
function preferCached(next: NextTurn, context: TurnContext): NextTurn {
  const { ledger, placement, settings } = context;
  const { seat } = next;
  const { lane } = next.entry;
  // A claimed backend goes strictly by turns.
  if (settings.promptBonusMs <= 0 || lane === undefined || ledger.claim !== undefined) return next;
  if (lane.entries.size === 1 || !placement.ratesPrompts || !placement.hasCached(seat)) return next;
  let best = next.entry;
  let bestBytes = placement.cachedBytes(seat, best);
  let passed: readonly Entry[] = [];
  const before: Entry[] = [];
  for (const entry of lane.entries) {
    if (before.every((one) => letsCachedPass(one, entry, settings))) {
      const bytes = placement.cachedBytes(seat, entry);
      if (bytes > bestBytes) {
        best = entry;
        bestBytes = bytes;
        passed = [...before];
      }
    }
    before.push(entry);
    if (before.length === cachedAmongMax) break;
  }
  if (best === next.entry) return next;
  const overtaken = [...next.overtaken, ...passed, ...headsBetween(next.entry, best, context)];
  const mayPass = overtaken.every((one) => letsCachedPass(one, best, settings));
  return mayPass ? { ...next, entry: best, overtaken } : next;
}

/** The first of other lanes that could go there too and have their turn between the two. */
function headsBetween(first: Entry, last: Entry, context: TurnContext): readonly Entry[] {
  const heads: Entry[] = [];
  for (const lane of context.queue.lanes) {
    const { head } = lane;
    if (head === undefined || compareTurns(head, last) >= 0) break;
    if (compareTurns(head, first) > 0 && seatFor(lane, context) !== undefined) heads.push(head);
  }
  return heads;
}

/** Where the first of a lane could go now; undefined when it has to wait. */
function seatFor(lane: Lane, { ledger, placement, nowMs }: TurnContext): Seat | undefined {
  const seat = lane.model.seatOn(ledger);
  if (seat === undefined || lane.head === undefined) return undefined;
  return placement.accepts(seat, placement.contextOf(lane.head, lane.model, nowMs)) ? seat : undefined;
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

/** Whether one lets a later one go first whose prompt is cached: it is then served as if it had come a little later. */
function letsCachedPass(first: Entry, later: Entry, settings: SchedulerSettings): boolean {
  return (
    later.arrivedMs - first.arrivedMs < settings.promptBonusMs &&
    first.overtaken < settings.overtakenMax &&
    later.priorityClass === first.priorityClass &&
    (later.request.flow === first.request.flow || later.tag - first.tag <= tagsApartMax)
  );
}
