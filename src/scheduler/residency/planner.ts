/** The contract of residency planners: which models may be in a host's memory together. Pure; knows nothing of processes. */
import type { ModelName } from '../../domain/ids.ts';

export interface Eviction {
  /** Models that must stop before the target may start, in a stable order. Empty = it fits beside what runs. */
  readonly evict: readonly ModelName[];
  /** What allowed the result, for the decision trace: a group, a set, a budget. Undefined = nothing did, it runs alone. */
  readonly because: string | undefined;
}

export interface ResidencyPlanner {
  readonly name: string;
  /** To load `target` while `running` (ready, starting or about to start; without the target) is there: what must stop? */
  evictionFor(target: ModelName, running: readonly ModelName[]): Eviction;
  /** Whether all of these may be resident at once. */
  canHoldAll(models: readonly ModelName[]): boolean;
}
