/**
 * Residency by matrix: each set allows some combinations of models and all their subsets. Finds the allowed combination
 * that keeps the most of what runs, without ever listing the combinations: only models that matter now are followed
 * through the graph, and combinations inside other combinations are dropped on the way.
 */
import type { ModelName } from '../../../domain/ids.ts';
import type { ResidencyPlanner } from '../planner.ts';
import type { MatrixNode, MatrixProgram } from './compile.ts';

/** Combinations of the models that matter, one bit each; none is inside another. */
type Frontier = readonly bigint[];

export interface MatrixPlannerOptions {
  readonly program: MatrixProgram;
  /** What stopping a model costs, > 0; models without one cost 1. */
  readonly evictCosts: ReadonlyMap<ModelName, number>;
}

/** Equal costs: the earlier set wins. A target in no set runs alone. */
export function createMatrixPlanner({ program, evictCosts }: MatrixPlannerOptions): ResidencyPlanner {
  return {
    name: 'matrix',
    evictionFor(target, running) {
      const others = running.filter((model) => model !== target);
      const relevant = [target, ...others];
      const costs = relevant.map((model) => evictCosts.get(model) ?? 1);
      const best = cheapest(program, relevant, costs);
      if (best === undefined) return { evict: others, because: undefined };
      const evict = others.filter((_model, index) => ((best.kept >> BigInt(index + 1)) & 1n) === 0n);
      return { evict, because: best.set };
    },
    canHoldAll(models) {
      const relevant = [...new Set(models)];
      const all = (1n << BigInt(relevant.length)) - 1n;
      const solve = createSolver(relevant);
      return program.sets.some(({ root }) => solve(root).some((kept) => kept === all));
    },
  };
}

interface Choice {
  readonly set: string;
  readonly kept: bigint;
  readonly cost: number;
}

/** Bit 0 is the target; it must be kept. */
function cheapest(
  program: MatrixProgram,
  relevant: readonly ModelName[],
  costs: readonly number[],
): Choice | undefined {
  const solve = createSolver(relevant);
  let best: Choice | undefined;
  for (const { name, root } of program.sets) {
    for (const kept of solve(root)) {
      if ((kept & 1n) === 0n) continue;
      const cost = costs.reduce(
        (sum, each, index) => (((kept >> BigInt(index)) & 1n) === 0n ? sum + each : sum),
        0,
      );
      if (best === undefined || cost < best.cost) best = { set: name, kept, cost };
    }
  }
  return best;
}

/** Projects every node onto the relevant models; each node is worked out once per question. */
function createSolver(relevant: readonly ModelName[]): (node: MatrixNode) => Frontier {
  const bits = new Map(relevant.map((model, index) => [model, 1n << BigInt(index)]));
  const memory = new Map<number, Frontier>();
  return function solve(node): Frontier {
    const known = memory.get(node.id);
    if (known !== undefined) return known;
    let frontier: Frontier;
    if (node.kind === 'model') frontier = [bits.get(node.model) ?? 0n];
    else if (node.kind === 'or') frontier = maximal(node.parts.flatMap(solve));
    else
      frontier = node.parts
        .map(solve)
        .reduce((left, right) => maximal(left.flatMap((one) => right.map((other) => one | other))));
    memory.set(node.id, frontier);
    return frontier;
  };
}

/** Drops combinations that are inside another one; the first of equals stays. */
function maximal(combinations: Frontier): Frontier {
  if (combinations.length < 2) return combinations;
  const distinct = [...new Set(combinations)];
  return distinct.filter((one) => !distinct.some((other) => other !== one && (one | other) === other));
}
