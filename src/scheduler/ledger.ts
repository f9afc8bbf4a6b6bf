/**
 * The scheduler's own book on one backend: permits, lingering requests, foreign use and reservations. What the engine
 * reads out is combined with the own counts and never replaces them.
 */
import type { BackendView, SlotReading } from '../domain/backend-view.ts';
import type { BackendId, ModelName } from '../domain/ids.ts';
import { createAlarm } from './deadlines.ts';
import type { Alarm } from './deadlines.ts';
import type { LaneClaim } from './claims.ts';
import type { Owner } from './entry.ts';
import type { Candidate, Claim, Scored } from './policy.ts';
import { ProcessBook } from './process-book.ts';
import type { SlotUse } from './prompt-slots.ts';
import { RecentTimes } from './recent-times.ts';
import type { ServedModel } from './served-model.ts';

/** A request whose client left while the engine went on. */
export interface Lingering {
  readonly model: ModelName | undefined;
  readonly servedModel: ServedModel;
  readonly slot: SlotUse | undefined;
  readonly fromMs: number;
  readonly untilMs: number;
}

/** One model name on one backend, as policies see it. Lives as long as the backend serves the name. */
export class Seat implements Candidate, Scored {
  readonly ledger: Ledger;
  readonly model: ModelName | undefined;
  /** The view for which `#isLoaded` was found out; views are replaced, never changed. */
  #loadedOf: BackendView | undefined;
  #isLoaded = false;
  readonly contextTokens: number | undefined;
  /** As a picker sees it; the total is that of the placement under way. */
  readonly candidate = this;
  total = 0;
  /** What policies say of it whatever the request: kept by ratings.ts as long as the ledger has these stamps. */
  refusalStamp = -1;
  refusal = 0;
  lastingTotalStamp = -1;
  lastingTotal = 0;

  constructor(ledger: Ledger, model: ModelName | undefined) {
    this.ledger = ledger;
    this.model = model;
    this.contextTokens = model === undefined ? undefined : ledger.view.contextTokens.get(model);
  }

  get view(): BackendView {
    return this.ledger.view;
  }

  get inFlight(): number {
    return this.ledger.inFlight;
  }

  get inFlightOfModel(): number {
    return this.model === undefined ? 0 : (this.ledger.running.get(this.model) ?? 0);
  }

  get modelsInFlight(): number {
    return this.ledger.running.size;
  }

  get free(): number {
    return this.ledger.free;
  }

  get isClosing(): boolean {
    return this.ledger.book?.isClosing ?? false;
  }

  get stickyTo(): ModelName | undefined {
    return this.ledger.sticky?.model;
  }

  get claim(): Claim | undefined {
    return this.ledger.claim;
  }

  get isWarm(): boolean {
    if (this.#loadedOf !== this.ledger.view) {
      this.#loadedOf = this.ledger.view;
      this.#isLoaded = this.model === undefined || this.ledger.view.loaded.has(this.model);
    }
    return this.#isLoaded || this.inFlightOfModel > 0;
  }
}

/** For how long a backend is kept for the model that it served last. */
export interface StickyWindow {
  readonly model: ModelName;
  readonly untilMs: number;
}

export class Ledger {
  readonly kind = 'backend';
  readonly id: BackendId;
  /** Place in the configuration. */
  readonly order: number;
  /** End of the sticky window or of the first lingering request, or what is due for a process. */
  readonly alarm: Alarm<Owner> = createAlarm<Owner>(this);
  /** By the name clients use; undefined = requests without a model. Empty when the backend left the configuration. */
  readonly seats = new Map<ModelName | undefined, Seat>();
  /** Permits and lingering requests by canonical model. */
  readonly running = new Map<ModelName, number>();
  view: BackendView;
  /** False after the backend left the configuration; the book stays open until its last permit is released. */
  present = true;
  /** Only of a backend that is a process. */
  book: ProcessBook | undefined = undefined;
  inFlight = 0;
  /** Granted requests that take no slot. */
  slotless = 0;
  foreign = 0;
  /** In order of `fromMs`. */
  lingering: Lingering[] = [];
  claim: LaneClaim | undefined;
  /** Kept by the fleet: live, and with a free slot where that is asked for. */
  ready = false;
  /** What policies say of it whatever the model and the request: kept by ratings.ts as long as it has these stamps. */
  refusalStamp = -1;
  refusal = 0;
  scoresStamp = -1;
  scores: readonly number[] = [];
  readonly #grants = new RecentTimes();
  readonly #releases = new RecentTimes();
  #changes = 0;
  #readingMs = -Infinity;
  #servesSeveral = false;
  #sticky: StickyWindow | undefined;

  constructor(view: BackendView, order: number) {
    this.id = view.id;
    this.order = order;
    this.view = view;
  }

  /** Another one after every change that policies can see; of a process they see no more than whether it is closing. */
  get stamp(): number {
    return 2 * this.#changes + (this.book?.isClosing === true ? 1 : 0);
  }

