/**
 * What filters and scorers say of a seat. Keeps the answers of those that look at the backend alone, so that a placement in
 * a large fleet asks only what its request is concerned with. Reads ledgers and changes nothing but what it keeps there.
 */
import type { Seat } from './ledger.ts';
import { filters, scorers } from './policies/index.ts';
import { servesModel } from './policies/filters/serves-model.ts';
import type { Filter, PlacementContext, Scorer } from './policy.ts';
import type { SchedulerSettings } from './settings.ts';

interface WeightedScorer {
  readonly scorer: Scorer;
  readonly weight: number;
}

/** A model's seats are where it is served. */
const seatFilters: readonly Filter[] = filters.filter((filter) => filter !== servesModel);
const backendFilters = seatFilters.filter(({ looksAt }) => looksAt === 'backend');
const requestFilters = seatFilters.filter(({ looksAt }) => looksAt === 'request');

/** What is to become of a process changes without its ledger: nothing is kept of those. */
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

  has(scorer: Scorer): boolean {
    return this.#scorers.some((one) => one.scorer === scorer);
  }

  accepts(seat: Seat, context: PlacementContext): boolean {
    return context.request.slotless
      ? refusing(seatFilters, seat, context) === undefined
      : this.isOpen(seat, requestFilters, context);
  }

  /** Those of the filters for requests that concern this one, to be asked for many seats. */
  filtersFor(context: PlacementContext): readonly Filter[] {
    return requestFilters.filter((filter) => filter.concerns?.(context) ?? true);
  }

  /** As `accepts`, for a request that takes a slot and by `filtersFor` it. */
  isOpen(seat: Seat, rules: readonly Filter[], context: PlacementContext): boolean {
    const { ledger } = seat;
    if (seat.openStamp !== ledger.stamp || ledger.book !== undefined) {
      seat.openStamp = ledger.stamp;
      seat.isOpen = refusing(backendFilters, seat, context) === undefined;
    }
    return seat.isOpen && refusing(rules, seat, context) === undefined;
  }

  /** The first filter that refuses it; undefined = all accept it. Asks every one of them. */
  refusalOf(seat: Seat, context: PlacementContext): Filter | undefined {
    return refusing(seatFilters, seat, context);
  }

  /** Gives each seat its total, the weighted sum of all scores, for a request that takes a slot. */
  rate(seats: readonly Seat[], context: PlacementContext): void {
    const concerning = this.#requestScorers.filter(({ scorer }) => scorer.concerns?.(context) ?? true);
    for (const seat of seats)
      seat.total = sumOf(concerning, seat, context) + this.#backendTotal(seat, context);
  }

  /** The total of one, for any request. Asks every scorer. */
  totalAnew(seat: Seat, context: PlacementContext): number {
    return sumOf(this.#requestScorers, seat, context) + sumOf(this.#backendScorers, seat, context);
  }

  /** By scorer, without weights. */
  scoresOf(seat: Seat, context: PlacementContext): Readonly<Record<string, number>> {
    const scores: Record<string, number> = {};
    for (const { scorer } of this.#scorers) scores[scorer.name] = scorer.score(seat, context);
    return scores;
  }

  #backendTotal(seat: Seat, context: PlacementContext): number {
    const { ledger } = seat;
    if (seat.backendTotalStamp !== ledger.stamp || ledger.book !== undefined) {
      seat.backendTotalStamp = ledger.stamp;
      seat.backendTotal = sumOf(this.#backendScorers, seat, context);
    }
    return seat.backendTotal;
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
