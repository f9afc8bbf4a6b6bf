/** What has to happen for one process to be loaded, by the residency planner of its host. Reads only. */
import type { BackendId, ModelName } from '../domain/ids.ts';
import type { LoadTrace } from './decision.ts';
import type { Entry } from './entry.ts';
import type { Ledger } from './ledger.ts';
import type { Misfit, ResidencyPlanner } from './residency/planner.ts';

/** A load with the stops that it needs, from the moment these are asked for. */
export interface Swap {
  readonly target: Ledger;
  readonly evicted: readonly BackendId[];
  /** What allowed it, in the planner's words. */
  readonly because: string | undefined;
  readonly startedMs: number;
  /** Have to stop before the target may start. */
  readonly waitsFor: Set<Ledger>;
  /** The target was asked to start. */
  isLoading: boolean;
  /** When the target was ready. */
  readyMs: number | undefined;
  /** Those who waited for it when it was ready, and still do: it stays until they are served. */
  readonly owed: Set<Entry>;
}

/** A swap that could be made now. */
export interface SwapPlan {
  readonly target: Ledger;
  readonly victims: readonly Ledger[];
  /** Models that stay beside the target. */
  readonly kept: readonly ModelName[];
  /** They are stopping already, for other reasons, and do not fit beside the target. */
  readonly stopping: readonly Ledger[];
  readonly because: string | undefined;
}

/** What a load by hand would do if it came now. */
export interface LoadForesight {
  /** It runs or starts already. */
  readonly isLoaded: boolean;
  /** Models that would stop for it, each with whether it would be waited for because it serves or loads. */
  readonly evicts: readonly { readonly model: BackendId; readonly isBusy: boolean }[];
  /** Models that stop already and would be waited for. */
  readonly awaits: readonly BackendId[];
  /** What allows it, in the planner's words. */
  readonly because: string | undefined;
  /** Why it can never be loaded. */
  readonly misfit: Misfit | undefined;
}

/** One host as a plan sees it. */
export interface Host {
  /** Undefined = everything may be loaded together. */
  readonly planner: ResidencyPlanner | undefined;
  /** Ready, starting or about to start; those first that are likely to be wanted last. */
  readonly running: readonly Ledger[];
  /** Those of them that cannot be stopped now. */
  readonly engaged: ReadonlySet<BackendId>;
  readonly stopping: readonly Ledger[];
}

export function planSwap(target: Ledger, { planner, running, engaged, stopping }: Host): SwapPlan {
  const others = running.filter((ledger) => ledger !== target);
  const eviction = planner?.evictionFor(target.id, others.map(idOf), engaged);
  const evicted = new Set(eviction?.evict);
  const kept = others.filter(({ id }) => !evicted.has(id)).map(idOf);
  return {
    target,
    victims: others.filter(({ id }) => evicted.has(id)),
    kept,
    stopping: planner === undefined ? [] : inTheWay(target, { planner, kept, stopping }),
    because: eviction?.because,
  };
}

/** Whether a plan that goes first would have to undo the other one. */
export function hampers(other: SwapPlan, first: SwapPlan, planner: ResidencyPlanner | undefined): boolean {
  if (hostOf(other.target) !== hostOf(first.target)) return false;
  if (other.target === first.target) return true;
  if (planner === undefined) return false;
  const gone = new Set(other.victims.map(idOf));
  const beside = [...first.kept.filter((id) => !gone.has(id)), other.target.id];
  return planner.evictionFor(first.target.id, beside).evict.length > 0;
}

/** What was loaded for a request that is granted on this backend, if it had to wait for that. */
export function loadTraceOf({ load, arrivedMs }: Entry, ledger: Ledger): LoadTrace | undefined {
  if (load?.readyMs === undefined || load !== ledger.book?.load) return undefined;
  const loadMs = load.readyMs - Math.max(load.startedMs, arrivedMs);
  return { evicted: load.evicted, because: load.because, loadMs };
}

export function hostOf({ view }: Ledger): string | undefined {
  return view.process?.host;
}

function inTheWay(
  target: Ledger,
  {
    planner,
    kept,
    stopping,
  }: { planner: ResidencyPlanner; kept: readonly ModelName[]; stopping: readonly Ledger[] },
): readonly Ledger[] {
  if (stopping.length === 0) return stopping;
  const all = [...kept, ...stopping.map(idOf)];
  const evict = new Set(planner.evictionFor(target.id, all, new Set(kept)).evict);
  // A planner may find it cheaper to stop something that is to stay; then all that stop anyway are waited for.
  return kept.some((id) => evict.has(id)) ? stopping : stopping.filter(({ id }) => evict.has(id));
}

function idOf({ id }: Ledger): BackendId {
  return id;
}