  get sticky(): StickyWindow | undefined {
    return this.#sticky;
  }

  set sticky(window: StickyWindow | undefined) {
    this.#sticky = window;
    this.touch();
  }

  get free(): number {
    return this.view.slotsTotal - this.inFlight - this.lingering.length - this.foreign;
  }

  get isHealthy(): boolean {
    return (
      this.present &&
      (this.view.state === 'live' || this.view.state === 'degraded') &&
      (this.book === undefined || this.book.phase === 'ready')
    );
  }

  /** Serves several models, so that one may have to make room for another. */
  get swaps(): boolean {
    return this.#servesSeveral;
  }

  get isIdle(): boolean {
    return this.inFlight === 0 && this.lingering.length === 0;
  }

  /** Stopping it would cut somebody off, or waste what the engine works at. */
  get isServing(): boolean {
    return !this.isIdle || this.slotless > 0;
  }

  /** What was said of it is not valid any more. */
  touch(): void {
    this.#changes += 1;
  }

  /** Takes in a new view. `isAnew`: what was known of its process is void. */
  show(view: BackendView, isAnew: boolean): void {
    this.view = view;
    this.touch();
    if (isAnew || view.process === undefined) this.book = undefined;
    if (view.process === undefined) return;
    this.book ??= new ProcessBook();
    this.book.read(view);
  }

  /** Replaces the seats by those of the view; none when the backend is gone. */
  reseat(): void {
    this.seats.clear();
    this.#servesSeveral = false;
    if (!this.present) return;
    this.seats.set(undefined, new Seat(this, undefined));
    for (const [name, canonical] of this.view.models) this.seats.set(name, new Seat(this, canonical));
    this.#servesSeveral = new Set(this.view.models.values()).size > 1;
    if (!this.#servesSeveral) this.sticky = undefined;
  }

  take(model: ModelName | undefined, nowMs: number): void {
    this.touch();
    this.inFlight += 1;
    this.#grants.push(nowMs, this.#requestsMax);
    if (model !== undefined) this.running.set(model, (this.running.get(model) ?? 0) + 1);
  }

  release(model: ModelName | undefined, nowMs: number): void {
    this.touch();
    this.#releases.push(nowMs, this.#requestsMax);
    this.inFlight -= 1;
    this.#stopped(model);
  }

  /** A permit ends, its slot stays taken. */
  linger(lingering: Lingering): void {
    this.touch();
    this.inFlight -= 1;
    this.lingering.push(lingering);
  }

  /** Ends those whose time is over and returns them. */
  expireLingering(nowMs: number): readonly Lingering[] {
    this.touch();
    const over = this.lingering.filter((one) => one.untilMs <= nowMs);
    if (over.length > 0) this.lingering = this.lingering.filter((one) => one.untilMs > nowMs);
    for (const one of over) this.#stopped(one.model);
    return over;
  }

  /**
   * Takes in the engine's own count and returns the lingering requests that it shows to be over. What happened since
   * the probe was sent may or may not be in it, so both bounds of the own share are used: foreign is what is certainly
   * not ours, lingering is over when there is certainly no room for it.
   */
  read(reading: SlotReading | undefined): readonly Lingering[] {
    this.touch();
    if (reading === undefined) {
      this.foreign = 0;
      return [];
    }
    if (reading.probeStartedMs <= this.#readingMs) return [];
    this.#readingMs = reading.probeStartedMs;
    const ownMin = Math.max(0, this.inFlight - this.#grants.countSince(reading.probeStartedMs));
    const ownMax = this.inFlight + this.#releases.countSince(reading.probeStartedMs);
    this.foreign = Math.max(0, reading.busy - ownMax - this.lingering.length);
    const known = this.lingering.filter((one) => one.fromMs < reading.probeStartedMs).length;
    const newer = this.lingering.length - known;
    const kept = Math.min(known, Math.max(0, reading.busy - ownMin - newer));
    const over = this.lingering.splice(0, known - kept);
    for (const one of over) this.#stopped(one.model);
    return over;
  }

  /** Forgets everything that an engine which was away cannot hold any more; permits stay. Returns what lingered. */
  reset(): readonly Lingering[] {
    this.touch();
    const over = this.lingering;
    this.lingering = [];
    for (const one of over) this.#stopped(one.model);
    this.foreign = 0;
    this.sticky = undefined;
    this.#readingMs = -Infinity;
    this.#releases.clear();
    this.#grants.clear();
    return over;
  }

  /** More than there are slots where slots are soft. */
  get #requestsMax(): number {
    return Math.max(this.view.slotsTotal, this.inFlight);
  }

  #stopped(model: ModelName | undefined): void {
    if (model === undefined) return;
    const count = this.running.get(model) ?? 0;
    if (count > 1) this.running.set(model, count - 1);
    else this.running.delete(model);
  }
}
