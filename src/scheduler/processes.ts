/**
 * Asks processes to start and to stop: for a swap, after their time to live, or by somebody's wish. Owns the numbers of
 * loads and who is to stop when it is idle; what is loaded in place of what is decided in swaps.ts.
 */
import type { Agenda } from './agenda.ts';
import type { Effects, UnloadReason } from './effects.ts';
import type { Fleet } from './fleet.ts';
import type { Ledger } from './ledger.ts';
import type { Phase } from './process-book.ts';
import type { Timetable } from './timetable.ts';

export class Processes {
  readonly #fleet: Fleet;
  readonly #agenda: Agenda;
  readonly #timetable: Timetable;
  readonly #effects: Effects;
  /** Over all processes, so that no number is used twice for a backend that leaves and comes back. */
  #generation = 0;

  constructor(options: { fleet: Fleet; agenda: Agenda; timetable: Timetable; effects: Effects }) {
    this.#fleet = options.fleet;
    this.#agenda = options.agenda;
    this.#timetable = options.timetable;
    this.#effects = options.effects;
  }

  load(ledger: Ledger): void {
    this.#generation += 1;
    ledger.book?.loadAsked(this.#generation);
    this.#changed(ledger);
    this.#effects.load(ledger.id, this.#generation);
  }

  unload(ledger: Ledger, reason: UnloadReason): void {
    ledger.book?.unloadAsked();
    this.#changed(ledger);
    this.#effects.unload(ledger.id, reason);
  }

  /** After a new view; `before` is the phase until then, undefined when the backend is new. */
  follow(ledger: Ledger, before: Phase | undefined, nowMs: number): void {
    const book = ledger.book;
    const known = ledger.view.process;
    if (book === undefined || known === undefined) return;
    this.#generation = Math.max(this.#generation, known.generation);
    if (book.phase === 'ready' && before !== 'ready') book.idleFromMs = nowMs;
    const { failure } = known;
    book.isBackingOff = book.phase === 'stopped' && failure !== undefined && nowMs < failure.retryAtMs;
    this.#timetable.armLedger(ledger);
    this.#agenda.swaps = true;
  }

  /** Somebody wants a ready process stopped: at once when it is idle, at the latest `waitMs` from now. */
  release(ledger: Ledger, nowMs: number, waitMs: number): void {
    const { book } = ledger;
    if (book?.phase !== 'ready') return;
    book.unloadByMs = Math.min(book.unloadByMs ?? Infinity, nowMs + waitMs);
    if (ledger.isServing && nowMs < book.unloadByMs) this.#changed(ledger);
    else this.unload(ledger, 'requested');
  }

  /** Those who were to stop when they are idle, and are. */
  unloadIdle(): void {
    for (const ledger of this.#fleet.processes) {
      if (ledger.book?.unloadByMs !== undefined && !ledger.isServing && ledger.present) {
        this.unload(ledger, 'requested');
      }
    }
  }

  /** The backend's alarm went off. */
  expire(ledger: Ledger, nowMs: number): void {
    const { book, view } = ledger;
    if (book === undefined) return;
    if (book.isBackingOff && nowMs >= (view.process?.failure?.retryAtMs ?? 0)) {
      book.isBackingOff = false;
      this.#agenda.swaps = true;
    } else if (nowMs >= book.keptUntilMs) {
      book.keptUntilMs = Infinity;
      this.#agenda.swaps = true;
    } else if (nowMs >= (book.unloadByMs ?? Infinity)) this.unload(ledger, 'requested');
    else if (nowMs >= this.#timetable.ttlEndMs(ledger)) this.unload(ledger, 'ttl');
    this.#timetable.armLedger(ledger);
  }

  #changed(ledger: Ledger): void {
    this.#fleet.refresh(ledger);
    this.#timetable.armLedger(ledger);
    this.#agenda.shape = true;
    this.#agenda.swaps = true;
  }
}
