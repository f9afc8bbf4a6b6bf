/** What others may see of the scheduler's state, copied on request. */
import type { BackendView } from '../domain/backend-view.ts';
import type { BackendId, FlowId, ModelName, RequestId } from '../domain/ids.ts';
import type { Claims } from './claims.ts';
import type { Entry } from './entry.ts';
import type { Fleet } from './fleet.ts';
import type { Ledger } from './ledger.ts';
import type { Phase, ProcessBook } from './process-book.ts';
import type { Queue } from './queue.ts';
import type { Swap } from './swap.ts';
import type { Swaps } from './swaps.ts';

export interface QueuedSnapshot {
  readonly id: RequestId;
  readonly model: ModelName | undefined;
  readonly flow: FlowId;
  readonly session: string | undefined;
  readonly priority: number;
  readonly tokensEstimated: number;
  readonly waitedMs: number;
  /** 1 = next in order. */
  readonly position: number;
  readonly overtaken: number;
  /** The only backend that it waits for now, because that has its prompt cached; undefined = it takes any. */
  readonly awaits?: BackendId | undefined;
  readonly attempt: number;
}

export interface BackendSnapshot {
  readonly view: BackendView;
  /** Permits held by requests of this router. */
  readonly inFlight: number;
  /** Slots taken by requests whose client left while the engine went on. */
  readonly lingering: number;
  /** Slots taken by others, as far as the engine's readings tell. */
  readonly foreign: number;
  readonly free: number;
  /** By canonical name, lingering requests included. */
  readonly inFlightByModel: ReadonlyMap<ModelName, number>;
  /** Model the backend is reserved for, and until when (Clock.nowMs); undefined = not reserved. */
  readonly stickyTo: ModelName | undefined;
  readonly stickyUntilMs: number | undefined;
  /** The waiting request that the backend drains for, because its model was kept out for too long; undefined = none. */
  readonly claimedFor: RequestId | undefined;
  /** Only of a backend that is a process. */
  readonly process?: ProcessSnapshot;
}

export interface ProcessSnapshot {
  /** By its news and by what was asked of it since. */
  readonly phase: Phase;
  /** Nothing new starts there. */
  readonly closing: boolean;
  /** The waiting request for whose model it drains, because that waited too long; undefined = none. */
  readonly drainsFor: RequestId | undefined;
  /** When it is unloaded, by somebody's wish, even if it is not idle before (Clock.nowMs); undefined = nobody's wish. */
  readonly unloadByMs: number | undefined;
  /** Until when it is kept although others wait for its place (Clock.nowMs); undefined = it is not. */
  readonly keptUntilMs: number | undefined;
  /** Granted requests there that take no slot. */
  readonly slotless: number;
}

/** A load with the stops that it needs, under way. */
export interface SwapSnapshot {
  readonly target: BackendId;
  readonly evicted: readonly BackendId[];
  /** What allowed it, in the words of the residency planner. */
  readonly because: string | undefined;
  readonly startedMs: number;
  /** What has to stop before the target is started. */
  readonly waitsFor: readonly BackendId[];
}

export interface SchedulerSnapshot {
  readonly queuedTotal: number;
  /** In order; at most the number asked for. */
  readonly queued: readonly QueuedSnapshot[];
  /** Those of the configuration, in its order. */
  readonly backends: ReadonlyMap<BackendId, BackendSnapshot>;
  /** In the order in which they were begun. */
  readonly swaps: readonly SwapSnapshot[];
  readonly sessions: number;
  readonly draining: boolean;
  readonly footprint: Footprint;
}

/** Objects kept, by kind. With nobody waiting and nobody granted only what the configuration names is left. */
export interface Footprint {
  readonly requests: number;
  readonly lanes: number;
  readonly flows: number;
  readonly models: number;
  readonly backends: number;
  readonly alarms: number;
  readonly starving: number;
  /** Lanes that wait for a load. */
  readonly cold: number;
}

export interface SnapshotSource {
  readonly nowMs: number;
  /** Most waiting requests listed. */
  readonly queuedMax: number;
  readonly fleet: Fleet;
  readonly queue: Queue;
  readonly claims: Claims;
  readonly swaps: Swaps;
  readonly alarms: number;
  readonly requests: number;
  readonly sessions: number;
  readonly draining: boolean;
}

export function takeSnapshot(source: SnapshotSource): SchedulerSnapshot {
  const backends = new Map<BackendId, BackendSnapshot>();
  for (const ledger of source.fleet.ledgers) if (ledger.present) backends.set(ledger.id, ofLedger(ledger));
  return {
    queuedTotal: source.queue.size,
    queued: source.queue
      .list(source.queuedMax)
      .map((entry, index) => ofEntry(entry, index + 1, source.nowMs)),
    backends,
    swaps: Array.from(source.swaps.active, ofSwap),
    sessions: source.sessions,
    draining: source.draining,
    footprint: {
      requests: source.requests,
      lanes: source.queue.lanes.size,
      flows: source.queue.flows,
      models: source.fleet.modelsKnown,
      backends: source.fleet.backendsKnown,
      alarms: source.alarms,
      starving: source.claims.size,
      cold: source.swaps.size,
    },
  };
}

function ofLedger(ledger: Ledger): BackendSnapshot {
  return {
    view: ledger.view,
    inFlight: ledger.inFlight,
    lingering: ledger.lingering.length,
    foreign: ledger.foreign,
    free: ledger.free,
    inFlightByModel: new Map(ledger.running),
    stickyTo: ledger.sticky?.model,
    stickyUntilMs: ledger.sticky?.untilMs,
    claimedFor: ledger.claim?.lane.entries.first?.request.id,
    ...(ledger.book && { process: ofProcess(ledger, ledger.book) }),
  };
}

function ofProcess({ slotless }: Ledger, book: ProcessBook): ProcessSnapshot {
  return {
    phase: book.phase,
    closing: book.isClosing,
    drainsFor: book.drainsFor?.entries.first?.request.id,
    unloadByMs: book.unloadByMs,
    keptUntilMs: book.keptUntilMs === Infinity ? undefined : book.keptUntilMs,
    slotless,
  };
}

function ofSwap({ target, evicted, because, startedMs, waitsFor }: Swap): SwapSnapshot {
  return {
    target: target.id,
    evicted,
    because,
    startedMs,
    waitsFor: Array.from(waitsFor, ({ id }) => id),
  };
}

function ofEntry(entry: Entry, position: number, nowMs: number): QueuedSnapshot {
  const { id, model, flow, session, priority, tokensEstimated } = entry.request;
  return {
    id,
    model,
    flow,
    session,
    priority,
    tokensEstimated,
    waitedMs: nowMs - entry.arrivedMs,
    position,
    overtaken: entry.overtaken,
    awaits: entry.awaited,
    attempt: entry.attempt,
  };
}
