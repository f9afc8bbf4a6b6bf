/**
 * Works off the agenda: grants, loads and unloads until nothing more is possible. Afterwards nobody who waits is
 * placeable and the agenda is empty.
 */
import type { Agenda } from './agenda.ts';
import type { Claims } from './claims.ts';
import type { Lane } from './entry.ts';
import type { Fleet } from './fleet.ts';
import type { Ledger } from './ledger.ts';
import { nextTurnOn } from './next-turn.ts';
import type { Placement } from './placement.ts';
import type { Queue } from './queue.ts';
import type { Requests } from './requests.ts';
import type { Reviews } from './reviews.ts';
import type { ServedModel } from './served-model.ts';
import type { SchedulerSettings } from './settings.ts';
import type { Swaps } from './swaps.ts';

export interface ServingOptions {
  readonly settings: SchedulerSettings;
  readonly fleet: Fleet;
  readonly agenda: Agenda;
  readonly queue: Queue;
  readonly placement: Placement;
  readonly requests: Requests;
  readonly reviews: Reviews;
  readonly claims: Claims;
  readonly swaps: Swaps;
}

export class Serving {
  readonly #fleet: Fleet;
  readonly #agenda: Agenda;
  readonly #queue: Queue;
  readonly #placement: Placement;
  readonly #requests: Requests;
  readonly #reviews: Reviews;
  readonly #claims: Claims;
  readonly #swaps: Swaps;
  #settings: SchedulerSettings;

  constructor(options: ServingOptions) {
    this.#settings = options.settings;
    this.#fleet = options.fleet;
    this.#agenda = options.agenda;
    this.#queue = options.queue;
    this.#placement = options.placement;
    this.#requests = options.requests;
    this.#reviews = options.reviews;
    this.#claims = options.claims;
    this.#swaps = options.swaps;
  }

  configure(settings: SchedulerSettings): void {
    this.#settings = settings;
  }

  settle(nowMs: number): void {
    for (;;) {
      this.#serveAll(nowMs);
      if (this.#agenda.shape) {
        this.#agenda.shape = false;
        this.#reviews.reviewLanes(nowMs);
      } else if (this.#agenda.swaps) {
        this.#agenda.swaps = false;
        this.#swaps.advance(nowMs);
      } else return;
    }
  }

  /** Grants until nobody who waits is placeable. */
  #serveAll(nowMs: number): void {
    const { ledgers, models } = this.#agenda;
    while (!this.#agenda.isEmpty) {
      const isAlone = ledgers.size === 1 && models.size === 0;
      for (const ledger of ledgers) {
        ledgers.delete(ledger);
        this.#fill(ledger, isAlone, nowMs);
      }
      for (const model of models) {
        models.delete(model);
        this.#serve(model, nowMs);
      }
    }
  }

  /** Gives what room a backend has to those whose turn it is. `isAlone`: nothing else changed. */
  #fill(ledger: Ledger, isAlone: boolean, nowMs: number): void {
    if (this.#queue.slotless > 0 && ledger.isHealthy) {
      for (const name of ledger.seats.keys()) this.#serve(this.#fleet.model(name), nowMs);
    }
    const context = {
      ledger,
      queue: this.#queue,
      placement: this.#placement,
      settings: this.#settings,
      nowMs,
    };
    while (ledger.ready && this.#queue.size > 0) {
      const next = nextTurnOn(context);
      if (next === undefined) break;
      const { entry, seat, model, overtaken } = next;
      // When nothing changed elsewhere, it can go nowhere else.
      const choice = isAlone
        ? this.#placement.choose([seat], entry, model, nowMs)
        : this.#placement.place(entry, model, nowMs);
      if (choice === undefined) break;
      for (const passed of overtaken) passed.overtaken += 1;
      this.#requests.grant(entry, choice, { overtook: overtaken.length, nowMs });
    }
    this.#claims.offer(ledger, nowMs);
  }

  /** Grants whoever of a model is placeable anywhere. */
  #serve(model: ServedModel, nowMs: number): void {
    const stuck = new Set<Lane>();
    for (;;) {
      const first = model.firstWaiting(stuck);
      if (first?.lane === undefined) break;
      const choice = this.#placement.place(first, model, nowMs);
      if (choice === undefined) stuck.add(first.lane);
      else this.#requests.grant(first, choice, { overtook: 0, nowMs });
    }
    if (stuck.size > 0) this.#reviews.reviewClaims(nowMs);
  }
}
