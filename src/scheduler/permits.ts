/**
 * Books permits in and out of the ledgers: each is taken once and released once. Owns the counts per model, sticky
 * windows and lingering; puts what became free on the agenda.
 */
import { EventRate } from '../base/event-rate.ts';
import type { ModelName } from '../domain/ids.ts';
import type { Agenda } from './agenda.ts';
import type { Entry } from './entry.ts';
import type { Fleet } from './fleet.ts';
import type { PromptReport } from '../domain/prompt-chain.ts';
import type { Ledger, Lingering } from './ledger.ts';
import type { Choice } from './placement.ts';
import type { PromptCaches } from './prompt-caches.ts';
import { PromptSlots } from './prompt-slots.ts';
import type { ServedModel } from './served-model.ts';
import type { SchedulerSettings } from './settings.ts';
import type { Timetable } from './timetable.ts';

/** How far back released slots tell how fast the queue moves. */
const releaseWindowMs = 60_000;

export interface PermitsOptions {
  readonly settings: SchedulerSettings;
  readonly fleet: Fleet;
  readonly agenda: Agenda;
  readonly timetable: Timetable;
  readonly prompts: PromptCaches;
}

export class Permits {
  readonly #fleet: Fleet;
  readonly #agenda: Agenda;
  readonly #timetable: Timetable;
  readonly #prompts: PromptCaches;
  readonly #slots: PromptSlots;
  readonly #releases = new EventRate(releaseWindowMs);
  #settings: SchedulerSettings;

  constructor(options: PermitsOptions) {
    this.#settings = options.settings;
    this.#fleet = options.fleet;
    this.#agenda = options.agenda;
    this.#timetable = options.timetable;
    this.#prompts = options.prompts;
    this.#slots = new PromptSlots(options.settings);
  }

  configure(settings: SchedulerSettings): void {
    this.#settings = settings;
    this.#slots.configure(settings);
  }

  take(entry: Entry, { seat, model: servedModel }: Choice, nowMs: number): void {
    const { ledger, model } = seat;
    if (!ledger.isServing) ledger.book?.habits.began(nowMs);
    entry.attempt += 1;
    entry.permit = { ledger, model, servedModel, epoch: ledger.view.epoch };
    servedModel.permits += 1;
    if (entry.request.slotless) ledger.slotless += 1;
    else {
      const { prompt } = entry.request;
      entry.sent = prompt === undefined ? undefined : this.#prompts.sent(seat, prompt);
      entry.slot = this.#slots.take(ledger, entry.request);
      ledger.take(model, nowMs);
      servedModel.inFlight += 1;
      this.#fleet.refresh(ledger);
    }
    if (ledger.book !== undefined) this.#timetable.armLedger(ledger);
  }

  /**
   * `lingers`: the engine goes on with it, so its slot stays taken for now. `prompt`: it has read the prompt. Does nothing
   * without a permit.
   */
  release(
    entry: Entry,
    end: { readonly lingers: boolean; readonly prompt?: PromptReport | undefined },
    nowMs: number,
  ): void {
    const { permit } = entry;
    if (permit === undefined) return;
    entry.permit = undefined;
    if (entry.sent !== undefined) this.#prompts.ended(entry.sent, end.prompt);
    entry.sent = undefined;
    const { slot } = entry;
    entry.slot = undefined;
    const { ledger, model, servedModel } = permit;
    servedModel.permits -= 1;
    if (servedModel.name !== undefined && this.#settings.admissionLimits.has(servedModel.name)) {
      servedModel.ends ??= new EventRate(releaseWindowMs);
      servedModel.ends.record(nowMs);
    }
    if (entry.request.slotless) {
      ledger.slotless -= 1;
      this.#fleet.refresh(ledger);
      this.#fleet.forgetIfUnused(servedModel);
      return this.#rested(ledger, nowMs);
    }
    const { lingerMsMax } = this.#settings;
    if (end.lingers && lingerMsMax > 0 && ledger.present && permit.epoch === ledger.view.epoch) {
      ledger.linger({ model, servedModel, slot, fromMs: nowMs, untilMs: nowMs + lingerMsMax });
      return this.#timetable.armLedger(ledger);
    }
    if (slot !== undefined) this.#slots.release(slot, end.prompt !== undefined);
    ledger.release(model, nowMs);
    this.#uncount(servedModel);
    this.#freed(ledger, model, nowMs);
  }

