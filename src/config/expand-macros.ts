/**
 * Macros of the whole file: reads the global ones, fills them in everywhere outside `models`, and has every model filled
 * in by itself, in sorted order, so that ports do not depend on where a model stands in the file.
 */
import { expandModel } from './expand-model.ts';
import { fillTree, leaveForRun, rejectUnknownMacros } from './fill-tree.ts';
import type { Macro } from './macros.ts';
import { PortPool } from './port-pool.ts';
import { readMacros } from './read-macros.ts';
import type { TreeEntry, TreeMap, TreeProblem } from './tree.ts';

export const startPortDefault = 5800;

/** A hook runs for one model: these are known then. */
const hookMacros = ['MODEL_ID', 'PORT', 'PID'] as const;

export interface MacroOptions {
  /** Ports of the models that run, with the `startPort` they come from: used again where that has not changed. */
  readonly before?: { readonly startPort: number; readonly ports: ReadonlyMap<string, number> };
}

/** The tree without macros and without `macros`. */
export function expandMacros(
  root: TreeMap,
  options: MacroOptions = {},
): { readonly root: TreeMap; readonly problems: readonly TreeProblem[] } {
  const problems: TreeProblem[] = [];
  const report = (problem: TreeProblem): void => void problems.push(problem);
  const globals = readMacros(root.entries.get('macros')?.node, { path: ['macros'], prefix: '', report });
  const entries = new Map<string, TreeEntry>();
  for (const [key, entry] of root.entries) {
    if (key === 'macros') continue;
    if (key === 'models') entries.set(key, entry);
    else {
      const filled = fillTree(entry.node, [key], globals, report);
      const messageOf = (_place: unknown, placeholder: string): string =>
        `unknown macro '${placeholder}'${variableHint(placeholder)}`;
      const known = key === 'hooks' ? leaveForRun(filled, hookMacros) : filled;
      entries.set(key, { ...entry, node: rejectUnknownMacros(known, [key], messageOf, report) });
    }
  }
  const models = root.entries.get('models');
  if (models?.node.kind === 'map') {
    const pool = portPoolOf(entries.get('startPort'), models.node, options);
    const node = expandModels(models.node, { globals, pool, report });
    entries.set('models', { ...models, node });
  }
  return { root: { ...root, entries }, problems };
}

/** Other programs fill in environment variables where this one has macros. */
function variableHint(placeholder: string): string {
  const name = /^\$\{([A-Z][A-Z0-9_]*)\}$/.exec(placeholder)?.[1];
  return name === undefined ? '' : ` (an environment variable is written \${env.${name}})`;
}

function expandModels(
  models: TreeMap,
  options: {
    readonly globals: readonly Macro[];
    readonly pool: PortPool;
    readonly report: (problem: TreeProblem) => void;
  },
): TreeMap {
  const entries = new Map(models.entries);
  for (const [id, entry] of [...models.entries].sort(([a], [b]) => (a < b ? -1 : 1))) {
    entries.set(id, expandModel(id, entry, { ...options, takePort: () => options.pool.take(id) }));
  }
  return { ...models, entries };
}

/** A `startPort` that is wrong is reported by the schema. */
function portPoolOf(startPort: TreeEntry | undefined, models: TreeMap, { before }: MacroOptions): PortPool {
  const value = startPort?.node.kind === 'scalar' ? startPort.node.value : startPortDefault;
  const first = Number.isInteger(value) && Number(value) >= 1 ? Number(value) : startPortDefault;
  if (before?.startPort !== first) return new PortPool(first);
  return new PortPool(first, new Map([...before.ports].filter(([id]) => models.entries.has(id))));
}
