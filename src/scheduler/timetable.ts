/** When entries, lanes and backends are due, by the settings. Owns every alarm; what then happens is the scheduler's. */
import type { Claims } from './claims.ts';
import { Deadlines } from './deadlines.ts';
import type { Effects } from './effects.ts';
import type { Entry, Lane, Owner } from './entry.ts';
import type { Fleet } from './fleet.ts';
import type { Ledger } from './ledger.ts';
import type { SchedulerSettings } from './settings.ts';

export interface TimetableOptions {
  readonly settings: SchedulerSettings;
  readonly fleet: Fleet;
  readonly claims: Claims;
  readonly effects: Pick<Effects, 'wakeAt'>;
}

export class Timetable {
  readonly #deadlines = new Deadlines<Owner>();
  readonly #fleet: Fleet;
  readonly #claims: Claims;
  readonly #effects: Pick<Effects, 'wakeAt'>;
  #settings: SchedulerSettings;
  #wakeMs = Infinity;

  constructor(options: TimetableOptions) {
    this.#effects = options.effects;
    this.#settings = options.settings;
    this.#fleet = options.fleet;
    this.#claims = options.claims;
  }

  /** Alarms that are set stay as they are until they are armed again. */
  configure(settings: SchedulerSettings): void {
    this.#settings = settings;
  }

  /** For the next alarm, unless that is asked for already. `isAwake`: what was asked for has just come. */
  askForWakeUp(isAwake: boolean): void {
    const { nextMs } = this.#deadlines;
    if (nextMs === this.#wakeMs && !(isAwake && nextMs < Infinity)) return;
    this.#wakeMs = nextMs;
    this.#effects.wakeAt(nextMs);
  }

  /** Alarms set. */
  get size(): number {
    return this.#deadlines.size;
  }

  /** Whose alarm went off; it is not set any more. Undefined when nothing is due. */
  takeDue(nowMs: number): Owner | undefined {
    return this.#deadlines.takeDue(nowMs);
  }

  clear(owner: Entry | Lane): void {
    this.#deadlines.set(owner.alarm, Infinity);
  }

  armEntry(entry: Entry, lane: Lane): void {
    this.#deadlines.set(
      entry.alarm,
      Math.min(
        this.timeoutMs(entry),
        this.ageingMs(entry),
        this.deadEndMs(entry, lane),
        entry.awaitedUntilMs,
      ),
    );
  }

  armLane(lane: Lane, nowMs: number): void {
    const deadEndMs = (lane.deadFromMs ?? Infinity) + this.#settings.deadWaitMs;
    const patienceEndMs = this.#claims.isStarving(lane) ? Infinity : this.patienceEndMs(lane);
    const swapPatienceEndMs = lane.isCold ? lane.hungryFromMs + this.#settings.swapPatienceMs : Infinity;
    // Who came after the lane was dead, and waits for longer, has an alarm of their own.
    this.#deadlines.set(
      lane.alarm,
      Math.min(
        deadEndMs > nowMs ? deadEndMs : Infinity,
        patienceEndMs,
        swapPatienceEndMs > nowMs ? swapPatienceEndMs : Infinity,
      ),
    );
  }

  armLedger(ledger: Ledger): void {
    const lingeringMs = ledger.lingering[0]?.untilMs ?? Infinity;
    const stickyMs = ledger.sticky?.untilMs ?? Infinity;
    this.#deadlines.set(ledger.alarm, Math.min(stickyMs, lingeringMs, this.#processDueMs(ledger)));
  }

  /** When a process has not been used for its time to live; Infinity while it is in use. */
  ttlEndMs({ book, view, isServing, present }: Ledger): number {
    const ttlMs = view.process?.ttlMs ?? 0;
    const isUnused = book?.phase === 'ready' && present && !isServing;
    return isUnused && ttlMs > 0 ? book.idleFromMs + ttlMs : Infinity;
  }

  timeoutMs(entry: Entry): number {
    return entry.arrivedMs + this.#settings.queueTimeoutMs;
  }

  ageingMs(entry: Entry): number {
    const { priorityAgeingMs } = this.#settings;
    return priorityAgeingMs > 0 ? entry.ageingFromMs + priorityAgeingMs : Infinity;
  }

  /** When an entry has waited long enough for a lane that nobody live serves; Infinity while somebody does. */
  deadEndMs(entry: Entry, lane: Lane): number {
    if (lane.deadFromMs === undefined) return Infinity;
    return Math.max(lane.deadFromMs, entry.arrivedMs) + this.#settings.deadWaitMs;
  }

  /** Until when a lane lets other models go on, on backends that swap by themselves. */
  patienceEndMs(lane: Lane): number {
    const { modelAffinityBonusMs, stickyDelayMs } = this.#settings;
    return this.#fleet.swaps ? lane.hungryFromMs + modelAffinityBonusMs + stickyDelayMs : Infinity;
  }

  #processDueMs(ledger: Ledger): number {
    const { book, view, present } = ledger;
    if (book === undefined || !present) return Infinity;
    const retryMs = book.isBackingOff ? (view.process?.failure?.retryAtMs ?? Infinity) : Infinity;
    return Math.min(retryMs, book.unloadByMs ?? Infinity, book.keptUntilMs, this.ttlEndMs(ledger));
  }
}
