/** The trace of one placement: what was considered and why the winner won. Shown by `/api/decisions`. */
import type { BackendId, ModelName, RequestId } from '../domain/ids.ts';

export interface CandidateTrace {
  readonly backend: BackendId;
  /** Name of the filter that excluded it; undefined = it was scored. */
  readonly excludedBy: string | undefined;
  /** Weighted sum of the scores; 0 when excluded. */
  readonly score: number;
  /** Unweighted score in [0, 1] by scorer name, only of scorers with a weight. */
  readonly scores: Readonly<Record<string, number>>;
}

export interface Decision {
  readonly request: RequestId;
  readonly model: ModelName | undefined;
  readonly backend: BackendId;
  readonly atMs: number;
  readonly waitedMs: number;
  readonly attempt: number;
  /** Waiting requests, the first of each lane, whose turn was before and which it passed because its model was loaded. */
  readonly overtook: number;
  readonly picker: string;
  /** At most `decisionCandidatesMax`; the winner is always among them. */
  readonly candidates: readonly CandidateTrace[];
}
