/**
 * Several configuration files as one tree: maps are joined, lists put one after the other, and what two files say
 * differently is a problem. Every node keeps its place, so that messages name the right file.
 */
import type { Environment } from './placeholders.ts';
import { formatPath } from './problems.ts';
import type { ConfigPath } from './problems.ts';
import { ignoredKeyPrefix } from './schema-node.ts';
import type { TreeEntry, TreeMap, TreeNode, TreeProblem } from './tree.ts';
import { parseYamlTree } from './yaml-tree.ts';

export interface ConfigSource {
  /** Name in messages. */
  readonly file: string;
  readonly text: string;
}

export interface SourceTree {
  /** Undefined when all files are empty, and when one is not YAML. */
  readonly root: TreeNode | undefined;
  /** In no particular order. */
  readonly problems: readonly TreeProblem[];
  /** The file of an offset, and its 1-based line and column there. */
  position(offset: number): { file: string; line: number; column: number };
}

/** Maps whose keys are names: the same name in two files is two things, not one to be joined. */
const namedThings: ReadonlySet<string> = new Set([
  'models',
  'backends',
  'groups',
  'profiles',
  'selectors',
  'peers',
  'matrix.vars',
  'matrix.evict_costs',
  'matrix.sets',
  'routing.router.settings.groups',
  'routing.router.settings.matrix.vars',
  'routing.router.settings.matrix.evict_costs',
  'routing.router.settings.matrix.sets',
]);

/** Reads and joins the files in their order. Never throws. */
export function parseSources(sources: readonly ConfigSource[], env: Environment): SourceTree {
  let base = 0;
  const files = sources.map(({ file, text }) => {
    const begin = base;
    base += text.length + 1;
    return { file, begin, tree: parseYamlTree(text, env, begin) };
  });
  const position: SourceTree['position'] = (offset) => {
    const place = files.findLast(({ begin }) => begin <= offset) ?? files[0];
    if (place === undefined) return { file: '', line: 0, column: 0 };
    return { file: place.file, ...place.tree.position(offset) };
  };
  const problems = files.flatMap(({ tree }) => tree.problems);
  const isUnreadable = files.some(({ tree }) => tree.root === undefined && tree.problems.length > 0);
  if (isUnreadable) return { root: undefined, problems, position };
  const report = (problem: TreeProblem): void => void problems.push(problem);
  const merge = createMerge((offset) => position(offset).file, report);
  let root: TreeNode | undefined;
  for (const { tree } of files) {
    const next = tree.root === undefined ? undefined : withoutIgnoredKeys(tree.root);
    root = root === undefined ? next : next === undefined ? root : merge(root, next, []);
  }
  return { root, problems, position };
}

/** Joins the second node into the first; reports what contradicts, and keeps the first of it. */
function createMerge(
  fileOf: (offset: number) => string,
  report: (problem: TreeProblem) => void,
): (first: TreeNode, second: TreeNode, path: ConfigPath) => TreeNode {
  const conflict = (path: ConfigPath, [first, second]: readonly [number, number], what: string): void =>
    report({
      path,
      offset: second,
      message: `conflict at "${formatPath(path)}": ${fileOf(first)} and ${fileOf(second)} have ${what}`,
      code: 'config_conflict',
    });

  function merge(first: TreeNode, second: TreeNode, path: ConfigPath): TreeNode {
    if (isNull(second)) return first;
    if (isNull(first)) return second;
    if (first.kind === 'map' && second.kind === 'map') return mergeMaps(first, second, path);
    if (first.kind === 'list' && second.kind === 'list') {
      return { ...first, items: [...first.items, ...second.items], size: first.size + second.size };
    }
    const places = [first.offset, second.offset] as const;
    if (first.kind !== second.kind) conflict(path, places, 'incompatible YAML node kinds');
    else if (first.kind === 'scalar' && second.kind === 'scalar' && first.value !== second.value) {
      conflict(path, places, 'different values');
    }
    return first;
  }

  function mergeMaps(first: TreeMap, second: TreeMap, path: ConfigPath): TreeMap {
    const holdsNamed = namedThings.has(path.join('.'));
    const entries = new Map<string, TreeEntry>(first.entries);
    for (const [key, entry] of second.entries) {
      const known = entries.get(key);
      if (known === undefined) entries.set(key, entry);
      else if (holdsNamed) {
        const files = `${fileOf(known.keyOffset)} and ${fileOf(entry.keyOffset)}`;
        const message = `duplicate ${path.join('.')} "${key}" found in ${files}`;
        report({ path: [...path, key], offset: entry.keyOffset, message, code: 'config_conflict' });
      } else entries.set(key, { ...known, node: merge(known.node, entry.node, [...path, key]) });
    }
    return { ...first, entries, size: first.size + second.size };
  }

  return merge;
}

function isNull(node: TreeNode): boolean {
  return node.kind === 'scalar' && node.value === null;
}

/** Anchors belong to their file; two files may keep theirs under the same key. */
function withoutIgnoredKeys(root: TreeNode): TreeNode {
  if (root.kind !== 'map') return root;
  const entries = [...root.entries].filter(([key]) => !key.startsWith(ignoredKeyPrefix));
  return { ...root, entries: new Map(entries) };
}
