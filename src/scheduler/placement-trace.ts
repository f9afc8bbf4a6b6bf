/**
 * Why a placement went where it went. Keeps what was compared as it was compared, and spells it out only when somebody
 * reads it: hardly any decision is ever looked at, and each is taken while a request waits. Decides nothing.
 */
import type { BackendId } from '../domain/ids.ts';
import type { CandidateTrace } from './decision.ts';
import type { Seat } from './ledger.ts';
import type { Filter, PlacementContext, Scorer } from './policy.ts';

export interface WeightedScorer {
  readonly scorer: Scorer;
  readonly weight: number;
}

/** By which scorers seats were rated, each in the order of the settings. */
export interface ScorersAsked {
  /** All that have a weight. */
  readonly all: readonly WeightedScorer[];
  /** Those of them that look at seats. */
  readonly seat: readonly WeightedScorer[];
  /** Those that look at requests and were concerned; the others would have said 0. */
  readonly request: readonly WeightedScorer[];
}

const noScores: CandidateTrace['scores'] = {};

export class PlacementTrace {
  readonly picker: string;
  readonly #asked: ScorersAsked;
  readonly #rated: BackendId[] = [];
  /** What the scorers for backends said of each; shared with all placements until the backend changes. */
  readonly #backendScores: (readonly number[])[] = [];
  /** What those for seats and then those for requests said, one candidate after the other. */
  readonly #otherScores: number[] = [];
  readonly #excluded: BackendId[] = [];
  readonly #excludedBy: Filter[] = [];

  constructor(picker: string, asked: ScorersAsked) {
    this.picker = picker;
    this.#asked = asked;
  }

  get size(): number {
    return this.#rated.length + this.#excluded.length;
  }

  /** The seat was rated just now. */
  addRated(seat: Seat, context: PlacementContext): void {
    this.#rated.push(seat.ledger.id);
    this.#backendScores.push(seat.ledger.scores);
    for (const { scorer } of this.#asked.seat) this.#otherScores.push(scorer.score(seat, context));
    for (const { scorer } of this.#asked.request) this.#otherScores.push(scorer.score(seat, context));
  }

  addExcluded(backend: BackendId, filter: Filter): void {
    this.#excluded.push(backend);
    this.#excludedBy.push(filter);
  }

  /** Those that were rated, then those that were excluded, each in the order in which they were added. */
  get candidates(): readonly CandidateTrace[] {
    const rated = this.#rated.map((backend, index) => this.#describe(backend, index));
    const excluded = this.#excluded.map((backend, index) => ({
      backend,
      excludedBy: this.#excludedBy[index]?.name,
      score: 0,
      scores: noScores,
    }));
    return [...rated, ...excluded];
  }

  #describe(backend: BackendId, index: number): CandidateTrace {
    const { all, seat, request } = this.#asked;
    const first = index * (seat.length + request.length);
    const told = {
      backend: this.#backendScores[index]?.values(),
      seat: this.#otherScores.slice(first, first + seat.length).values(),
      request: this.#otherScores.slice(first + seat.length, first + seat.length + request.length).values(),
    };
    const scores: Record<string, number> = {};
    // Added up as when it was rated, so that the sum is the same to the last bit.
    let ofRequest = 0;
    let lasting = 0;
    for (const one of all) {
      const { scorer, weight } = one;
      const isMoot = scorer.looksAt === 'request' && !request.includes(one);
      const score = isMoot ? 0 : (told[scorer.looksAt]?.next().value ?? 0);
      scores[scorer.name] = score;
      if (scorer.looksAt === 'request') ofRequest += weight * score;
      else lasting += weight * score;
    }
    return { backend, excludedBy: undefined, score: ofRequest + lasting, scores };
  }
}
