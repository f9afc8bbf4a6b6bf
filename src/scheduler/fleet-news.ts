/**
 * What follows from news of a backend, and from the wish to stop one: hands them to everybody concerned in the right
 * order. Owns no state.
 */
import type { BackendId } from '../domain/ids.ts';
import type { Agenda } from './agenda.ts';
import type { Fleet, FleetChange } from './fleet.ts';
import type { Ledger } from './ledger.ts';
import type { Permits } from './permits.ts';
import type { Processes } from './processes.ts';
import type { PromptCaches } from './prompt-caches.ts';
import type { Requests } from './requests.ts';
import type { Reviews } from './reviews.ts';
import { strandedBy } from './servability.ts';
import type { Swaps } from './swaps.ts';
import type { Timetable } from './timetable.ts';
import type { WaitingRoom } from './waiting-room.ts';

export interface FleetNewsOptions {
  readonly fleet: Fleet;
  readonly agenda: Agenda;
  readonly timetable: Timetable;
  readonly permits: Permits;
  readonly prompts: PromptCaches;
  readonly processes: Processes;
  readonly swaps: Swaps;
  readonly room: WaitingRoom;
  readonly requests: Requests;
  readonly reviews: Reviews;
}

export class FleetNews {
  readonly #parts: FleetNewsOptions;

  constructor(options: FleetNewsOptions) {
    this.#parts = options;
  }

  /** Undefined = nothing has changed. */
  follow(change: FleetChange | undefined, nowMs: number): void {
    if (change === undefined) return;
    const { ledger, shape, contexts, reset, over } = change;
    const { permits, prompts, timetable, room, reviews, agenda } = this.#parts;
    permits.lingeringEnded(ledger, over, nowMs);
    if (reset) ledger.sticky = undefined;
    prompts.follow(ledger, reset);
    timetable.armLedger(ledger);
    for (const model of contexts) room.sortAgain(model, nowMs);
    if (ledger.book !== undefined) this.#followProcess(change, nowMs);
    if (shape) reviews.reviewLanes(nowMs);
    agenda.addLedger(ledger);
    // What is trusted may have gone: then those that are not may be used again.
    for (const distrusted of this.#parts.fleet.distrusted) agenda.addLedger(distrusted);
  }

  /** `isWish`: for good, so that who waits for it alone is turned away; else its successor serves them. */
  stopProcess(id: BackendId, isWish: boolean, nowMs: number): void {
    const { fleet, swaps, processes } = this.#parts;
    const ledger = fleet.ledger(id);
    if (ledger?.book === undefined || !ledger.present) return;
    if (isWish) {
      this.#rejectWaiters(ledger, 'unloaded', nowMs);
      swaps.drop(ledger);
    }
    const waitMs = isWish ? (ledger.view.process?.unloadTimeoutMs ?? 0) : Infinity;
    if (ledger.book.phase === 'starting') processes.unload(ledger, 'requested');
    else processes.release(ledger, nowMs, waitMs);
  }

  #followProcess({ ledger, phaseBefore, loadFailed }: FleetChange, nowMs: number): void {
    this.#parts.processes.follow(ledger, phaseBefore, nowMs);
    if (loadFailed) this.#rejectWaiters(ledger, 'loadFailed', nowMs);
    this.#parts.swaps.follow(ledger, nowMs);
  }

  /** Turns away who waits for this backend and has no other to wait for. */
  #rejectWaiters(ledger: Ledger, reason: 'loadFailed' | 'unloaded', nowMs: number): void {
    for (const entry of strandedBy(ledger, this.#parts.fleet)) {
      this.#parts.requests.reject(entry, reason, nowMs);
    }
  }
}
