/**
 * Unknown keys that may stay: at the top level, where people keep anchors, and in llama-swap's sections, where llama-swap
 * ignores them. They are taken out with a warning; one that looks like a misspelt or misplaced key stays, as an error.
 */
import type { ConfigPath, Finding } from './problems.ts';
import { shownText } from './problems.ts';
import { siblingLike, likelyPlaces } from './key-hints.ts';
import { childSchema, ignoredKeyPrefix, rootNode } from './schema-node.ts';
import type { SchemaNode } from './schema-node.ts';
import { llamaSwapShape } from './schema-llama-swap.ts';
import type { TreeEntry, TreeMap, TreeNode } from './tree.ts';

/** Looking for near names is the slow part; a file with more unknown keys than this is no configuration. */
const searchesMax = 100;

/** Keys at the top level that are llama-swap's. */
export const llamaSwapKeys: ReadonlySet<string> = new Set(Object.keys(llamaSwapShape));

export function dropUnknownKeys(root: TreeMap): {
  readonly root: TreeMap;
  readonly warnings: readonly Finding[];
} {
  const warnings: Finding[] = [];
  let searchesLeft = searchesMax;
  const isNear = (search: () => boolean): boolean => {
    searchesLeft -= 1;
    return searchesLeft >= 0 && search();
  };
  const warn = (path: ConfigPath, key: string, offset: number): void => {
    const message = `unknown key '${shownText(key)}' is ignored`;
    warnings.push({ path: [...path, key], message, code: 'config_invalid', offset });
  };

  function inside(node: TreeNode, schema: SchemaNode | undefined, path: ConfigPath): TreeNode {
    if (schema === undefined || node.kind === 'scalar') return node;
    if (node.kind === 'list') return node;
    const closed = schema.additionalProperties === false;
    return mapEntries(node, (key, entry) => {
      const child = childSchema(schema, key);
      if (child !== undefined || !closed) return inside(entry.node, child, [...path, key]);
      if (isNear(() => siblingLike(schema, key) !== undefined)) return entry.node;
      warn(path, key, entry.keyOffset);
      return undefined;
    });
  }

  const kept = mapEntries(root, (key, entry) => {
    if (key.startsWith(ignoredKeyPrefix)) return undefined;
    const child = childSchema(rootNode, key);
    if (child !== undefined) return llamaSwapKeys.has(key) ? inside(entry.node, child, [key]) : entry.node;
    const isSetting = entry.node.kind === 'scalar';
    const looksMeant = (): boolean =>
      siblingLike(rootNode, key) !== undefined || (isSetting && likelyPlaces(key) !== undefined);
    if (isNear(looksMeant)) return entry.node;
    warn([], key, entry.keyOffset);
    return undefined;
  });
  return { root: kept, warnings };
}

/** The map with other values; undefined takes an entry out. The same map when nothing changes. */
function mapEntries(map: TreeMap, change: (key: string, entry: TreeEntry) => TreeNode | undefined): TreeMap {
  let changed = false;
  const entries = new Map<string, TreeEntry>();
  for (const [key, entry] of map.entries) {
    const node = change(key, entry);
    if (node !== entry.node) changed = true;
    if (node !== undefined) entries.set(key, node === entry.node ? entry : { ...entry, node });
  }
  return changed ? { ...map, entries } : map;
}
