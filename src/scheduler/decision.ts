/** The trace of one placement: what was considered and why the winner won. Shown by `/api/decisions`. */
import type { BackendId, ModelName, RequestId } from '../domain/ids.ts';
import type { PlacementTrace } from './placement-trace.ts';

export interface CandidateTrace {
  readonly backend: BackendId;
  /** Name of the filter that excluded it; undefined = it was scored. */
  readonly excludedBy: string | undefined;
  /** Weighted sum of the scores; 0 when excluded. */
  readonly score: number;
  /** Unweighted score in [0, 1] by scorer name, only of scorers with a weight. */
  readonly scores: Readonly<Record<string, number>>;
}

export interface LoadTrace {
  /** What had to stop. */
  readonly evicted: readonly BackendId[];
  /** What allowed the result, in the planner's words; undefined = nothing did, it runs alone. */
  readonly because: string | undefined;
  /** How much of the wait was for stopping those and starting this. */
  readonly loadMs: number;
}

export interface Decision {
  readonly request: RequestId;
  readonly model: ModelName | undefined;
  readonly backend: BackendId;
  readonly atMs: number;
  readonly waitedMs: number;
  readonly attempt: number;
  /** Waiting requests whose turn was before, and which it passed because its model was loaded or its prompt cached. */
  readonly overtook: number;
  /** Its model was loaded for it; absent = it was there. */
  readonly loaded?: LoadTrace | undefined;
  readonly picker: string;
  /** At most `decisionCandidatesMax`; the winner is always among them. */
  readonly candidates: readonly CandidateTrace[];
}

/** What it was chosen from is spelt out anew each time it is read, always the same. */
export class TracedDecision implements Decision {
  readonly request: RequestId;
  readonly model: ModelName | undefined;
  readonly backend: BackendId;
  readonly atMs: number;
  readonly waitedMs: number;
  readonly attempt: number;
  readonly overtook: number;
  readonly loaded: LoadTrace | undefined;
  readonly #trace: PlacementTrace;

  constructor(facts: Omit<Decision, 'picker' | 'candidates'>, trace: PlacementTrace) {
    this.request = facts.request;
    this.model = facts.model;
    this.backend = facts.backend;
    this.atMs = facts.atMs;
    this.waitedMs = facts.waitedMs;
    this.attempt = facts.attempt;
    this.overtook = facts.overtook;
    this.loaded = facts.loaded;
    this.#trace = trace;
  }

  get picker(): string {
    return this.#trace.picker;
  }

  get candidates(): readonly CandidateTrace[] {
    return this.#trace.candidates;
  }
}
