/** Macros in whole parts of the tree: fills them in at any depth, and rejects those that nobody defined. */
import { fillMacros, showLeftovers, unknownMacros } from './macros.ts';
import type { Macro } from './macros.ts';
import { hiddenPlaceholder, showPlaceholders } from './placeholders.ts';
import type { ConfigPath } from './problems.ts';
import type { TreeEntry, TreeNode, TreeProblem, TreeScalar } from './tree.ts';

export type Report = (problem: TreeProblem) => void;

/** The tree with its macros filled in; parts without any are shared, not copied. Keys stay as they are. */
export function fillTree(
  node: TreeNode,
  path: ConfigPath,
  macros: readonly Macro[],
  report: Report,
): TreeNode {
  return mapScalars(node, path, (scalar, place) => fillScalar(scalar, place, macros, report));
}

/** One value of it. */
export function fillScalar(
  scalar: TreeScalar,
  path: ConfigPath,
  macros: readonly Macro[],
  report: Report,
): TreeScalar {
  try {
    return fillMacros(scalar, macros);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    report({ path, offset: scalar.offset, message: error.message, code: 'config_reference' });
    return { ...scalar, value: '' };
  }
}

/** Reports every macro that is left and makes it plain text. `messageOf` gets the place and `${name}`. */
export function rejectUnknownMacros(
  node: TreeNode,
  path: ConfigPath,
  messageOf: (place: ConfigPath, placeholder: string) => string,
  report: Report,
): TreeNode {
  return mapScalars(node, path, (scalar, place) => {
    const unknown = unknownMacros(scalar);
    if (unknown.length === 0) return scalar;
    for (const name of unknown) {
      report({
        path: place,
        offset: scalar.offset,
        message: messageOf(place, `\${${name}}`),
        code: 'config_reference',
      });
    }
    return showLeftovers(scalar);
  });
}

/** Makes some placeholders plain text: what they stand for is known only when a command runs. */
export function leaveForRun(node: TreeNode, names: readonly string[]): TreeNode {
  return mapScalars(node, [], (scalar) => {
    const value = names.reduce((text, name) => {
      const placeholder = hiddenPlaceholder(name);
      return text.replaceAll(placeholder, showPlaceholders(placeholder));
    }, String(scalar.value));
    return value === scalar.value ? scalar : { ...scalar, value };
  });
}

function mapScalars(
  node: TreeNode,
  path: ConfigPath,
  change: (scalar: TreeScalar, path: ConfigPath) => TreeScalar,
): TreeNode {
  if (node.kind === 'scalar') return typeof node.value === 'string' ? change(node, path) : node;
  if (node.kind === 'list') {
    const items = node.items.map((item, index) => mapScalars(item, [...path, index], change));
    return items.every((item, index) => item === node.items[index]) ? node : { ...node, items };
  }
  let changed = false;
  const entries = new Map<string, TreeEntry>();
  for (const [key, entry] of node.entries) {
    const child = mapScalars(entry.node, [...path, key], change);
    if (child !== entry.node) changed = true;
    entries.set(key, child === entry.node ? entry : { ...entry, node: child });
  }
  return changed ? { ...node, entries } : node;
}
