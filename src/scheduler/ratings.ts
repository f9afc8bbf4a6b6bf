/**
 * What filters and scorers say of a seat. Keeps the answers of those that do not look at the request, so that a placement
 * in a large fleet asks only what its request is concerned with. Reads ledgers and changes nothing but what it keeps there.
 */
import type { Seat } from './ledger.ts';
import { PlacementTrace } from './placement-trace.ts';
import type { WeightedScorer } from './placement-trace.ts';
import { filters, scorers } from './policies/index.ts';
import { servesModel } from './policies/filters/serves-model.ts';
import type { Filter, PlacementContext, Scorer } from './policy.ts';
import type { SchedulerSettings } from './settings.ts';

/** A filter with its place among all, for a decision names the first one that refuses. */
export interface RankedFilter {
  readonly filter: Filter;
  readonly rank: number;
}

/** A model's seats are where it is served. */
const placeFilters: readonly Filter[] = filters.filter((filter) => filter !== servesModel);
const rankedFilters: readonly RankedFilter[] = placeFilters.map((filter, rank) => ({ filter, rank }));
const backendFilters = rankedFilters.filter(({ filter }) => filter.looksAt === 'backend');
const seatFilters = rankedFilters.filter(({ filter }) => filter.looksAt === 'seat');
const requestFilters = rankedFilters.filter(({ filter }) => filter.looksAt === 'request');
/** Those that hardly any request concerns, and the others. */
const rareFilters = requestFilters.filter(({ filter }) => filter.concerns !== undefined);
const plainFilters = requestFilters.filter(({ filter }) => filter.concerns === undefined);
const noScorers: readonly WeightedScorer[] = [];
/** In place of a rank, after all of them. */
const notRefused = placeFilters.length;

export class Ratings {
  #scorers: readonly WeightedScorer[] = [];
  #backendScorers: readonly WeightedScorer[] = [];
  /** Those for backends and for seats, in the order of the settings. */
  #lastingScorers: readonly WeightedScorer[] = [];
  #seatScorers: readonly WeightedScorer[] = [];
  #requestScorers: readonly WeightedScorer[] = [];

  /** Throws when the settings name a scorer that does not exist. */
  constructor(settings: SchedulerSettings) {
    this.configure(settings);
  }

  /** Throws like the constructor, and keeps the old settings then. Every ledger has to be touched afterwards. */
  configure(settings: SchedulerSettings): void {
    this.#scorers = resolveScorers(settings);
    this.#backendScorers = this.#scorers.filter(({ scorer }) => scorer.looksAt === 'backend');
    this.#lastingScorers = this.#scorers.filter(({ scorer }) => scorer.looksAt !== 'request');
    this.#seatScorers = this.#scorers.filter(({ scorer }) => scorer.looksAt === 'seat');
    this.#requestScorers = this.#scorers.filter(({ scorer }) => scorer.looksAt === 'request');
  }

  has(scorer: Scorer): boolean {
    return this.#scorers.some((one) => one.scorer === scorer);
  }

  accepts(seat: Seat, context: PlacementContext): boolean {
    return context.request.slotless
      ? refusing(placeFilters, seat, context) === undefined
      : this.isOpen(seat, requestFilters, context);
  }

  /** Those of the filters for requests that concern this one, to be asked for many seats. */
  filtersFor(context: PlacementContext): readonly RankedFilter[] {
    const isPlain = !rareFilters.some(({ filter }) => filter.concerns?.(context));
    return isPlain ? plainFilters : requestFilters;
  }

  /** The same of the scorers. */
  scorersFor(context: PlacementContext): readonly WeightedScorer[] {
    const isConcerned = ({ scorer }: WeightedScorer): boolean => scorer.concerns?.(context) ?? true;
    return this.#requestScorers.some(isConcerned) ? this.#requestScorers.filter(isConcerned) : noScorers;
  }

