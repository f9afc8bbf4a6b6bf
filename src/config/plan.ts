/** What a reload has to do: the difference between two configurations, without values, so that it can be logged. Pure. */
import { isDeepStrictEqual } from 'node:util';
import type { BackendId } from '../domain/ids.ts';
import type { SchedulerSettings } from '../scheduler/settings.ts';
import { formatPath } from './problems.ts';
import type { ConfigPath } from './problems.ts';
import type { Config } from './schema.ts';
import { childSchema, rootNode } from './schema-node.ts';
import type { SchemaNode } from './schema-node.ts';
import { toSchedulerSettings } from './settings.ts';

export interface ReloadPlan {
  /** False: the new file says the same, nothing is to be done. */
  readonly changes: boolean;
  readonly backends: {
    readonly added: readonly BackendId[];
    readonly changed: readonly BackendId[];
    readonly removed: readonly BackendId[];
    /** Keep their connections, readings and streams. */
    readonly unchanged: readonly BackendId[];
  };
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
  return {
    changes: paths.length > 0,
    backends: planBackends(before.backends, after.backends),
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

function planBackends(before: Config['backends'], after: Config['backends']): ReloadPlan['backends'] {
  const added: BackendId[] = [];
  const changed: BackendId[] = [];
  const unchanged: BackendId[] = [];
  for (const [id, backend] of Object.entries(after)) {
    const known = Object.hasOwn(before, id) ? before[id] : undefined;
    if (known === undefined) added.push(id);
    else (isDeepStrictEqual(known, backend) ? unchanged : changed).push(id);
  }
  const removed = Object.keys(before).filter((id) => !Object.hasOwn(after, id));
  return { added, changed, removed, unchanged };
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

function needsRestart(path: ConfigPath): boolean {
  let node: SchemaNode | undefined = rootNode;
  for (const segment of path) {
    node = node === undefined ? undefined : childSchema(node, segment);
    if (node?.restart === true) return true;
  }
  return false;
}

/** Without the planners: those are functions, and what they are made of is compared where it comes from. */
function comparable(config: Config): Omit<SchedulerSettings, 'residency'> {
  const { residency: _residency, ...settings } = toSchedulerSettings(config);
  return settings;
}
