/**
 * Which processes are kept for a while although others wait for their place: idle ones that are likely to be wanted again
 * soon, so that a swap away and back would cost more than the wait, and busy ones that were loaded only just now. Owns that
 * decision and its bounds; what is swapped is decided in swaps.ts.
 */
import type { Lane } from './entry.ts';
import type { Waiting } from './habits.ts';
import type { Ledger } from './ledger.ts';
import { loadable } from './servability.ts';
import type { SchedulerSettings } from './settings.ts';
import type { Timetable } from './timetable.ts';

/**
 * A busy process drains for those who lost patience no sooner than this many times its load after that: with a turn for each
 * of many models, loads would fill the time.
 */
const turnInLoads = 2;

export class Keeping {
  readonly #timetable: Timetable;
  /** In somebody's way, and kept at least once since. */
  readonly #kept = new Set<Ledger>();
  #settings: SchedulerSettings;

  constructor(options: { settings: SchedulerSettings; timetable: Timetable }) {
    this.#settings = options.settings;
    this.#timetable = options.timetable;
  }

  get isKeeping(): boolean {
    return this.#kept.size > 0;
  }

  configure(settings: SchedulerSettings): void {
    this.#settings = settings;
  }

  /** Lanes that wait for a load: their processes are wanted. */
  notice(lanes: Iterable<Lane>): void {
    for (const lane of lanes) {
      const { first } = lane.entries;
      if (first === undefined) continue;
      for (const { book } of loadable(first, lane.model)) book?.habits.wanted(lane.hungryFromMs);
    }
  }

  /** Whether one of these idle processes had better stay for now; it asks for an alarm then. */
  keepsOneOf(victims: readonly Ledger[], waiting: Waiting, nowMs: number): boolean {
    return victims.filter((victim) => this.#keeps(victim, waiting, nowMs)).length > 0;
  }

  /** Whether all of these have run for long enough since their load; those that have not ask for an alarm. */
  haveHadTheirTurns(victims: readonly Ledger[], nowMs: number): boolean {
    return victims.filter((victim) => this.#isInItsTurn(victim, nowMs)).length === 0;
  }

  /** Those that stand in nobody's way begin anew when they do. */
  release(inTheWay: ReadonlySet<Ledger>): void {
    for (const ledger of this.#kept) {
      if (inTheWay.has(ledger)) continue;
      this.#kept.delete(ledger);
      if (ledger.book !== undefined) ledger.book.keptFromMs = undefined;
      this.#keepUntil(ledger, Infinity);
    }
  }

  #isInItsTurn(ledger: Ledger, nowMs: number): boolean {
    const { habits, load } = ledger.book ?? {};
    const endMs = (load?.readyMs ?? -Infinity) + turnInLoads * (habits?.loadMs ?? 0);
    if (nowMs >= endMs) return false;
    this.#keepUntil(ledger, endMs);
    return true;
  }

  #keeps(ledger: Ledger, waiting: Waiting, nowMs: number): boolean {
    const { book } = ledger;
    if (book === undefined || this.#settings.swapHold <= 0) return false;
    const { habits, idleFromMs } = book;
    const keptForMs = habits.keptForMs(nowMs - idleFromMs, waiting);
    if (keptForMs === 0) return false;
    book.keptFromMs ??= nowMs;
    const boundMs = book.keptFromMs + this.#settings.swapHold * (habits.loadMs ?? 0);
    const untilMs = Math.min(idleFromMs + keptForMs, boundMs);
    if (nowMs >= untilMs) return false;
    this.#keepUntil(ledger, untilMs);
    return true;
  }

  #keepUntil(ledger: Ledger, untilMs: number): void {
    if (untilMs < Infinity) this.#kept.add(ledger);
    if (ledger.book !== undefined) ledger.book.keptUntilMs = untilMs;
    this.#timetable.armLedger(ledger);
  }
}
