/** Where the file says which models may be loaded together, and the planner's input out of that. Pure. */
import type { Group } from '../scheduler/residency/groups.ts';
import { createGroupPlanner } from '../scheduler/residency/groups.ts';
import { compileMatrix } from '../scheduler/residency/matrix/compile.ts';
import { createMatrixPlanner } from '../scheduler/residency/matrix/planner.ts';
import { createMemoryPlanner } from '../scheduler/residency/memory.ts';
import type { MemoryBudget, MemoryNeed } from '../scheduler/residency/memory.ts';
import type { ResidencyPlanner } from '../scheduler/residency/planner.ts';
import type { ModelName } from '../domain/ids.ts';
import type { ResolvedRouting } from './models.ts';
import type { ConfigPath } from './problems.ts';
import type { Config } from './schema.ts';

/** Models in no group are here: one runs at a time. */
export const defaultGroupName = '(default)';

export type GroupsConfig = NonNullable<Config['groups']>;
export type MatrixConfig = NonNullable<Config['matrix']>;

export type MemoryConfig = NonNullable<NonNullable<Config['routing']['router']>['settings']['memory']>;

/** What is known of a model's need beyond the file; undefined = nothing. */
export type MeasuredNeeds = (model: ModelName) => MemoryNeed | undefined;

/** The settings that count, and where they stand. */
export type RoutingSource =
  | { readonly kind: 'group'; readonly groups: GroupsConfig; readonly path: ConfigPath }
  | { readonly kind: 'matrix'; readonly matrix: MatrixConfig | undefined; readonly path: ConfigPath }
  | { readonly kind: 'memory'; readonly memory: MemoryConfig; readonly path: ConfigPath };

export function routingSource({ routing, groups, matrix }: Config): RoutingSource {
  const { router } = routing;
  if (router !== undefined) {
    const path = ['routing', 'router', 'settings'];
    const { groups: named = {}, matrix: sets, memory = {} } = router.settings;
    switch (router.use) {
      case 'group':
        return { kind: 'group', groups: named, path: [...path, 'groups'] };
      case 'matrix':
        return { kind: 'matrix', matrix: sets, path: [...path, 'matrix'] };
      case 'memory':
        return { kind: 'memory', memory, path: [...path, 'memory'] };
    }
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
  if (source.kind === 'memory') {
    return { kind: 'memory', budget: budgetOf(source.memory), declared: declaredNeeds(config) };
  }
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

/** What is declared goes before what is measured; `measured` is asked anew for each plan. */
export function createPlanner(
  routing: ResolvedRouting,
  measured: MeasuredNeeds = () => undefined,
): ResidencyPlanner {
  switch (routing.kind) {
    case 'group':
      return createGroupPlanner(routing.groups);
    case 'matrix':
      return createMatrixPlanner(routing);
    case 'memory': {
      const { budget, declared } = routing;
      const needOf = (model: ModelName): MemoryNeed => {
        const [own, found] = [declared.get(model), measured(model)];
        return {
          vramBytes: own?.vramBytes ?? found?.vramBytes,
          ramBytes: own?.ramBytes ?? found?.ramBytes,
        };
      };
      return createMemoryPlanner({ budget, needOf });
    }
  }
}

function budgetOf({ vram, ram }: MemoryConfig): MemoryBudget {
  return { ...(vram !== undefined && { vramBytes: vram }), ...(ram !== undefined && { ramBytes: ram }) };
}

function declaredNeeds({ models }: Config): Map<ModelName, MemoryNeed> {
  const needs = new Map<ModelName, MemoryNeed>();
  for (const [id, { memory }] of Object.entries(models)) {
    const { vram, ram } = memory;
    if (vram !== undefined || ram !== undefined) needs.set(id, { vramBytes: vram, ramBytes: ram });
  }
  return needs;
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
