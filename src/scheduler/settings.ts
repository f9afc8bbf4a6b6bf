/** The scheduler's own configuration: plain numbers, all defaults resolved. Built from the config file by config/. */
import type { ModelName } from '../domain/ids.ts';

export interface WeightedPolicy {
  readonly name: string;
  /** > 0. */
  readonly weight: number;
}

export interface SchedulerSettings {
  /**
   * fifo: strictly by arrival within a priority class. fair: start-time fair queueing over flows within a class, by
   * arrival within a flow.
   */
  readonly ordering: 'fifo' | 'fair';
  readonly scorers: readonly WeightedPolicy[];
  readonly picker: string;
  /** Most entries that wait; 0 = no queue: a request without a free slot is rejected. */
  readonly queueMax: number;
  /** Longest wait; Infinity = none. */
  readonly queueTimeoutMs: number;
  /** Longest wait while no live backend serves the model. */
  readonly deadWaitMs: number;
  /** After this wait an entry's priority class counts one better, again after twice that …; Infinity = never. */
  readonly priorityAgeingMs: number;
  /**
   * While the first in order has waited less than this, a later one whose model is loaded on the free backend may go
   * before it; 0 = never.
   */
  readonly modelAffinityBonusMs: number;
  /** How often one entry may be overtaken that way. */
  readonly overtakenMax: number;
  /** After its last permit a backend stays reserved this long for the model it served; 0 = not. */
  readonly stickyDelayMs: number;
  /** Most requests in flight per model over all backends. */
  readonly modelLimits: ReadonlyMap<ModelName, number>;
  readonly sessionTtlMs: number;
  /** Most sessions remembered; the least recently used is forgotten first. */
  readonly sessionsMax: number;
  /** Longest time that a lingering permit holds its slot without a slot reading. */
  readonly lingerMsMax: number;
  /** Candidates kept in a decision trace. */
  readonly decisionCandidatesMax: number;
}
