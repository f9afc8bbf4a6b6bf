/** What a reload has to do: the difference between two configurations, without values, so that it can be logged. Pure. */
import { isDeepStrictEqual } from 'node:util';
import type { SchedulerSettings } from '../scheduler/settings.ts';
import { formatPath } from './problems.ts';
import type { ConfigPath } from './problems.ts';
import type { Config } from './schema.ts';
import { schemaAt } from './schema-node.ts';
import { resolveModels } from './resolve-models.ts';
import { toSchedulerSettings } from './settings.ts';

/** Names of things that a reload adds, changes, removes, and leaves alone. */
export interface NamedChanges {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  readonly unchanged: readonly string[];
}

export interface ReloadPlan {
  /** False: the new file says the same, nothing is to be done. */
  readonly changes: boolean;
  /** Unchanged ones keep their connections, readings and streams. */
  readonly backends: NamedChanges;
  /** By what they come to: a new `globalTTL` changes every model that inherits it. Unchanged ones keep their process. */
  readonly models: NamedChanges;
  readonly peers: NamedChanges;
  readonly profiles: NamedChanges;
  readonly selectors: NamedChanges;
  /** Which models may be loaded together, or their priorities; new models alone count too, as members of a group. */
  readonly routing: boolean;
  readonly listen: { readonly added: readonly string[]; readonly removed: readonly string[] };
  /** The scheduler's settings differ. */
  readonly scheduler: boolean;
  readonly apiKeys: boolean;
  readonly affinity: boolean;
  readonly probes: boolean;
  readonly limits: boolean;
  readonly drain: boolean;
  readonly log: boolean;
  /** Keys that changed and take effect only after a restart, such as `limits.header`. */
  readonly needsRestart: readonly string[];
  /** Every key that changed, in the order of the schema; a backend that came or went is one key. */
  readonly changedKeys: readonly string[];
}

/** Compares what is in force with what is to be. */
export function planReload(before: Config, after: Config): ReloadPlan {
  const paths = changedPaths(before, after, []);
  const touches = (key: keyof Config): boolean => paths.some((path) => path[0] === key);
  const [old, next] = [resolveModels(before), resolveModels(after)];
  return {
    changes: paths.length > 0,
    backends: compareNamed(Object.entries(before.backends), Object.entries(after.backends)),
    models: compareNamed(old.models, next.models),
    peers: compareNamed(old.peers, next.peers),
    profiles: compareNamed(old.profiles, next.profiles),
    selectors: compareNamed(old.selectors, next.selectors),
    routing: !isDeepStrictEqual([old.routing, old.priorities], [next.routing, next.priorities]),
    listen: {
      added: after.listen.filter((address) => !before.listen.includes(address)),
      removed: before.listen.filter((address) => !after.listen.includes(address)),
    },
    scheduler: !isDeepStrictEqual(comparable(before), comparable(after)),
    apiKeys: touches('apiKeys'),
    affinity: touches('affinity'),
    probes: touches('probes'),
    limits: touches('limits'),
    drain: touches('drain'),
    log: touches('log'),
    needsRestart: paths.filter(needsRestart).map(formatPath),
    changedKeys: paths.map(formatPath),
  };
}

function compareNamed(
  before: Iterable<readonly [string, unknown]>,
  after: Iterable<readonly [string, unknown]>,
): NamedChanges {
  const [old, next] = [new Map(before), new Map(after)];
  const kept = [...next.keys()].filter((name) => old.has(name));
  const isSame = (name: string): boolean => isDeepStrictEqual(old.get(name), next.get(name));
  return {
    added: [...next.keys()].filter((name) => !old.has(name)),
    changed: kept.filter((name) => !isSame(name)),
    removed: [...old.keys()].filter((name) => !next.has(name)),
    unchanged: kept.filter(isSame),
  };
}

function changedPaths(before: unknown, after: unknown, path: ConfigPath): ConfigPath[] {
  if (isDeepStrictEqual(before, after)) return [];
  if (!isMap(before) || !isMap(after)) return [path];
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].flatMap((key) => changedPaths(own(before, key), own(after, key), [...path, key]));
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function own(map: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}

/** A map that is marked so takes changes of its keys: only that it comes or goes needs the restart. */
function needsRestart(path: ConfigPath): boolean {
  return schemaAt(path)?.restart === true;
}

/** Without the planners: those are functions, and what they are made of is compared where it comes from. */
function comparable(config: Config): Omit<SchedulerSettings, 'residency'> {
  const { residency: _residency, ...settings } = toSchedulerSettings(config);
  return settings;
}
