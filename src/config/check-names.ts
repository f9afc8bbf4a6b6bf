/** Rules for the names that models answer to: peers, selectors, profiles and what they point at. Pure. */
import type { ResidencyPlanner } from '../scheduler/residency/planner.ts';
import { faultOfProxy } from './check-models.ts';
import type { ServedTarget } from './models.ts';
import { findServed, qualifiedName } from './names.ts';
import type { NameTable } from './names.ts';
import type { CheckResult, ConfigPath, ConfigProblemCode, Finding } from './problems.ts';
import type { Config } from './schema.ts';

export interface NamesToCheck {
  readonly config: Config;
  readonly table: NameTable;
  /** undefined when the routing has problems of its own. */
  readonly planner: ResidencyPlanner | undefined;
  /** False when `models` or `peers` have problems of their own: a missing target may be their consequence. */
  readonly targetsKnown: boolean;
}

export function checkNames(input: NamesToCheck): CheckResult {
  const { config } = input;
  return {
    problems: [
      ...checkPeers(config, input.table),
      ...Object.keys(config.selectors).flatMap((id) => checkSelector(id, input)),
      ...Object.keys(config.profiles).flatMap((name) => checkProfile(name, input)),
    ],
    warnings: input.targetsKnown ? warnAboutPreload(config, input.table) : [],
  };
}

/** `PEER/MODEL` is reserved: nothing else may be called that. */
function checkPeers({ peers, selectors }: Config, { models, aliases }: NameTable): Finding[] {
  const findings: Finding[] = [];
  const peerByName = new Map<string, string>();
  for (const [id, peer] of Object.entries(peers)) {
    const fault = faultOfProxy(peer.proxy);
    if (fault !== undefined) findings.push(finding(['peers', id, 'proxy'], fault, 'config_invalid'));
    for (const [index, model] of peer.models.entries()) {
      const name = qualifiedName(id, model);
      const other = peerByName.get(name);
      const owner =
        other !== undefined && other !== id
          ? `a model of peer '${other}'`
          : models.has(name)
            ? 'a model ID'
            : aliases.has(name)
              ? `an alias of model '${aliases.get(name)}'`
              : Object.hasOwn(selectors, name)
                ? 'a selector ID'
                : undefined;
      if (owner !== undefined) {
        const message = `the name '${name}' of this peer model is also ${owner}`;
        findings.push(finding(['peers', id, 'models', index], message, 'config_conflict'));
      }
      peerByName.set(name, id);
    }
  }
  return findings;
}

function checkSelector(id: string, { config, table, planner, targetsKnown }: NamesToCheck): Finding[] {
  const path: ConfigPath = ['selectors', id];
  const selector = config.selectors[id];
  if (selector === undefined) return [];
  const reject = (place: ConfigPath, message: string, code: ConfigProblemCode): Finding =>
    finding(place, `selector '${id}': ${message}`, code);
  const findings: Finding[] = [];
  if (id.trim() === '') findings.push(reject(path, 'the ID must not be empty', 'config_invalid'));
  const owner = table.models.has(id) ? 'a model ID' : table.aliases.has(id) ? 'an alias' : undefined;
  if (owner !== undefined) {
    findings.push({ ...reject(path, `the ID is also ${owner}`, 'config_conflict'), onKey: true });
  }
  if (selector.targets.length === 0) {
    findings.push(reject(path, 'targets must not be empty', 'config_invalid'));
  }
  if (selector.settings.spillover < 1) {
    const place = [...path, 'settings', 'spillover'];
    findings.push(reject(place, 'settings.spillover must be at least 1', 'config_invalid'));
  }
  const resolved: ServedTarget[] = [];
  for (const [index, name] of selector.targets.entries()) {
    const place = [...path, 'targets', index];
    const target = findServed(table, name);
    if (target === undefined) {
      const isSelector = Object.hasOwn(config.selectors, name);
      const message = isSelector ? `target '${name}' is a selector` : `unknown target '${name}'`;
      if (isSelector || targetsKnown) findings.push(reject(place, message, 'config_reference'));
      continue;
    }
    if (selector.strategy === 'warm' && target.kind === 'peer') {
      const message = `target '${name}' is a peer model; warm takes local models only`;
      findings.push(reject(place, message, 'config_invalid'));
    }
    if (selector.strategy === 'spillover' && resolved.some((other) => isSame(other, target))) {
      const message = `target '${name}' is the same model as one before it`;
      findings.push(reject(place, message, 'config_conflict'));
    }
    resolved.push(target);
  }
  const local = resolved.flatMap((target) => (target.kind === 'model' ? [target.model] : []));
  if (selector.strategy === 'spillover' && planner?.canHoldAll(local) === false) {
    const cure =
      planner.name === 'memory'
        ? 'together they need more memory than routing.router.settings.memory has'
        : 'put them into one group with swap: false, or into one matrix set';
    const message = `its local targets cannot run at the same time: ${cure}`;
    findings.push(reject([...path, 'targets'], message, 'config_conflict'));
  }
  return findings;
}

function checkProfile(name: string, { config, table, targetsKnown }: NamesToCheck): Finding[] {
  const path = ['profiles', name];
  const pins = Object.entries(config.profiles[name]?.pins ?? {});
  const findings: Finding[] = [];
  const reject = (place: ConfigPath, message: string, code: ConfigProblemCode): void => {
    findings.push(finding(place, `profile '${name}': ${message}`, code));
  };
  if (pins.length === 0) reject(path, 'must have at least one pin', 'config_invalid');
  for (const [requested, target] of pins) {
    const place = [...path, 'pins', requested];
    if (requested.trim() === '') reject(place, 'the name of a pin must not be empty', 'config_invalid');
    if (table.qualified.has(requested)) {
      reject(place, `pin '${requested}' is the name of a peer model`, 'config_conflict');
    }
    if (target === null || target === '' || !targetsKnown) continue;
    if (findServed(table, target) !== undefined || Object.hasOwn(config.selectors, target)) continue;
    const isPin = pins.some(([other]) => other === target);
    const message = isPin
      ? `pin '${requested}' leads to another pin '${target}'`
      : `pin '${requested}' has unknown target '${target}'`;
    reject(place, message, 'config_reference');
  }
  return findings;
}

function warnAboutPreload({ hooks }: Config, table: NameTable): Finding[] {
  return hooks.on_startup.preload.flatMap((name, index) => {
    if (findServed(table, name.trim())?.kind === 'model') return [];
    const message = `no local model is called '${name.trim()}': ignored`;
    return [finding(['hooks', 'on_startup', 'preload', index], message, 'config_reference')];
  });
}

function isSame(left: ServedTarget, right: ServedTarget): boolean {
  if (left.model !== right.model || left.kind !== right.kind) return false;
  return left.kind === 'model' || (right.kind === 'peer' && left.peer === right.peer);
}

function finding(path: ConfigPath, message: string, code: ConfigProblemCode): Finding {
  return { path, message, code };
}
