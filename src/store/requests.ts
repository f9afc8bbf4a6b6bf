/**
 * Owns the record of every request that runs and of the last ones that finished. The data plane opens, changes and
 * finishes records; everybody else reads. Events tell what happened; nothing may depend on a listener being there.
 */
import type { Clock } from '../base/clock.ts';
import { createRingBuffer } from '../base/ring-buffer.ts';
import { TurnoverMap } from '../base/turnover-map.ts';
import type { ErrorCode } from '../domain/errors.ts';
import type { RequestId } from '../domain/ids.ts';
import { outcomes } from '../domain/outcome.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { RequestRecord } from './request-record.ts';
import { createTrafficStats } from './traffic.ts';
import type { TrafficReadings } from './traffic.ts';

/** operator: through the API. shutdown: the drain took longer than allowed. */
export type CancelReason = 'operator' | 'shutdown';

/** What is known of a request before its body is read. */
export type RequestHead = Pick<RequestRecord, 'id' | 'route' | 'method' | 'path' | 'flow'> &
  Partial<Pick<RequestRecord, 'parent'>>;

export interface RequestEnd {
  readonly outcome: Outcome;
  /** Status that the client got; undefined = none was sent. */
  readonly status: number | undefined;
  readonly errorCode: ErrorCode | undefined;
}

/** Called synchronously; must be quick and must not throw. */
export interface RequestListener {
  opened?(record: RequestRecord): void;
  changed?(record: RequestRecord): void;
  finished?(record: RequestRecord): void;
}

export interface RequestTotals {
  readonly opened: number;
  readonly finished: number;
  readonly byOutcome: Readonly<Record<Outcome, number>>;
}

export interface RequestTable {
  /** `cancel` is called at most once, and never after `finish`; it must lead to `finish`, at once or later. */
  open(head: RequestHead, cancel: (reason: CancelReason) => void): RequestRecord;
  /** Tells listeners that the record moved on (another phase, a backend, a model). */
  changed(record: RequestRecord): void;
  /** Ends a request. False when it had ended before; then nothing changes. */
  finish(record: RequestRecord, end: RequestEnd): boolean;
  /** A running request, or one of the recent ones. */
  get(id: RequestId): RequestRecord | undefined;
  readonly inFlightCount: number;
  /** Running requests in the order of their arrival, queued ones among them. */
  inFlight(): IterableIterator<RequestRecord>;
  /** Finished requests, newest first. */
  recent(limit: number): RequestRecord[];
  /** Asks a running request to end. False when there is none, or when it was asked before. */
  cancel(id: RequestId, reason: CancelReason): boolean;
  /** Returns the function that ends the subscription. */
  subscribe(listener: RequestListener): () => void;
  totals(): RequestTotals;
  /** Counts the tokens of running streams into the rates; called about once a second, else long streams show only at their end. */
  countProgress(): void;
  traffic(): TrafficReadings;
}

interface Entry {
  readonly record: RequestRecord;
  cancel: ((reason: CancelReason) => void) | undefined;
  tokensCounted: number;
}

/** Most models and most backends whose traffic is kept apart. */
const trafficKeysMax = 1000;

/** `recentMax`: finished requests that are kept. */
export function createRequestTable(options: {
  readonly recentMax: number;
  readonly clock: Clock;
}): RequestTable {
  return new Table(options);
}

class Table implements RequestTable {
  readonly #clock: Clock;
  readonly #running = new TurnoverMap<Entry>();
  readonly #recent;
  readonly #traffic;
  readonly #byOutcome = Object.fromEntries(outcomes.map((outcome) => [outcome, 0])) as Record<
    Outcome,
    number
  >;
  #listeners: readonly RequestListener[] = [];
  #opened = 0;
  #finished = 0;

  constructor(options: { readonly recentMax: number; readonly clock: Clock }) {
    this.#clock = options.clock;
    this.#recent = createRingBuffer<RequestRecord>(options.recentMax);
    this.#traffic = createTrafficStats({ startedMs: options.clock.nowMs(), keysMax: trafficKeysMax });
  }

