/** The contract of residency planners: which models may be in a host's memory together. Pure; knows nothing of processes. */
import type { ModelName } from '../../domain/ids.ts';

export interface Eviction {
  /** Models that must stop before the target may start, in a stable order. Empty = it fits beside what runs. */
  readonly evict: readonly ModelName[];
  /** What allowed the result, for the decision trace: a group, a set, a budget. Undefined = nothing did, it runs alone. */
  readonly because: string | undefined;
  /** Set when the target can never run, whatever is stopped for it. */
  readonly misfit?: Misfit;
}

/** One model alone needs more of this than the host has for all. */
export interface Misfit {
  readonly resource: MemoryResource;
  readonly needBytes: number;
  readonly budgetBytes: number;
}

export type MemoryResource = 'vram' | 'ram';

export interface ResidencyPlanner {
  readonly name: string;
  /**
   * To load `target` while `running` (ready, starting or about to start; without the target) is there: what must stop?
   * `running` has those first that are likely to be wanted last; those in use now are last. `engaged`: those among them
   * that cannot be stopped now because they serve or load; none by default. A planner with a choice passes them over.
   */
  evictionFor(target: ModelName, running: readonly ModelName[], engaged?: ReadonlySet<ModelName>): Eviction;
  /** Whether all of these may be resident at once, as far as is known. */
  canHoldAll(models: readonly ModelName[]): boolean;
}
