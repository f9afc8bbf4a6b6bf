/** What the scheduler keeps of one request from its arrival to its end, waiting or granted. Changed by the scheduler only. */
import { SortedList } from '../base/sorted-list.ts';
import type { BackendId, ModelName } from '../domain/ids.ts';
import type { RequestFacts } from '../domain/request-facts.ts';
import { createAlarm } from './deadlines.ts';
import type { Alarm } from './deadlines.ts';
import type { FlowShare } from './fair-clock.ts';
import type { Ledger } from './ledger.ts';
import type { SentPrompt } from './prompt-caches.ts';
import type { SlotUse } from './prompt-slots.ts';
import type { ServedModel } from './served-model.ts';
import type { Swap } from './swap.ts';
import { compareTurns } from './turn.ts';
import type { Turn } from './turn.ts';

/** The right to one slot; a slotless request holds one that takes none. */
export interface Permit {
  readonly ledger: Ledger;
  /** Canonical name on that backend. */
  readonly model: ModelName | undefined;
  readonly servedModel: ServedModel;
  /** Of the backend when it was granted: an engine that came back since does not run the request any more. */
  readonly epoch: number;
}

/** Who has an alarm. */
export type Owner = Entry | Lane | Ledger;

export const noBackends: ReadonlySet<BackendId> = new Set();

export class Entry implements Turn {
  readonly kind = 'entry';
  readonly request: RequestFacts;
  readonly seq: number;
  readonly arrivedMs: number;
  /** Queue timeout, ageing and the wait for a dead fleet, whichever is next. */
  readonly alarm: Alarm<Owner> = createAlarm<Owner>(this);
  priorityClass: number;
  tag = 0;
  /** Start of the running ageing period. */
  ageingFromMs: number;
  overtaken = 0;
  /** Grants so far. */
  attempt = 0;
  failedOn: ReadonlySet<BackendId> = noBackends;
  /** The only backend that it waits for now, because that has its prompt cached. */
  awaited: BackendId | undefined = undefined;
  /** Until when it does so; Infinity while it does not. */
  awaitedUntilMs = Infinity;
  /** It does so once. */
  hasAwaited = false;
  /** Set while it waits. */
  lane: Lane | undefined = undefined;
  /** Of its flow; set while it waits where flows take turns. */
  share: FlowShare | undefined = undefined;
  /** Set while it is granted. */
  permit: Permit | undefined = undefined;
  /** What was believed of its prompt when it was granted. */
  sent: SentPrompt | undefined = undefined;
  /** The slot that it was told to use. */
  slot: SlotUse | undefined = undefined;
  /** The load that it waited for, when that is done. */
  load: Swap | undefined = undefined;

  constructor(request: RequestFacts, seq: number, nowMs: number) {
    this.request = request;
    this.seq = seq;
    this.arrivedMs = nowMs;
    this.ageingFromMs = nowMs;
    this.priorityClass = request.priority;
  }

  awaitOnly(backend: BackendId, untilMs: number): void {
    this.awaited = backend;
    this.awaitedUntilMs = untilMs;
    this.hasAwaited = true;
  }

  awaitAny(): void {
    this.awaited = undefined;
    this.awaitedUntilMs = Infinity;
  }
}

/** Waiting requests that may go to exactly the same places, in order: when the first cannot go, none can. */
export class Lane {
  readonly kind = 'lane';
  readonly key: string;
  readonly model: ServedModel;
  readonly entries = new SortedList<Entry>(compareTurns);
  /** The first of its entries by which the queue has put the lane in order; undefined before it holds anybody. */
  head: Entry | undefined = undefined;
  /** End of the wait for a dead fleet, or of one of the lane's patiences, whichever is next. */
  readonly alarm: Alarm<Owner> = createAlarm<Owner>(this);
  /** Since when no live backend can serve it; undefined = one can. */
  deadFromMs: number | undefined = undefined;
  /** Nobody can serve it before a process has started. */
  isCold = false;
  /** Since when nobody of it was served. */
  hungryFromMs: number;
  /** The backend that drains for it. */
  claim: Ledger | undefined = undefined;

  constructor(key: string, model: ServedModel, nowMs: number) {
    this.key = key;
    this.model = model;
    this.hungryFromMs = nowMs;
  }
}
