/** A parsed configuration file: values, each with the place where it stands. Aliased parts are shared, not copied. */
import type { ConfigPath, Finding } from './problems.ts';

export interface TreeScalar {
  readonly kind: 'scalar';
  readonly value: string | number | boolean | null;
  /** Environment variables that went into it. */
  readonly variables: readonly string[];
  /** As it was written, if it has no quotes: a number may have to be taken as text. */
  readonly plainText?: string;
  readonly offset: number;
  readonly size: 1;
}

export interface TreeList {
  readonly kind: 'list';
  readonly items: readonly TreeNode[];
  readonly offset: number;
  readonly size: number;
}

export interface TreeMap {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, TreeEntry>;
  readonly offset: number;
  readonly size: number;
}

export interface TreeEntry {
  readonly keyOffset: number;
  readonly node: TreeNode;
}

/** `size` counts the values below, aliases expanded. */
export type TreeNode = TreeScalar | TreeList | TreeMap;

/** Found while the tree was built: its place is known at once. */
export type TreeProblem = Finding & { readonly offset: number };

/** Where a path leads: its entry if it exists, else the nearest thing above it that does. */
export interface Located {
  /** Undefined when the path does not exist. */
  readonly node: TreeNode | undefined;
  readonly keyOffset: number;
  readonly valueOffset: number;
}

export function locate(root: TreeNode | undefined, path: ConfigPath): Located {
  let node = root;
  let keyOffset = root?.offset ?? 0;
  for (const segment of path) {
    const child = childOf(node, segment);
    if (child === undefined) return { node: undefined, keyOffset, valueOffset: keyOffset };
    keyOffset = child.keyOffset;
    node = child.node;
  }
  // An empty value has no place of its own.
  const isEmpty = node?.kind === 'scalar' && node.value === null;
  return { node, keyOffset, valueOffset: isEmpty || node === undefined ? keyOffset : node.offset };
}

function childOf(node: TreeNode | undefined, segment: string | number): TreeEntry | undefined {
  if (node?.kind === 'map') return node.entries.get(String(segment));
  if (node?.kind !== 'list' || typeof segment !== 'number') return undefined;
  const item = node.items[segment];
  return item === undefined ? undefined : { keyOffset: item.offset, node: item };
}
