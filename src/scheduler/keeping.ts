/**
 * Which processes are kept for a while although others wait for their place: idle ones that are likely to be wanted again
 * soon, as long as nobody is served too late for it, and busy ones that were loaded only just now. Owns that decision and its
 * bounds; what is swapped is decided in swaps.ts.
 */
import type { Lane } from './entry.ts';
import type { Fleet } from './fleet.ts';
import type { Ledger } from './ledger.ts';
import { loadable } from './servability.ts';
import type { SchedulerSettings } from './settings.ts';
import { hostOf } from './swap.ts';
import type { Swap } from './swap.ts';
import type { Timetable } from './timetable.ts';
import { WaitingLine } from './waiting-line.ts';

/**
 * A process has its turn for this many times its load after that, whoever has lost patience: with a shorter one for each of
 * many models, loads would fill the time.
 */
const turnInLoads = 2;

export class Keeping {
  readonly #fleet: Fleet;
  readonly #timetable: Timetable;
  readonly #line = new WaitingLine();
  /** In somebody's way, and not to be taken yet. */
  readonly #kept = new Set<Ledger>();
  #settings: SchedulerSettings;

  constructor(options: { settings: SchedulerSettings; fleet: Fleet; timetable: Timetable }) {
    this.#settings = options.settings;
    this.#fleet = options.fleet;
    this.#timetable = options.timetable;
  }

  get isKeeping(): boolean {
    return this.#kept.size > 0;
  }

  configure(settings: SchedulerSettings): void {
    this.#settings = settings;
  }

  /** Begins anew, with these lanes that wait for a load, in the order of their turns: their processes are wanted. */
  begin(lanes: readonly Lane[], swaps: ReadonlyMap<Ledger, Swap>, nowMs: number): void {
    for (const ledger of this.#kept) this.#keepUntil(ledger, Infinity);
    this.#kept.clear();
    for (const lane of lanes) {
      const { first } = lane.entries;
      if (first === undefined) continue;
      for (const { book } of loadable(first, lane.model)) book?.habits.wanted(lane.hungryFromMs);
    }
    const { processes } = this.#fleet;
    this.#line.update({ lanes, swaps, processes, share: this.#settings.swapHold, nowMs });
  }

  /** Whether one of these idle processes had better stay for now; it asks for an alarm then. `isLate`: for who lost patience. */
  keepsOneOf(victims: readonly Ledger[], isLate: boolean, nowMs: number): boolean {
    return victims.filter((victim) => this.#keeps(victim, isLate, nowMs)).length > 0;
  }

  /** Whether all of these have run for long enough since their load; those that have not ask for an alarm. */
  haveHadTheirTurns(victims: readonly Ledger[], nowMs: number): boolean {
    const inTurn = victims.filter((victim) => nowMs < turnEndMs(victim));
    for (const victim of inTurn) this.#keepUntil(victim, turnEndMs(victim));
    return inTurn.length === 0;
  }

  #keeps(ledger: Ledger, isLate: boolean, nowMs: number): boolean {
    const { book } = ledger;
    if (book === undefined || this.#settings.swapHold <= 0) return false;
    const { habits, idleFromMs } = book;
    const host = hostOf(ledger);
    const untilMs = Math.min(
      idleFromMs + habits.keptForMs(nowMs - idleFromMs, this.#line.waitingOn(host)),
      // Whoever comes is to be served by then, too.
      nowMs + this.#line.spareMs(host) - habits.workMs,
      isLate ? turnEndMs(ledger) : Infinity,
    );
    if (nowMs >= untilMs) return false;
    this.#keepUntil(ledger, untilMs);
    return true;
  }

  #keepUntil(ledger: Ledger, untilMs: number): void {
    const { book } = ledger;
    if (book === undefined) return;
    book.keptUntilMs = untilMs < Infinity ? Math.min(book.keptUntilMs, untilMs) : Infinity;
    if (untilMs < Infinity) this.#kept.add(ledger);
    this.#timetable.armLedger(ledger);
  }
}

function turnEndMs({ book }: Ledger): number {
  return (book?.load?.readyMs ?? -Infinity) + turnInLoads * (book?.habits.loadMs ?? 0);
}
