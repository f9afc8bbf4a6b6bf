/**
 * What filters and scorers say of a seat. Keeps the answers of those that look at the backend alone, so that a placement in
 * a large fleet asks only what its request is concerned with. Reads ledgers and changes nothing but what it keeps there.
 */
import type { BackendId } from '../domain/ids.ts';
import type { Seat } from './ledger.ts';
import { filters, scorers } from './policies/index.ts';
import { servesModel } from './policies/filters/serves-model.ts';
import type { Filter, PlacementContext, Scorer } from './policy.ts';
import type { SchedulerSettings } from './settings.ts';

export interface WeightedScorer {
  readonly scorer: Scorer;
  readonly weight: number;
}

/** What those scorers say of a seat that look at the backend alone. Replaced after each change of it, never changed. */
export interface BackendRating {
  readonly backend: BackendId;
  /** Without weights, in the order of the settings. */
  readonly scores: readonly number[];
  /** With weights. */
  readonly total: number;
}

/** A filter with its place among all, for a decision names the first one that refuses. */
export interface RankedFilter {
  readonly filter: Filter;
  readonly rank: number;
}

/** A model's seats are where it is served. */
const seatFilters: readonly Filter[] = filters.filter((filter) => filter !== servesModel);
const rankedFilters: readonly RankedFilter[] = seatFilters.map((filter, rank) => ({ filter, rank }));
const backendFilters = rankedFilters.filter(({ filter }) => filter.looksAt === 'backend');
const requestFilters = rankedFilters.filter(({ filter }) => filter.looksAt === 'request');
/** In place of a rank: nothing refuses it. */
const isAccepted = seatFilters.length;

export class Ratings {
  #scorers: readonly WeightedScorer[] = [];
  #backendScorers: readonly WeightedScorer[] = [];
  #requestScorers: readonly WeightedScorer[] = [];

  /** Throws when the settings name a scorer that does not exist. */
  constructor(settings: SchedulerSettings) {
    this.configure(settings);
  }

  /** Throws like the constructor, and keeps the old settings then. Every ledger has to be touched afterwards. */
  configure(settings: SchedulerSettings): void {
    this.#scorers = resolveScorers(settings);
    this.#backendScorers = this.#scorers.filter(({ scorer }) => scorer.looksAt === 'backend');
    this.#requestScorers = this.#scorers.filter(({ scorer }) => scorer.looksAt === 'request');
  }

  /** All that have a weight, in the order of the settings. */
  get scorers(): readonly WeightedScorer[] {
    return this.#scorers;
  }

  has(scorer: Scorer): boolean {
    return this.#scorers.some((one) => one.scorer === scorer);
  }

  accepts(seat: Seat, context: PlacementContext): boolean {
    return context.request.slotless
      ? refusing(seatFilters, seat, context) === undefined
      : this.isOpen(seat, requestFilters, context);
  }

  /** Those of the filters for requests that concern this one, to be asked for many seats. */
  filtersFor(context: PlacementContext): readonly RankedFilter[] {
    return requestFilters.filter(({ filter }) => filter.concerns?.(context) ?? true);
  }

  /** The same of the scorers. */
  scorersFor(context: PlacementContext): readonly WeightedScorer[] {
    return this.#requestScorers.filter(({ scorer }) => scorer.concerns?.(context) ?? true);
  }

  /** As `accepts`, for a request that takes a slot and by `filtersFor` it. */
  isOpen(seat: Seat, rules: readonly RankedFilter[], context: PlacementContext): boolean {
    if (backendRefusal(seat, context) !== isAccepted) return false;
    for (const { filter } of rules) if (!filter.accepts(seat, context)) return false;
    return true;
  }

  /** Which filter `isOpen` fails by, the first in the order of all; undefined = by none. */
  refusalBy(seat: Seat, rules: readonly RankedFilter[], context: PlacementContext): Filter | undefined {
    const refusal = backendRefusal(seat, context);
    for (const { filter, rank } of rules) {
      if (rank > refusal) break;
      if (!filter.accepts(seat, context)) return filter;
    }
    return seatFilters[refusal];
  }

  /** The first filter that refuses it; undefined = all accept it. Asks every one of them. */
  refusalOf(seat: Seat, context: PlacementContext): Filter | undefined {
    return refusing(seatFilters, seat, context);
  }

  /** Gives each seat its total, the weighted sum of all scores, for a request that takes a slot and by `scorersFor` it. */
  rate(seats: readonly Seat[], concerning: readonly WeightedScorer[], context: PlacementContext): void {
    for (const seat of seats) {
      seat.total = sumOf(concerning, seat, context) + this.ratingOf(seat, context).total;
    }
  }

  /** What does not depend on the request, as long as it takes a slot. */
  ratingOf(seat: Seat, context: PlacementContext): BackendRating {
    const { stamp } = seat;
    if (seat.rating === undefined || seat.ratingStamp !== stamp) {
      seat.ratingStamp = stamp;
      seat.rating = this.#rateBackend(seat, context);
    }
    return seat.rating;
  }

  /** The total of one, for any request. Asks every scorer. */
  totalAnew(seat: Seat, context: PlacementContext): number {
    return sumOf(this.#requestScorers, seat, context) + sumOf(this.#backendScorers, seat, context);
  }

  /** By scorer, without weights. Asks every one of them. */
  scoresOf(seat: Seat, context: PlacementContext): Readonly<Record<string, number>> {
    const scores: Record<string, number> = {};
    for (const { scorer } of this.#scorers) scores[scorer.name] = scorer.score(seat, context);
    return scores;
  }

  #rateBackend(seat: Seat, context: PlacementContext): BackendRating {
    const scores: number[] = [];
    let total = 0;
    for (const { scorer, weight } of this.#backendScorers) {
      const score = scorer.score(seat, context);
      scores.push(score);
      total += weight * score;
    }
    return { backend: seat.view.id, scores, total };
  }
}

/** The first of the filters that refuses a seat; undefined = none does. */
export function refusing(
  rules: readonly Filter[],
  seat: Seat,
  context: PlacementContext,
): Filter | undefined {
  for (const filter of rules) if (!filter.accepts(seat, context)) return filter;
  return undefined;
}

/** Rank of the first filter that refuses the backend whatever the request, or `isAccepted`. */
function backendRefusal(seat: Seat, context: PlacementContext): number {
  const { stamp } = seat;
  if (seat.refusalStamp !== stamp) {
    seat.refusalStamp = stamp;
    seat.refusal = isAccepted;
    for (const { filter, rank } of backendFilters) {
      if (filter.accepts(seat, context)) continue;
      seat.refusal = rank;
      break;
    }
  }
  return seat.refusal;
}

function sumOf(weighted: readonly WeightedScorer[], seat: Seat, context: PlacementContext): number {
  let sum = 0;
  for (const { scorer, weight } of weighted) sum += weight * scorer.score(seat, context);
  return sum;
}

function resolveScorers(settings: SchedulerSettings): readonly WeightedScorer[] {
  return settings.scorers.map(({ name, weight }) => {
    const scorer = scorers.find((one) => one.name === name);
    if (scorer === undefined) throw new Error(`No scorer is called '${name}'`);
    return { scorer, weight };
  });
}