  /** Lingering requests that the ledger has dropped already are over. */
  lingeringEnded(ledger: Ledger, over: readonly Lingering[], nowMs: number): void {
    for (const { model, servedModel, slot } of over) {
      if (slot !== undefined) this.#slots.release(slot, false);
      this.#uncount(servedModel);
      this.#freed(ledger, model, nowMs);
    }
  }

  /** The backend's alarm went off: its sticky window or the time of a lingering request may be over. */
  expire(ledger: Ledger, nowMs: number): void {
    if (ledger.sticky !== undefined && ledger.sticky.untilMs <= nowMs) ledger.sticky = undefined;
    this.lingeringEnded(ledger, ledger.expireLingering(nowMs), nowMs);
    this.#timetable.armLedger(ledger);
    this.#agenda.addLedger(ledger);
  }

  /** Whether as many requests of a model are in flight as may be. */
  isAtLimit(model: ServedModel): boolean {
    const limit = model.name === undefined ? undefined : this.#settings.modelLimits.get(model.name);
    return limit !== undefined && model.inFlight >= limit;
  }

  /** Whether a model has as many requests, waiting ones included, as it may have. */
  isFull(name: ModelName | undefined): boolean {
    const { admissionLimits } = this.#settings;
    const limit = name === undefined || admissionLimits.size === 0 ? undefined : admissionLimits.get(name);
    if (limit === undefined) return false;
    const model = this.#fleet.model(name);
    return model.permits + model.waiting >= limit;
  }

  /** When the next request of a model that may be full is likely to end; undefined = no idea. */
  nextEndMs(model: ServedModel, nowMs: number): number | undefined {
    const perMs = model.ends?.perMs(nowMs);
    return perMs === undefined ? undefined : 1 / perMs;
  }

  /** When so many waiting requests are likely to be served, by the recent rate of releases; undefined = no idea. */
  estimateMs(queued: number, nowMs: number): number | undefined {
    const perMs = this.#releases.perMs(nowMs);
    return perMs === undefined ? undefined : queued / perMs;
  }

  #uncount(model: ServedModel): void {
    if (this.isAtLimit(model)) this.#agenda.models.add(model);
    model.inFlight -= 1;
    this.#fleet.forgetIfUnused(model);
  }

  #freed(ledger: Ledger, model: ModelName | undefined, nowMs: number): void {
    this.#releases.record(nowMs);
    this.#stick(ledger, model, nowMs);
    this.#rested(ledger, nowMs);
    this.#timetable.armLedger(ledger);
    this.#fleet.refresh(ledger);
    this.#agenda.addLedger(ledger);
  }

  /** An idle process may go, and its time to live begins. */
  #rested(ledger: Ledger, nowMs: number): void {
    if (ledger.book === undefined || ledger.isServing) return;
    ledger.book.idleFromMs = nowMs;
    ledger.book.habits.rested(nowMs);
    this.#timetable.armLedger(ledger);
    this.#agenda.swaps = true;
  }

  #stick(ledger: Ledger, model: ModelName | undefined, nowMs: number): void {
    const { stickyDelayMs } = this.#settings;
    if (!ledger.isIdle || !ledger.swaps || model === undefined || stickyDelayMs <= 0) return;
    const { claim } = ledger;
    if (claim?.windowUsed === true) return;
    if (claim !== undefined) claim.windowUsed = true;
    ledger.sticky = { model, untilMs: nowMs + stickyDelayMs };
  }
}
