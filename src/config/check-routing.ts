/** Rules for groups, matrix and priorities: what they name must exist, and only one place may say it. Pure. */
import { MatrixError } from '../scheduler/residency/matrix/expression.ts';
import { compileMatrix } from '../scheduler/residency/matrix/compile.ts';
import { findServed } from './names.ts';
import type { NameTable } from './names.ts';
import type { CheckResult, ConfigPath, ConfigProblemCode, Finding } from './problems.ts';
import { routingSource } from './resolve-routing.ts';
import type { GroupsConfig, MatrixConfig, MemoryConfig, RoutingSource } from './resolve-routing.ts';
import type { Config } from './schema.ts';
import { formatSize } from './values.ts';

/** `modelsKnown`: false when `models` has problems of its own, so that a missing model may be their consequence. */
export function checkRouting(config: Config, table: NameTable, modelsKnown: boolean): CheckResult {
  const source = routingSource(config);
  const problems = checkPlaces(config);
  const warnings: Finding[] = [];
  if (source.kind === 'group') {
    const checked = checkGroups(source.groups, source.path, modelsKnown ? table : undefined);
    problems.push(...checked.problems);
    warnings.push(...checked.warnings);
  } else if (source.kind === 'memory') {
    problems.push(...checkMemory(source.memory, config));
  } else if (source.matrix === undefined) {
    const message = "routing.router.use is 'matrix' but routing.router.settings.matrix is not set";
    problems.push(finding(['routing', 'router'], message, 'config_reference'));
  } else if (modelsKnown) {
    problems.push(...checkMatrix(source.matrix, source.path, table));
  }
  if (modelsKnown) problems.push(...checkPriorities(config, table));
  warnings.push(...warnAboutNeeds(source, config));
  return { problems, warnings };
}

/** The older keys and the newer ones must not contradict each other, so only one kind may be there. */
function checkPlaces({ routing, groups = {}, matrix }: Config): Finding[] {
  const hasGroups = Object.keys(groups).length > 0;
  const legacy = [...(hasGroups ? ['groups'] : []), ...(matrix === undefined ? [] : ['matrix'])];
  if (routing.router !== undefined) {
    return legacy.map((key) => {
      const message = `cannot be used together with routing.router: migrate it to routing.router.settings.${key}`;
      return { ...finding([key], message, 'config_conflict'), onKey: true };
    });
  }
  if (legacy.length < 2) return [];
  const message = "cannot use both 'groups' and 'matrix'";
  return [{ ...finding(['matrix'], message, 'config_conflict'), onKey: true }];
}

function checkGroups(groups: GroupsConfig, path: ConfigPath, table: NameTable | undefined): CheckResult {
  const problems: Finding[] = [];
  const warnings: Finding[] = [];
  const groupByMember = new Map<string, string>();
  for (const [name, { members }] of Object.entries(groups)) {
    for (const [index, member] of members.entries()) {
      const place = [...path, name, 'members', index];
      const other = groupByMember.get(member);
      if (other === undefined) groupByMember.set(member, name);
      else {
        const message =
          other === name
            ? `model member ${member} is listed twice in group ${name}`
            : `model member ${member} is used in multiple groups: ${other} and ${name}`;
        problems.push(finding(place, message, 'config_conflict'));
      }
      if (table !== undefined && !table.models.has(member)) {
        warnings.push(finding(place, `no model config for "${member}": ignored`, 'config_reference'));
      }
    }
  }
  return { problems, warnings };
}

function checkMatrix(matrix: MatrixConfig, path: ConfigPath, table: NameTable): Finding[] {
  const findings: Finding[] = [];
  const vars = new Map(Object.entries(matrix.vars));
  for (const [name, model] of vars) {
    const place = [...path, 'vars', name];
    if (!/^[a-zA-Z0-9.-]{1,32}$/.test(name)) {
      const message = 'a var must be 1 to 32 letters, digits, dots or dashes';
      findings.push({ ...finding(place, message, 'config_invalid'), onKey: true });
    }
    if (!table.models.has(model)) {
      const message = `var '${name}' references unknown model '${model}'`;
      findings.push(finding(place, message, 'config_reference'));
    }
  }
  for (const [name, cost] of Object.entries(matrix.evict_costs)) {
    const place = [...path, 'evict_costs', name];
    if (!vars.has(name) && !table.models.has(name)) {
      const message = `evict_costs names unknown var or model '${name}'`;
      findings.push({ ...finding(place, message, 'config_reference'), onKey: true });
    }
    if (cost <= 0) {
      const message = `the evict cost of '${name}' must be more than 0`;
      findings.push({ ...finding(place, message, 'config_invalid'), showsValue: true });
    }
  }
  // What a var leads to is judged above.
  const isModel = (name: string): boolean => table.models.has(name) || [...vars.values()].includes(name);
  const fault = faultOfSets({ vars, sets: new Map(Object.entries(matrix.sets)), isModel });
  if (fault !== undefined) {
    const set = /^set '([^']*)'/.exec(fault)?.[1];
    const place = set === undefined ? path : [...path, 'sets', set];
    findings.push(finding(place, fault, 'config_invalid'));
  }
  return findings;
}

const resources = ['vram', 'ram'] as const;

function checkMemory(budget: MemoryConfig, { models }: Config): Finding[] {
  if (resources.every((resource) => budget[resource] === undefined)) {
    const message =
      "routing.router.use is 'memory' but routing.router.settings.memory sets neither vram nor ram";
    return [finding(['routing', 'router'], message, 'config_reference')];
  }
  return Object.entries(models).flatMap(([id, { memory }]) =>
    resources.flatMap((resource) => {
      const [need = 0, limit = Infinity] = [memory[resource], budget[resource]];
      if (need <= limit) return [];
      const message = `more than routing.router.settings.memory.${resource} (${formatSize(limit)}): it could never run`;
      return [finding(['models', id, 'memory', resource], message, 'config_conflict')];
    }),
  );
}

/** Needs for which there is no budget. */
function warnAboutNeeds(source: RoutingSource, { models }: Config): Finding[] {
  return Object.entries(models).flatMap(([id, { memory }]) =>
    resources
      .filter((resource) => memory[resource] !== undefined)
      .flatMap((resource) => {
        if (source.kind === 'memory' && source.memory[resource] !== undefined) return [];
        const message =
          source.kind === 'memory'
            ? `has no effect: routing.router.settings.memory sets no ${resource}`
            : "has no effect: routing.router.use is not 'memory'";
        return [finding(['models', id, 'memory', resource], message, 'config_reference')];
      }),
  );
}

function faultOfSets(source: Parameters<typeof compileMatrix>[0]): string | undefined {
  try {
    compileMatrix(source);
    return undefined;
  } catch (error) {
    if (!(error instanceof MatrixError)) throw error;
    return error.message;
  }
}

function checkPriorities({ routing }: Config, table: NameTable): Finding[] {
  const path = ['routing', 'scheduler', 'settings', 'fifo', 'priority'];
  return Object.keys(routing.scheduler.settings.fifo.priority)
    .filter((name) => findServed(table, name)?.kind !== 'model')
    .map((name) => ({
      ...finding([...path, name], `priority for unknown model '${name}'`, 'config_reference'),
      onKey: true,
    }));
}

function finding(path: ConfigPath, message: string, code: ConfigProblemCode): Finding {
  return { path, message, code };
}
