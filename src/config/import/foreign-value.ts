/** Values of a foreign configuration, each with the place where it stands. Owns reading YAML, JSON and env files; knows no key. */
import type { ConfigProblem } from '../problems.ts';
import type { TreeNode } from '../tree.ts';
import { parseForeignYaml } from '../yaml-tree.ts';

export interface Place {
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  readonly column: number;
}

export interface ForeignScalar {
  readonly kind: 'scalar';
  readonly value: string | number | boolean | null;
  readonly at: Place;
}

export interface ForeignList {
  readonly kind: 'list';
  readonly items: readonly ForeignValue[];
  readonly at: Place;
}

export interface ForeignMap {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, ForeignEntry>;
  readonly at: Place;
}

export interface ForeignEntry {
  readonly value: ForeignValue;
  /** Of the key. */
  readonly at: Place;
}

export type ForeignValue = ForeignScalar | ForeignList | ForeignMap;

export interface ForeignText {
  /** Name in messages. */
  readonly file: string;
  readonly text: string;
}

export type ForeignMapResult =
  | { readonly ok: true; readonly map: ForeignMap }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/** A file of YAML or JSON whose top level is a map; an empty one has no entries. Never throws. */
export function readForeignMap({ file, text }: ForeignText): ForeignMapResult {
  // JSON may be indented with tabs, YAML may not. Inside of JSON's texts there are none.
  const isJson = /^\s*\{/.test(text);
  const tree = parseForeignYaml(isJson ? text.replaceAll('\t', ' ') : text);
  const placeOf = (offset: number): Place => ({ file, ...tree.position(offset) });
  if (tree.problems.length > 0) {
    const problems = tree.problems.map(({ offset, message, code }) => ({
      ...placeOf(offset),
      path: '',
      message,
      code,
    }));
    return { ok: false, problems: problems.sort((a, b) => a.line - b.line || a.column - b.column) };
  }
  const root = tree.root === undefined ? undefined : placed(tree.root, placeOf);
  const start: Place = { file, line: 1, column: 1 };
  if (root === undefined || (root.kind === 'scalar' && root.value === null)) {
    return { ok: true, map: { kind: 'map', entries: new Map(), at: start } };
  }
  return root.kind === 'map'
    ? { ok: true, map: root }
    : { ok: false, problems: [problemAt(root.at, '', 'must be a map of keys')] };
}

/** A file of `NAME=value` lines, as a shell or Docker reads it. Of equal names the last wins. Never throws. */
export function readEnvFile({ file, text }: ForeignText): ForeignMapResult {
  const entries = new Map<string, ForeignEntry>();
  const problems: ConfigProblem[] = [];
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const content = line.trimStart();
    if (content === '' || content.startsWith('#')) continue;
    const at: Place = { file, line: index + 1, column: line.length - content.length + 1 };
    const match = /^(?:export\s+)?([A-Za-z_][\w.-]*)\s*=(.*)$/.exec(content);
    if (match === null) {
      problems.push(problemAt(at, '', 'must be NAME=value'));
      continue;
    }
    const [, name = '', written = ''] = match;
    const value = tryUnquote(written.trim());
    if (value === undefined) problems.push(problemAt(at, name, 'the closing quote is missing'));
    else entries.set(name, { at, value: { kind: 'scalar', value, at } });
  }
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, map: { kind: 'map', entries, at: { file, line: 1, column: 1 } } };
}

/** A plain value as a foreign one, all of it at one place: for JSON inside of an environment variable. */
export function foreignValueOf(plain: unknown, at: Place): ForeignValue {
  if (Array.isArray(plain)) {
    return { kind: 'list', at, items: plain.map((item) => foreignValueOf(item, at)) };
  }
  if (typeof plain === 'object' && plain !== null) {
    const entries = Object.entries(plain).map(
      ([key, value]) => [key, { at, value: foreignValueOf(value, at) }] as const,
    );
    return { kind: 'map', at, entries: new Map(entries) };
  }
  const isScalar = typeof plain === 'string' || typeof plain === 'number' || typeof plain === 'boolean';
  return { kind: 'scalar', at, value: isScalar ? plain : null };
}

export function problemAt(at: Place, path: string, message: string): ConfigProblem {
  return { ...at, path, message, code: 'config_invalid' };
}

function placed(node: TreeNode, placeOf: (offset: number) => Place): ForeignValue {
  const at = placeOf(node.offset);
  if (node.kind === 'scalar') return { kind: 'scalar', value: node.value, at };
  if (node.kind === 'list')
    return { kind: 'list', items: node.items.map((item) => placed(item, placeOf)), at };
  const entries = [...node.entries].map(
    ([key, entry]) => [key, { at: placeOf(entry.keyOffset), value: placed(entry.node, placeOf) }] as const,
  );
  return { kind: 'map', entries: new Map(entries), at };
}

/** The value without its quotes and without the comment behind it; undefined when a quote is not closed. */
function tryUnquote(written: string): string | undefined {
  const quote = written.charAt(0);
  if (quote === '"' || quote === "'") {
    const end = written.indexOf(quote, 1);
    return end < 0 ? undefined : written.slice(1, end);
  }
  return written.replace(/(?:^|\s+)#.*$/, '');
}
