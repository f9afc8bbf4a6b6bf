/** Macros of one model: its own laid over the global ones, `${MODEL_ID}`, and the port it gets for `${PORT}`. */
import { fillScalar, fillTree, leaveForRun, rejectUnknownMacros } from './fill-tree.ts';
import type { Report } from './fill-tree.ts';
import { overlayMacros, unknownMacros } from './macros.ts';
import type { Macro } from './macros.ts';
import { hiddenPlaceholder, hidePlaceholders, showPlaceholders } from './placeholders.ts';
import type { ConfigPath } from './problems.ts';
import { readMacros } from './read-macros.ts';
import type { TreeEntry, TreeMap, TreeNode, TreeScalar } from './tree.ts';

export interface ModelExpansionOptions {
  readonly globals: readonly Macro[];
  /** A port for this model; undefined = there are none left. */
  readonly takePort: () => number | undefined;
  readonly report: Report;
}

const port = hiddenPlaceholder('PORT');

/** The entry of model `id` with its macros filled in and without its `macros`. What is no map stays as it is. */
export function expandModel(id: string, entry: TreeEntry, options: ModelExpansionOptions): TreeEntry {
  const { node } = entry;
  const isEmpty = node.kind === 'scalar' && node.value === null;
  if (node.kind !== 'map' && !isEmpty) return entry;
  const { globals, report } = options;
  const path = ['models', id];
  const entries = new Map(node.kind === 'map' ? node.entries : []);
  const own = readMacros(entries.get('macros')?.node, {
    path: [...path, 'macros'],
    prefix: `model ${id}: `,
    report,
  });
  entries.delete('macros');
  dropComments(entries);
  const proxy = entries.get('proxy')?.node;
  if (proxy === undefined || (proxy.kind === 'scalar' && proxy.value === null)) {
    entries.set('proxy', textEntry(`http://localhost:${port}`, entry.keyOffset));
  }
  const plain: TreeMap = { kind: 'map', entries, offset: node.offset, size: node.size };
  const filled = fillModel(plain, path, [modelId(id), ...overlayMacros(globals, own)], report);
  return { ...entry, node: withoutLeftovers(id, withPort(id, filled, options), report) };
}

/** Macros in values anywhere, and in the keys of `filters.setParamsByID`, which are names of models. */
function fillModel(model: TreeMap, path: ConfigPath, macros: readonly Macro[], report: Report): TreeMap {
  const filled = fillTree(model, path, macros, report) as TreeMap;
  return changeNames(filled, (names) => {
    const entries = new Map<string, TreeEntry>();
    const writtenByName = new Map<string, string>();
    for (const [written, entry] of names.entries) {
      const place = [...path, 'filters', 'setParamsByID', written];
      const hidden = textScalar(hidePlaceholders(written), entry.keyOffset);
      const name = keyText(fillScalar(hidden, place, macros, report));
      const other = writtenByName.get(name);
      if (other === undefined) entries.set(name, entry);
      else {
        report({
          path: place,
          offset: entry.keyOffset,
          message: `filters.setParamsByID keys '${other}' and '${written}' resolve to the same value '${name}'`,
          code: 'config_conflict',
        });
      }
      writtenByName.set(name, other ?? written);
    }
    return { ...names, entries };
  });
}

/** `${PORT}` means something only where `cmd` passes it on. */
function withPort(id: string, model: TreeMap, { takePort, report }: ModelExpansionOptions): TreeMap {
  const inCmd = usesPort(model.entries.get('cmd')?.node);
  const proxy = model.entries.get('proxy');
  if (!inCmd && !usesPort(proxy?.node)) return model;
  if (!inCmd) {
    report({
      path: ['models', id],
      offset: proxy?.keyOffset ?? model.offset,
      message: `model ${id}: proxy uses \${PORT} but cmd does not - \${PORT} is only available when used in cmd`,
      code: 'config_reference',
    });
  }
  const value = inCmd ? takePort() : 0;
  if (value === undefined) {
    const message = `model ${id}: no port is left for \${PORT}, see startPort`;
    report({ path: ['models', id], offset: model.offset, message, code: 'config_invalid' });
  }
  const macro: Macro = { name: 'PORT', value: value ?? 0, written: String(value ?? 0), variables: [] };
  return fillModel(model, ['models', id], [macro], report);
}

function withoutLeftovers(id: string, model: TreeMap, report: Report): TreeMap {
  const messageOf = (place: ConfigPath, placeholder: string): string => {
    const field = place.slice(2).join('.');
    const section = String(place[2]);
    if (section === 'metadata' || section === 'capabilities') {
      return `model ${id} ${section}: unknown macro '${placeholder}' found in ${field}`;
    }
    return `unknown macro '${placeholder}' found in ${id}.${field}`;
  };
  const entries = new Map<string, TreeEntry>();
  for (const [key, entry] of model.entries) {
    const path = ['models', id, key];
    const node = key === 'cmdStop' || key === 'hooks' ? leaveForRun(entry.node, ['PID']) : entry.node;
    entries.set(key, { ...entry, node: rejectUnknownMacros(node, path, messageOf, report) });
  }
  return changeNames({ ...model, entries }, (names) => {
    for (const [name, { keyOffset }] of names.entries) {
      for (const unknown of unknownMacros(textScalar(hidePlaceholders(name), keyOffset))) {
        report({
          path: ['models', id, 'filters', 'setParamsByID', name],
          offset: keyOffset,
          message: `unknown macro '\${${unknown}}' found in key of ${id}.filters.setParamsByID`,
          code: 'config_reference',
        });
      }
    }
    return names;
  });
}

/** A macro in a comment must neither be filled in nor be unknown. Blank lines stay. */
function dropComments(entries: Map<string, TreeEntry>): void {
  for (const key of ['cmd', 'cmdStop']) {
    const entry = entries.get(key);
    if (entry?.node.kind !== 'scalar' || typeof entry.node.value !== 'string') continue;
    entries.set(key, { ...entry, node: { ...entry.node, value: stripComments(entry.node.value) } });
  }
}

/** Without the lines that begin with `#`, spaces before it allowed. */
export function stripComments(text: string): string {
  return text
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('#'))
    .join('\n');
}

function changeNames(model: TreeMap, change: (names: TreeMap) => TreeMap): TreeMap {
  const filters = model.entries.get('filters');
  if (filters?.node.kind !== 'map') return model;
  const names = filters.node.entries.get('setParamsByID');
  if (names?.node.kind !== 'map') return model;
  const inner = new Map(filters.node.entries).set('setParamsByID', { ...names, node: change(names.node) });
  const entries = new Map(model.entries).set('filters', {
    ...filters,
    node: { ...filters.node, entries: inner },
  });
  return { ...model, entries };
}

function usesPort(node: TreeNode | undefined): boolean {
  return node?.kind === 'scalar' && typeof node.value === 'string' && node.value.includes(port);
}

function modelId(id: string): Macro {
  return { name: 'MODEL_ID', value: id, written: id, variables: [] };
}

function textScalar(value: string, offset: number): TreeScalar {
  return { kind: 'scalar', value, variables: [], offset, size: 1 };
}

function textEntry(value: string, keyOffset: number): TreeEntry {
  return { keyOffset, node: textScalar(value, keyOffset) };
}

/** Keys are kept as they would be written, also in the middle of the work. */
function keyText({ value }: TreeScalar): string {
  return showPlaceholders(String(value));
}
