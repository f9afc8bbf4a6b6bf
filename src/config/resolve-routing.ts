/** Where the file says which models may be loaded together, and the planner's input out of that. Pure. */
import type { Group } from '../scheduler/residency/groups.ts';
import { createGroupPlanner } from '../scheduler/residency/groups.ts';
import { compileMatrix } from '../scheduler/residency/matrix/compile.ts';
import { createMatrixPlanner } from '../scheduler/residency/matrix/planner.ts';
import type { ResidencyPlanner } from '../scheduler/residency/planner.ts';
import type { ResolvedRouting } from './models.ts';
import type { ConfigPath } from './problems.ts';
import type { Config } from './schema.ts';

/** Models in no group are here: one runs at a time. */
export const defaultGroupName = '(default)';

export type GroupsConfig = NonNullable<Config['groups']>;
export type MatrixConfig = NonNullable<Config['matrix']>;

/** The settings that count, and where they stand. */
export type RoutingSource =
  | { readonly kind: 'group'; readonly groups: GroupsConfig; readonly path: ConfigPath }
  | { readonly kind: 'matrix'; readonly matrix: MatrixConfig | undefined; readonly path: ConfigPath };

export function routingSource({ routing, groups, matrix }: Config): RoutingSource {
  const { router } = routing;
  if (router !== undefined) {
    const path = ['routing', 'router', 'settings'];
    return router.use === 'matrix'
      ? { kind: 'matrix', matrix: router.settings.matrix, path: [...path, 'matrix'] }
      : { kind: 'group', groups: router.settings.groups ?? {}, path: [...path, 'groups'] };
  }
  return matrix === undefined
    ? { kind: 'group', groups: groups ?? {}, path: ['groups'] }
    : { kind: 'matrix', matrix, path: ['matrix'] };
}

/** Throws MatrixError for sets that cannot be compiled. Group members that are no models are left out. */
export function resolveRouting(config: Config): ResolvedRouting {
  const source = routingSource(config);
  const ids = Object.keys(config.models);
  if (source.kind === 'group') return { kind: 'group', groups: resolveGroups(source.groups, ids) };
  const known = new Set(ids);
  const vars = new Map(Object.entries(source.matrix?.vars ?? {}));
  return {
    kind: 'matrix',
    program: compileMatrix({
      vars,
      sets: new Map(Object.entries(source.matrix?.sets ?? {})),
      isModel: (name) => known.has(name),
    }),
    evictCosts: new Map(
      Object.entries(source.matrix?.evict_costs ?? {}).map(([name, cost]) => [vars.get(name) ?? name, cost]),
    ),
  };
}

export function createPlanner(routing: ResolvedRouting): ResidencyPlanner {
  return routing.kind === 'group' ? createGroupPlanner(routing.groups) : createMatrixPlanner(routing);
}

function resolveGroups(groups: GroupsConfig, ids: readonly string[]): Group[] {
  const known = new Set(ids);
  const grouped = new Set<string>();
  const resolved: Group[] = Object.entries(groups).map(([name, { members, ...flags }]) => {
    const models = members.filter((member) => known.has(member));
    for (const member of models) grouped.add(member);
    return { name, ...flags, members: models };
  });
  const rest = ids.filter((id) => !grouped.has(id));
  if (rest.length === 0) return resolved;
  const flags = { swap: true, exclusive: true, persistent: false };
  return [...resolved, { name: defaultGroupName, ...flags, members: rest }];
}
