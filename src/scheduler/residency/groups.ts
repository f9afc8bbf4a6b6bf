/** Residency by groups: siblings of a swap group replace each other, an exclusive group replaces the other groups. */
import type { ModelName } from '../../domain/ids.ts';
import type { ResidencyPlanner } from './planner.ts';

export interface Group {
  readonly name: string;
  /** Members replace each other. */
  readonly swap: boolean;
  /** Loading a member stops the members of every other group that is not persistent. */
  readonly exclusive: boolean;
  /** Members are never stopped for another group. */
  readonly persistent: boolean;
  readonly members: readonly ModelName[];
}

/**
 * Every model must be in exactly one group; one in none is treated as a swap and exclusive group of its own.
 *
 * A non-exclusive group that starts beside a running exclusive one is kept when that one is asked for again, so that
 * two alternating models do not reload each other for ever: only what was loaded before the exclusive model counts
 * against it at its load, nothing at its reuse. (The scheduler asks only when a model has to be loaded.)
 */
export function createGroupPlanner(groups: readonly Group[]): ResidencyPlanner {
  const byModel = new Map<ModelName, Group>();
  for (const group of groups) for (const member of group.members) byModel.set(member, group);
  const groupOf = (model: ModelName): Group =>
    byModel.get(model) ?? { name: model, swap: true, exclusive: true, persistent: false, members: [model] };
  const mustGo = (target: Group, other: Group): boolean => {
    if (target === other) return target.swap;
    return target.exclusive && !other.persistent;
  };
  return {
    name: 'groups',
    evictionFor(target, running) {
      const group = groupOf(target);
      const evict = running.filter((model) => model !== target && mustGo(group, groupOf(model)));
      return { evict, because: group.name };
    },
    canHoldAll(models) {
      const distinct = [...new Set(models)];
      return distinct.every((model, index) =>
        distinct.slice(index + 1).every((other) => {
          const [left, right] = [groupOf(model), groupOf(other)];
          return left === right && !left.swap;
        }),
      );
    },
  };
}
