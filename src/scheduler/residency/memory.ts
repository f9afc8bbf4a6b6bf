/**
 * Residency by memory: models may be loaded together as long as what they need does not exceed what the host has for
 * them. Knows needs as numbers; who declared or measured them is not its business.
 */
import type { ModelName } from '../../domain/ids.ts';
import type { MemoryResource, Misfit, ResidencyPlanner } from './planner.ts';

/** What the models of a host may take together; what is not set is not limited. */
export interface MemoryBudget {
  readonly vramBytes?: number;
  readonly ramBytes?: number;
}

/** What one model takes; undefined = not known. */
export interface MemoryNeed {
  readonly vramBytes: number | undefined;
  readonly ramBytes: number | undefined;
}

export interface MemoryPlannerOptions {
  readonly budget: MemoryBudget;
  /** Asked anew for every plan. Undefined = nothing is known. */
  readonly needOf: (model: ModelName) => MemoryNeed | undefined;
}

/** By resource with a budget, in the order of `limits`. */
type Amounts = readonly number[];

interface Limit {
  readonly resource: MemoryResource;
  readonly bytes: number;
  readonly needed: (need: MemoryNeed) => number | undefined;
}

/**
 * A model whose need is not known runs alone. Victims are those likely to be wanted last, not engaged ones as long as the
 * others suffice, and no more than necessary: anything that could stay stays, in the opposite order. Engaged ones
 * are all equally in use; of these those go that leave the least memory unused.
 */
export function createMemoryPlanner({ budget, needOf }: MemoryPlannerOptions): ResidencyPlanner {
  const limits = limitsOf(budget);
  const needs = (model: ModelName): Amounts | undefined => {
    const need = needOf(model);
    const amounts = limits.map(({ needed }) => need && needed(need));
    return amounts.every((amount) => amount !== undefined) ? amounts : undefined;
  };
  const misfitOf = (model: ModelName): Misfit | undefined => {
    const need = needOf(model);
    for (const { resource, bytes, needed } of limits) {
      const needBytes = (need && needed(need)) ?? 0;
      if (needBytes > bytes) return { resource, needBytes, budgetBytes: bytes };
    }
    return undefined;
  };
  return {
    name: 'memory',
    evictionFor(target, running, engaged = new Set()) {
      const misfit = misfitOf(target);
      if (misfit !== undefined) return { evict: [], because: undefined, misfit };
      const own = needs(target);
      if (own === undefined) return { evict: running, because: undefined };
      const known = new Map<ModelName, Amounts>();
      for (const model of running) {
        const amounts = needs(model);
        if (amounts !== undefined) known.set(model, amounts);
      }
      const total = [own, ...known.values()].reduce(add);
      const excess = limits.map(({ bytes }, index) => at(total, index) - bytes);
      const chosen = new Set(victimsFor(excess, known, engaged));
      // Whoever has no known need would run alone and cannot stay beside anything.
      return { evict: running.filter((model) => chosen.has(model) || !known.has(model)), because: 'memory' };
    },
    canHoldAll(models) {
      const distinct = [...new Set(models)];
      return limits.every(({ bytes, needed }) => {
        const known = distinct.map((model) => {
          const need = needOf(model);
          return (need && needed(need)) ?? 0;
        });
        return known.reduce((total, amount) => total + amount, 0) <= bytes;
      });
    },
  };
}

/** Models of `known`, which has first what is likely to be wanted last, that free at least `excess`. */
function victimsFor(
  excess: Amounts,
  known: ReadonlyMap<ModelName, Amounts>,
  engaged: ReadonlySet<ModelName>,
): readonly ModelName[] {
  const victims: ModelName[] = [];
  let missing = excess;
  const take = (model: ModelName): void => {
    victims.push(model);
    missing = subtract(missing, known.get(model) ?? []);
  };
  for (const [model, amounts] of known) {
    if (isCovered(missing)) break;
    if (!engaged.has(model) && helps(amounts, missing)) take(model);
  }
  const busy = new Map([...known].filter(([model]) => engaged.has(model)));
  while (!isCovered(missing) && busy.size > 0) {
    const next = bestOf(busy, missing);
    busy.delete(next);
    take(next);
  }
  return withoutSpare(victims, missing, known);
}

/** Takes back what turned out not to be necessary, beginning with the last one chosen. */
function withoutSpare(
  victims: readonly ModelName[],
  missing: Amounts,
  known: ReadonlyMap<ModelName, Amounts>,
): readonly ModelName[] {
  let left = missing;
  return victims.toReversed().filter((model) => {
    const without = add(left, known.get(model) ?? []);
    if (!isCovered(without)) return true;
    left = without;
    return false;
  });
}

/** One that covers all that is missing, with the least to spare; if none does, the one that covers most of it. */
function bestOf(candidates: ReadonlyMap<ModelName, Amounts>, missing: Amounts): ModelName {
  const ranked = Array.from(candidates, ([model, amounts]) => ({
    model,
    covers: isCovered(subtract(missing, amounts)),
    spare: sum(amounts, (amount, index) => Math.max(0, amount - Math.max(0, at(missing, index)))),
    useful: sum(amounts, (amount, index) => Math.min(amount, Math.max(0, at(missing, index)))),
  }));
  const [best] = ranked.sort(
    (a, b) => Number(b.covers) - Number(a.covers) || (a.covers ? a.spare - b.spare : b.useful - a.useful),
  );
  if (best === undefined) throw new Error('nobody to choose from');
  return best.model;
}

function limitsOf({ vramBytes, ramBytes }: MemoryBudget): readonly Limit[] {
  const limits: Limit[] = [];
  if (vramBytes !== undefined) {
    limits.push({ resource: 'vram', bytes: vramBytes, needed: (need) => need.vramBytes });
  }
  if (ramBytes !== undefined) {
    limits.push({ resource: 'ram', bytes: ramBytes, needed: (need) => need.ramBytes });
  }
  return limits;
}

function helps(amounts: Amounts, missing: Amounts): boolean {
  return amounts.some((amount, index) => amount > 0 && at(missing, index) > 0);
}

function isCovered(missing: Amounts): boolean {
  return missing.every((bytes) => bytes <= 0);
}

function add(left: Amounts, right: Amounts): Amounts {
  return left.map((bytes, index) => bytes + at(right, index));
}

function subtract(left: Amounts, right: Amounts): Amounts {
  return left.map((bytes, index) => bytes - at(right, index));
}

function sum(amounts: Amounts, term: (amount: number, index: number) => number): number {
  return amounts.reduce((total, amount, index) => total + term(amount, index), 0);
}

function at(amounts: Amounts, index: number): number {
  return amounts[index] ?? 0;
}
