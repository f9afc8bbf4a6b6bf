/**
 * Where a request goes: filters, then weighted scorers, then a picker. Reads ledgers and changes none; the only state
 * of its own is the turns that pickers take.
 */
import type { Random } from '../base/random.ts';
import type { BackendId } from '../domain/ids.ts';
import type { CandidateTrace } from './decision.ts';
import type { Entry } from './entry.ts';
import type { Fleet } from './fleet.ts';
import type { Ledger, Seat } from './ledger.ts';
import { pickers } from './policies/index.ts';
import { servesModel } from './policies/filters/serves-model.ts';
import { prefixAffinity } from './policies/scorers/prefix-affinity.ts';
import { PlacementTrace } from './placement-trace.ts';
import type { ScorersAsked, WeightedScorer } from './placement-trace.ts';
import type { Filter, Picker, PickerState, PlacementContext, PromptContext } from './policy.ts';
import type { PromptCaches } from './prompt-caches.ts';
import { Ratings } from './ratings.ts';
import { hasTrusted } from './servability.ts';
import type { ServedModel } from './served-model.ts';
import type { Sessions } from './sessions.ts';
import type { SchedulerSettings } from './settings.ts';

export interface Choice {
  readonly seat: Seat;
  /** That of the request. */
  readonly model: ServedModel;
  readonly trace: PlacementTrace;
}

/** What is known of a request that is to be placed; what only scorers look at comes last. */
type Inquiry = { -readonly [Key in keyof PlacementContext]: PlacementContext[Key] };

/** What was asked of each seat. */
interface Asked {
  readonly model: ServedModel;
  readonly context: PlacementContext;
  readonly concerning: readonly WeightedScorer[];
}

const noScorers: ScorersAsked = { all: [], seat: [], request: [] };
const noScores: CandidateTrace['scores'] = {};

export interface PlacementOptions {
  readonly settings: SchedulerSettings;
  readonly fleet: Fleet;
  readonly sessions: Sessions;
  readonly prompts: PromptCaches;
  readonly random: Random;
}

export class Placement {
  readonly #fleet: Fleet;
  readonly #sessions: Sessions;
  readonly #prompts: PromptCaches;
  readonly #random: Random;
  #settings: SchedulerSettings;
  readonly #ratings: Ratings;
  #picker: Picker;

  /** Throws when the settings name a scorer or picker that does not exist. */
  constructor(options: PlacementOptions) {
    this.#fleet = options.fleet;
    this.#sessions = options.sessions;
    this.#prompts = options.prompts;
    this.#random = options.random;
    this.#settings = options.settings;
    this.#ratings = new Ratings(options.settings);
    this.#picker = resolvePicker(options.settings);
  }

  /** Throws like the constructor, and keeps the old settings then. */
  configure(settings: SchedulerSettings): void {
    const picker = resolvePicker(settings);
    this.#ratings.configure(settings);
    this.#picker = picker;
    this.#settings = settings;
  }

  /** Whether it matters where prompts are cached. */
  get ratesPrompts(): boolean {
    return this.#ratings.has(prefixAffinity);
  }

  /** Whether any prompt is believed to be cached there. */
  hasCached(seat: Seat): boolean {
    return this.#prompts.has(seat);
  }

  /** Whether it is likely to be there. */
  isCacheProven(seat: Seat): boolean {
    return this.#prompts.isProven(seat);
  }

  /** How much of its prompt an entry would find in the cache there. */
  cachedBytes(seat: Seat, { request: { prompt } }: Entry): number {
    return prompt === undefined ? 0 : this.#prompts.bytesAt(seat, prompt);
  }

  /** Enough for filters; `choose` adds what scorers want to know. */
  contextOf(entry: Entry, model: ServedModel, nowMs: number): Inquiry {
    return {
      request: entry.request,
      turn: entry,
      failedOn: entry.failedOn,
      nowMs,
      sessionBackend: undefined,
      awaited: entry.awaited,
      prompts: undefined,
      modelInFlight: model.inFlight,
      modelLimit: this.#limitOf(model),
      hasTrusted: this.#fleet.distrusts && hasTrusted(entry, model, this.#settings.queueMax > 0),
      slotsAreSoft: this.#settings.slotsAreSoft,
    };
  }

  accepts(seat: Seat, context: PlacementContext): boolean {
    return this.#ratings.accepts(seat, context);
  }

  /** The first filter that refuses it; undefined = none does. */
  refusalOf(seat: Seat, context: PlacementContext): Filter | undefined {
    return this.#ratings.refusalOf(seat, context);
  }