  open(head: RequestHead, cancel: (reason: CancelReason) => void): RequestRecord {
    const record = newRecord(head, this.#clock);
    this.#running.set(record.id, { record, cancel, tokensCounted: 0 });
    this.#opened += 1;
    for (const listener of this.#listeners) listener.opened?.(record);
    return record;
  }

  changed(record: RequestRecord): void {
    for (const listener of this.#listeners) listener.changed?.(record);
  }

  finish(record: RequestRecord, end: RequestEnd): boolean {
    const entry = this.#running.get(record.id);
    if (entry === undefined || entry.record !== record) return false;
    const nowMs = this.#clock.nowMs();
    record.phase = 'finished';
    record.finishedAtMs = nowMs;
    record.outcome = end.outcome;
    record.status = end.status;
    record.errorCode = end.errorCode;
    this.#running.delete(record.id);
    this.#recent.push(record);
    this.#finished += 1;
    this.#byOutcome[end.outcome] += 1;
    this.#countTokens(entry, nowMs);
    this.#traffic.requestFinished(record, nowMs);
    for (const listener of this.#listeners) listener.finished?.(record);
    return true;
  }

  get(id: RequestId): RequestRecord | undefined {
    const running = this.#running.get(id);
    if (running !== undefined) return running.record;
    for (const record of this.#recent.newestFirst()) if (record.id === id) return record;
    return undefined;
  }

  get inFlightCount(): number {
    return this.#running.size;
  }

  *inFlight(): IterableIterator<RequestRecord> {
    for (const { record } of this.#running.values()) yield record;
  }

  recent(limit: number): RequestRecord[] {
    return [...this.#recent.newestFirst(limit)];
  }

  cancel(id: RequestId, reason: CancelReason): boolean {
    const entry = this.#running.get(id);
    if (entry?.cancel === undefined) return false;
    const { cancel } = entry;
    entry.cancel = undefined;
    cancel(reason);
    return true;
  }

  subscribe(listener: RequestListener): () => void {
    this.#listeners = [...this.#listeners, listener];
    return () => {
      this.#listeners = this.#listeners.filter((other) => other !== listener);
    };
  }

  totals(): RequestTotals {
    return { opened: this.#opened, finished: this.#finished, byOutcome: { ...this.#byOutcome } };
  }

  countProgress(): void {
    const nowMs = this.#clock.nowMs();
    for (const entry of this.#running.values()) this.#countTokens(entry, nowMs);
  }

  traffic(): TrafficReadings {
    return this.#traffic.read(this.#clock.nowMs());
  }

  #countTokens(entry: Entry, nowMs: number): void {
    const passed = outputTokensSoFar(entry.record) - entry.tokensCounted;
    if (passed <= 0) return;
    entry.tokensCounted += passed;
    this.#traffic.tokensPassed(entry.record, passed, nowMs);
  }
}

/** Output tokens up to now. Engines send about one token per streamed chunk; usage, once it is there, is exact. */
export function outputTokensSoFar(record: RequestRecord): number {
  const isGuessed = record.stream && record.ensemble === undefined;
  return record.usage?.outputTokens ?? (isGuessed ? record.chunksOut : 0);
}

/** Every field from the start, always in the same order, so that all records share one hidden class. */
function newRecord(head: RequestHead, clock: Clock): RequestRecord {
  return {
    id: head.id,
    route: head.route,
    method: head.method,
    path: head.path,
    flow: head.flow,
    parent: head.parent,
    startedMs: clock.nowMs(),
    startedEpochMs: clock.epochMs(),
    phase: 'reading',
    model: undefined,
    requested: undefined,
    selector: undefined,
    ensemble: undefined,
    cache: undefined,
    session: undefined,
    stream: false,
    backend: undefined,
    attempts: [],
    queuedAtMs: undefined,
    grantedAtMs: undefined,
    headAtMs: undefined,
    firstByteAtMs: undefined,
    finishedAtMs: undefined,
    status: undefined,
    outcome: undefined,
    errorCode: undefined,
    bytesIn: 0,
    bytesOut: 0,
    chunksOut: 0,
    tokensEstimated: 0,
    promptProgress: undefined,
    repairs: [],
    usage: undefined,
    timings: undefined,
    remote: undefined,
    requestHeaders: [],
    responseHeaders: undefined,
    errorMessage: undefined,
    capture: undefined,
  };
}