  /** As `accepts`, for a request that takes a slot and by `filtersFor` it. */
  isOpen(seat: Seat, rules: readonly RankedFilter[], context: PlacementContext): boolean {
    return seatRefusal(seat, context) === notRefused && firstRefusal(rules, seat, context) === notRefused;
  }

  /** Which filter `isOpen` fails by, the first in the order of all; undefined = by none. */
  refusalBy(seat: Seat, rules: readonly RankedFilter[], context: PlacementContext): Filter | undefined {
    const refusal = seatRefusal(seat, context);
    for (const { filter, rank } of rules) {
      if (rank > refusal) break;
      if (!filter.accepts(seat, context)) return filter;
    }
    return placeFilters[refusal];
  }

  /** The first filter that refuses it; undefined = all accept it. Asks every one of them. */
  refusalOf(seat: Seat, context: PlacementContext): Filter | undefined {
    return refusing(placeFilters, seat, context);
  }

  /** Gives each seat its total, the weighted sum of all scores, for a request that takes a slot and by `scorersFor` it. */
  rate(seats: readonly Seat[], concerning: readonly WeightedScorer[], context: PlacementContext): void {
    for (const seat of seats) {
      seat.total = sumOf(concerning, seat, context) + this.#lastingTotal(seat, context);
    }
  }

  /** For seats that were rated by these of the scorers for requests. */
  startTrace(picker: string, concerning: readonly WeightedScorer[]): PlacementTrace {
    return new PlacementTrace(picker, { all: this.#scorers, seat: this.#seatScorers, request: concerning });
  }

  /** The total of one, for any request. Asks every scorer. */
  totalAnew(seat: Seat, context: PlacementContext): number {
    return sumOf(this.#requestScorers, seat, context) + sumOf(this.#lastingScorers, seat, context);
  }

  /** By scorer, without weights. Asks every one of them. */
  scoresOf(seat: Seat, context: PlacementContext): Readonly<Record<string, number>> {
    const scores: Record<string, number> = {};
    for (const { scorer } of this.#scorers) scores[scorer.name] = scorer.score(seat, context);
    return scores;
  }

  #lastingTotal(seat: Seat, context: PlacementContext): number {
    const { ledger } = seat;
    const { stamp } = ledger;
    if (seat.lastingTotalStamp !== stamp) {
      if (ledger.scoresStamp !== stamp) {
        ledger.scores = this.#backendScorers.map(({ scorer }) => scorer.score(seat, context));
        ledger.scoresStamp = stamp;
      }
      seat.lastingTotal = this.#sumOfLasting(seat, context);
      seat.lastingTotalStamp = stamp;
    }
    return seat.lastingTotal;
  }

  #sumOfLasting(seat: Seat, context: PlacementContext): number {
    const { scores } = seat.ledger;
    let sum = 0;
    let scoresRead = 0;
    for (const { scorer, weight } of this.#lastingScorers) {
      if (scorer.looksAt === 'seat') sum += weight * scorer.score(seat, context);
      else {
        sum += weight * (scores[scoresRead] ?? 0);
        scoresRead += 1;
      }
    }
    return sum;
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

/** Rank of the first filter that refuses the seat whatever the request, or `notRefused`. */
function seatRefusal(seat: Seat, context: PlacementContext): number {
  const { ledger } = seat;
  const { stamp } = ledger;
  if (seat.refusalStamp !== stamp) {
    if (ledger.refusalStamp !== stamp) {
      ledger.refusal = firstRefusal(backendFilters, seat, context);
      ledger.refusalStamp = stamp;
    }
    seat.refusal = Math.min(ledger.refusal, firstRefusal(seatFilters, seat, context));
    seat.refusalStamp = stamp;
  }
  return seat.refusal;
}

/** Rank of the first of the filters that refuses a seat, or `notRefused`. */
function firstRefusal(rules: readonly RankedFilter[], seat: Seat, context: PlacementContext): number {
  for (const { filter, rank } of rules) if (!filter.accepts(seat, context)) return rank;
  return notRefused;
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