  /** Looks at the whole fleet. Undefined = the request has to wait. */
  place(entry: Entry, model: ServedModel, nowMs: number): Choice | undefined {
    const context = this.contextOf(entry, model, nowMs);
    if (entry.request.slotless) return this.#placeSlotless(model, context);
    const accepted: Seat[] = [];
    const rules = this.#ratings.filtersFor(context);
    const ready = this.#fleet.ready;
    if (ready.length < model.seats.length) {
      for (const ledger of ready) {
        const seat = model.seatOn(ledger);
        if (seat !== undefined && this.#ratings.isOpen(seat, rules, context)) accepted.push(seat);
      }
    } else {
      for (const seat of model.seats) {
        if (seat.ledger.ready && this.#ratings.isOpen(seat, rules, context)) accepted.push(seat);
      }
    }
    return accepted.length === 0 ? undefined : this.#choose(accepted, entry, model, context);
  }

  /** `accepted` passed every filter, in configuration order. */
  choose(accepted: readonly Seat[], entry: Entry, model: ServedModel, nowMs: number): Choice | undefined {
    return this.#choose(accepted, entry, model, this.contextOf(entry, model, nowMs));
  }

  #choose(accepted: readonly Seat[], entry: Entry, model: ServedModel, context: Inquiry): Choice | undefined {
    this.#addForScorers(context, accepted, entry);
    const concerning = this.#ratings.scorersFor(context);
    this.#ratings.rate(accepted, concerning, context);
    const seat = this.#picker.pick(accepted, this.#turnsOf(model), context);
    if (seat === undefined) return undefined;
    return { seat, model, trace: this.#trace(seat, accepted, { model, context, concerning }) };
  }

  #limitOf({ name }: ServedModel): number | undefined {
    const { modelLimits } = this.#settings;
    return name === undefined || modelLimits.size === 0 ? undefined : modelLimits.get(name);
  }

  #addForScorers(context: Inquiry, accepted: readonly Seat[], entry: Entry): void {
    context.sessionBackend = this.#sessions.backendOf(entry.request, context.nowMs);
    context.prompts = this.#promptsAt(accepted, entry);
  }

  /** Looked for only where a scorer asks. */
  #promptsAt(accepted: readonly Seat[], { request: { prompt } }: Entry): PromptContext | undefined {
    if (prompt === undefined || !this.ratesPrompts) return undefined;
    const cachedShares = new Map<BackendId, number>();
    let inFlight = 1;
    let slots = 0;
    for (const seat of accepted) {
      const share = this.#prompts.shareAt(seat, prompt);
      if (share > 0) cachedShares.set(seat.view.id, share);
      inFlight += seat.inFlight;
      slots += seat.view.slotsTotal;
    }
    return { cachedShares, usedShare: inFlight / slots, loadFactor: this.#settings.promptLoadFactor };
  }

  /** What `choose` would look at, full and dead backends left out by their filters; no turn is taken. */
  explain(entry: Entry, ledgers: Iterable<Ledger>, nowMs: number): readonly CandidateTrace[] {
    const model = this.#fleet.model(entry.request.model);
    const context = this.contextOf(entry, model, nowMs);
    const excluded: CandidateTrace[] = [];
    const accepted: Seat[] = [];
    for (const ledger of ledgers) {
      const seat = model.seatOn(ledger);
      const filter = seat === undefined ? servesModel : this.#ratings.refusalOf(seat, context);
      if (filter === undefined && seat !== undefined) accepted.push(seat);
      else excluded.push({ backend: ledger.id, excludedBy: filter?.name, score: 0, scores: noScores });
    }
    this.#fleet.forgetIfUnused(model);
    this.#addForScorers(context, accepted, entry);
    const rated = accepted.map((seat) => ({
      backend: seat.view.id,
      excludedBy: undefined,
      score: this.#ratings.totalAnew(seat, context),
      scores: this.#ratings.scoresOf(seat, context),
    }));
    return [...rated.toSorted((one, other) => other.score - one.score), ...excluded];
  }

  /** Turns over the live backends, those first that need not load the model for it. */
  #placeSlotless(model: ServedModel, context: PlacementContext): Choice | undefined {
    const { seats } = model;
    let found: Seat | undefined;
    for (let step = 0; step < seats.length; step += 1) {
      const seat = seats[(model.slotlessTurns + step) % seats.length];
      if (seat === undefined || !this.accepts(seat, context)) continue;
      found ??= seat;
      if (!seat.isWarm) continue;
      found = seat;
      break;
    }
    if (found === undefined) return undefined;
    model.slotlessTurns = seats.indexOf(found) + 1;
    const trace = new PlacementTrace('round-robin', noScorers);
    trace.addRated(found, context);
    return { seat: found, model, trace };
  }

  #turnsOf(model: ServedModel): PickerState {
    return {
      random: this.#random,
      nextTurn() {
        model.turns += 1;
        return model.turns - 1;
      },
    };
  }

  /** The winner, the others it was chosen from, then backends that were left out and why, while there is room. */
  #trace(winner: Seat, accepted: readonly Seat[], asked: Asked): PlacementTrace {
    const { model, context, concerning } = asked;
    const max = this.#settings.decisionCandidatesMax;
    const trace = this.#ratings.startTrace(this.#picker.name, concerning);
    trace.addRated(winner, context);
    for (const seat of accepted) {
      if (trace.size >= max) return trace;
      if (seat !== winner) trace.addRated(seat, context);
    }
    if (accepted.length === this.#fleet.backendsKnown) return trace;
    const rules = this.#ratings.filtersFor(context);
    for (const ledger of this.#fleet.ledgers) {
      if (trace.size >= max) return trace;
      if (!ledger.present) continue;
      const seat = model.seatOn(ledger);
      const filter = seat === undefined ? servesModel : this.#ratings.refusalBy(seat, rules, context);
      if (filter !== undefined) trace.addExcluded(ledger.id, filter);
    }
    return trace;
  }
}

function resolvePicker(settings: SchedulerSettings): Picker {
  const picker = pickers.find((one) => one.name === settings.picker);
  if (picker === undefined) throw new Error(`No picker is called '${settings.picker}'`);
  return picker;
}
