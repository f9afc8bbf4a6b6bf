/** The last placements and why they were made. Written by whoever applies the scheduler's grants, read by the admin API. */
import { createRingBuffer } from '../base/ring-buffer.ts';
import type { ModelName, RequestId } from '../domain/ids.ts';
import type { Decision } from '../scheduler/decision.ts';

export interface DecisionQuery {
  readonly model?: ModelName | undefined;
  readonly request?: RequestId | undefined;
  /** Most decisions wanted. */
  readonly limit: number;
}

export interface DecisionLog {
  add(decision: Decision): void;
  /** Newest first. A request that was retried has one decision per attempt. */
  list(query: DecisionQuery): Decision[];
}

/** Keeps the last `max` decisions. */
export function createDecisionLog(options: { readonly max: number }): DecisionLog {
  const decisions = createRingBuffer<Decision>(options.max);
  return {
    add: (decision) => decisions.push(decision),
    list(query) {
      const found: Decision[] = [];
      for (const decision of decisions.newestFirst()) {
        if (found.length >= query.limit) break;
        if (query.model !== undefined && decision.model !== query.model) continue;
        if (query.request !== undefined && decision.request !== query.request) continue;
        found.push(decision);
      }
      return found;
    },
  };
}
