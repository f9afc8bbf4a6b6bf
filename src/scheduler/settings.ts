/** The scheduler's own configuration: plain numbers, all defaults resolved. Built from the config file by config/. */
import type { ModelName } from '../domain/ids.ts';
import type { ResidencyPlanner } from './residency/planner.ts';

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
  /** Slots only steer: a request that finds none free goes to the best backend all the same and waits in its engine. */
  readonly slotsAreSoft: boolean;
  /** Longest wait; Infinity = none. */
  readonly queueTimeoutMs: number;
  /** Longest wait while no live backend serves the model. */
  readonly deadWaitMs: number;
  /**
   * An entry counts one priority class better after each such wait in which somebody of a better class was served;
   * Infinity = never.
   */
  readonly priorityAgeingMs: number;
  /**
   * What a loaded model is worth: on a free backend an entry whose model is loaded there may go before one whose model
   * is not, while that one has waited less than this or when the two arrived less than this apart; 0 = never. With
   * `stickyDelayMs` it is also the patience of a model that is kept out by others: after that it claims a backend.
   */
  readonly modelAffinityBonusMs: number;
  /** How often one entry may be overtaken that way, or by `promptBonusMs`. */
  readonly overtakenMax: number;
  /** After its last permit a backend stays reserved this long for the model it served; 0 = not. */
  readonly stickyDelayMs: number;
  /** Most requests in flight per model over all backends. */
  readonly modelLimits: ReadonlyMap<ModelName, number>;
  /** Most requests per model, waiting ones included; beyond that they are rejected with `modelBusy`. */
  readonly admissionLimits: ReadonlyMap<ModelName, number>;
  /** Which models may be in a host's memory together, by host. A host without a planner holds everything. */
  readonly residency: ReadonlyMap<string, ResidencyPlanner>;
  /**
   * Longest time that requests for a model which has to be loaded stand behind busy models that would have to go for it;
   * then those take no new requests until it is loaded. Infinity = for ever.
   */
  readonly swapPatienceMs: number;
  /**
   * By which share of their wait for a load others are served later at most, for the sake of idle processes that by their
   * past are likely to be wanted soon. 0 = not at all.
   */
  readonly swapHold: number;
  readonly sessionTtlMs: number;
  /** Most sessions remembered; the least recently used is forgotten first. */
  readonly sessionsMax: number;
  /** Memory for what backends have cached of prompts; 0 = it is not remembered. */
  readonly promptBytesMax: number;
  /**
   * A backend whose slots are in use by more than this many times the share of all, and one request more, is not
   * preferred for its cached prompts; Infinity = always is.
   */
  readonly promptLoadFactor: number;
  /**
   * What a cached prompt is worth: on a free backend an entry that has more of its prompt cached there may go before
   * one of its class and lane that came less than this before it; 0 = never. Needs the scorer `prefix-affinity`.
   */
  readonly promptBonusMs: number;
  /**
   * Longest time that a request waits, although it could go elsewhere, for a slot of the backend that has much more of
   * its prompt cached; 0 = it does not. Needs the scorer `prefix-affinity`.
   */
  readonly promptPatienceMs: number;
  /** Requests are told which slot of their backend to use, where it has slots of a prompt cache each. */
  readonly namesSlots: boolean;
  /** Longest time that a lingering permit holds its slot without a slot reading. */
  readonly lingerMsMax: number;
  /** Candidates kept in a decision trace. */
  readonly decisionCandidatesMax: number;
}
