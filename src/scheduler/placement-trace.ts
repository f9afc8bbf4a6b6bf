/**
 * Why a placement went where it went. Keeps what was compared as it was compared, and spells it out only when somebody
 * reads it: hardly any decision is ever looked at, and each is taken while a request waits. Decides nothing.
 */
import type { BackendId } from '../domain/ids.ts';
import type { CandidateTrace } from './decision.ts';
import type { Filter } from './policy.ts';
import type { BackendRating, WeightedScorer } from './ratings.ts';

const noScores: CandidateTrace['scores'] = {};

export interface PlacementTraceOptions {
  readonly picker: string;
  /** All that have a weight, in the order of the settings. */
  readonly scorers: readonly WeightedScorer[];
  /** Those of them that look at the request and that it concerned. */
  readonly concerning: readonly WeightedScorer[];
}

export class PlacementTrace {
  readonly picker: string;
  readonly #scorers: readonly WeightedScorer[];
  readonly #concerning: readonly WeightedScorer[];
  readonly #ratings: BackendRating[] = [];
  /** For each rating what the concerning scorers said. */
  readonly #requestScores: number[] = [];
  readonly #excluded: BackendId[] = [];
  readonly #excludedBy: Filter[] = [];

  constructor(options: PlacementTraceOptions) {
    this.picker = options.picker;
    this.#scorers = options.scorers;
    this.#concerning = options.concerning;
  }

  get size(): number {
    return this.#ratings.length + this.#excluded.length;
  }

  /** To be followed by one `addRequestScore` for each of the concerning scorers. */
  addRated(rating: BackendRating): void {
    this.#ratings.push(rating);
  }

  addRequestScore(score: number): void {
    this.#requestScores.push(score);
  }

  addExcluded(backend: BackendId, filter: Filter): void {
    this.#excluded.push(backend);
    this.#excludedBy.push(filter);
  }

  /** Those that were rated, then those that were excluded, each in the order in which they were added. */
  get candidates(): readonly CandidateTrace[] {
    const rated = this.#ratings.map((rating, index) => this.#describe(rating, index));
    const excluded = this.#excluded.map((backend, index) => ({
      backend,
      excludedBy: this.#excludedBy[index]?.name,
      score: 0,
      scores: noScores,
    }));
    return [...rated, ...excluded];
  }

  #describe({ backend, scores: backendScores, total }: BackendRating, index: number): CandidateTrace {
    const first = index * this.#concerning.length;
    const requestScores = this.#requestScores.slice(first, first + this.#concerning.length);
    let requestTotal = 0;
    for (const [at, { weight }] of this.#concerning.entries())
      requestTotal += weight * (requestScores[at] ?? 0);
    const scores: Record<string, number> = {};
    let backendsRead = 0;
    for (const one of this.#scorers) {
      const { name, looksAt } = one.scorer;
      if (looksAt === 'request') scores[name] = requestScores[this.#concerning.indexOf(one)] ?? 0;
      else {
        scores[name] = backendScores[backendsRead] ?? 0;
        backendsRead += 1;
      }
    }
    // In the order in which the total was added up, so that it is the same to the last bit.
    return { backend, excludedBy: undefined, score: requestTotal + total, scores };
  }
}
