/**
 * The configuration that an importer builds: values with the comment that says where each came from, what could not be
 * carried, and the variables that have to be set. Secrets get in as names of variables only.
 */
import type { ConfigProblem } from '../problems.ts';
import { shownText } from '../problems.ts';
import { escapePlaceholders } from '../placeholders.ts';
import { problemAt } from './foreign-value.ts';
import type { ForeignValue, Place } from './foreign-value.ts';

export type DraftValue = string | number | boolean | readonly string[];

/** Something that is not in the YAML as it was. */
export interface ImportNote {
  readonly key: string;
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  /** As it may be shown; undefined for secrets, for lists and maps, and for keys nobody knows. */
  readonly value: string | undefined;
  /** Why, and what to use instead. */
  readonly why: string;
}

/** An environment variable that the YAML refers to. */
export interface ImportVariable {
  readonly name: string;
  readonly purpose: string;
}

export type ImportResult =
  | {
      readonly ok: true;
      readonly yaml: string;
      /** In the order of the files. */
      readonly notes: readonly ImportNote[];
      readonly variables: readonly ImportVariable[];
    }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

interface DraftNode {
  readonly comments: string[];
  value: DraftValue | Map<string, DraftNode>;
}

/** Lives for one import. */
export class Draft {
  readonly #head: readonly string[];
  readonly #root = new Map<string, DraftNode>();
  readonly #notes: ImportNote[] = [];
  readonly #problems: ConfigProblem[] = [];
  readonly #variables = new Map<string, string>();

  /** `head`: lines of the comment at the top. */
  constructor(head: readonly string[]) {
    this.#head = head;
  }

  /** Sets a key of Llamero to a plain value; what looks like a placeholder in it is kept as text. */
  set(path: readonly string[], value: DraftValue, ...comments: readonly string[]): void {
    const plain =
      typeof value === 'string'
        ? escapePlaceholders(value)
        : typeof value === 'object'
          ? value.map(escapePlaceholders)
          : value;
    this.#put(path, { comments: [...comments], value: plain });
  }

  /** Sets a key of Llamero to environment variables, one or a list of them. */
  setSecret(
    path: readonly string[],
    variables: string | readonly string[],
    ...comments: readonly string[]
  ): void {
    const value = typeof variables === 'string' ? referenceTo(variables) : variables.map(referenceTo);
    this.#put(path, { comments: [...comments], value });
  }

  /** Puts lines before a key that has a value or is going to have keys of its own. */
  comment(path: readonly string[], ...comments: readonly string[]): void {
    this.#nodeAt(path).comments.push(...comments);
  }

  /** A name for a variable that is to hold a secret. Names that are taken get a number. */
  nameVariable(wanted: string, purpose: string): string {
    const base =
      wanted
        .toUpperCase()
        .replaceAll(/[^A-Z0-9]+/g, '_')
        .replaceAll(/^_+|_+$/g, '') || 'KEY';
    const safe = /^\d/.test(base) ? `KEY_${base}` : base;
    let name = safe;
    for (let number = 2; this.#variables.has(name); number += 1) name = `${safe}_${number}`;
    return this.useVariable(name, purpose);
  }

  /** A variable that the foreign file itself names. */
  useVariable(name: string, purpose: string): string {
    if (!this.#variables.has(name)) this.#variables.set(name, purpose);
    return name;
  }

  /** Something could not be carried. `shown`: only what cannot be a secret. */
  note(key: string, at: Place, why: string, shown?: ForeignValue): void {
    const value = shown?.kind === 'scalar' ? shownText(String(shown.value)) : undefined;
    this.#notes.push({ key: shownText(key), file: at.file, line: at.line, value, why });
  }

  /** The foreign file is wrong: nothing comes of the import. */
  fail(at: Place, key: string, message: string): void {
    this.#problems.push(problemAt(at, shownText(key), message));
  }

  result(): ImportResult {
    if (this.#problems.length > 0) return { ok: false, problems: this.#problems };
    const head = this.#head.map((line) => `# ${shownText(line, Infinity)}`);
    const sections = [...this.#root].sort(([a], [b]) => rankOf(a) - rankOf(b));
    const yaml = `${[...head, ...render(new Map(sections), 0)].join('\n')}\n`;
    const variables = [...this.#variables]
      .filter(([name]) => yaml.includes(referenceTo(name)))
      .map(([name, purpose]) => ({ name, purpose }));
    const files = [...new Set(this.#notes.map(({ file }) => file))];
    const notes = this.#notes.sort(
      (a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line,
    );
    return { ok: true, yaml, notes, variables };
  }

  #put(path: readonly string[], { comments, value }: DraftNode): void {
    const node = this.#nodeAt(path);
    node.comments.push(...comments);
    node.value = value;
  }

  #nodeAt(path: readonly string[]): DraftNode {
    let map = this.#root;
    let node: DraftNode = { comments: [], value: map };
    for (const key of path) {
      const child = map.get(key) ?? { comments: [], value: new Map<string, DraftNode>() };
      map.set(key, child);
      node = child;
      if (child.value instanceof Map) map = child.value;
    }
    return node;
  }
}

function referenceTo(variable: string): string {
  return `\${env.${variable}}`;
}

/** In the order in which one explains a router: who comes in, where it goes, how. */
function rankOf(section: string): number {
  return (
    ['listen', 'allowUnauthenticated', 'apiKeys', 'backends', 'scheduling', 'affinity'].indexOf(section) >>> 0
  );
}

function render(map: ReadonlyMap<string, DraftNode>, depth: number): string[] {
  const indent = '  '.repeat(depth);
  return [...map].flatMap(([key, { comments, value }]) => {
    if (value instanceof Map && value.size === 0) return [];
    const lines = comments.map((comment) => `${indent}# ${shownText(comment, Infinity)}`);
    if (depth === 0) lines.unshift('');
    if (value instanceof Map) return [...lines, `${indent}${yamlText(key)}:`, ...render(value, depth + 1)];
    return [...lines, `${indent}${yamlText(key)}: ${yamlValue(value)}`];
  });
}

function yamlValue(value: DraftValue): string {
  if (typeof value === 'object') return `[${value.map(yamlTextInBrackets).join(', ')}]`;
  return typeof value === 'string' ? yamlText(value) : String(value);
}

/** Plain where nothing else could be meant, else in double quotes, which YAML reads as JSON does. */
function yamlText(text: string): string {
  return /^\$\{env\.\w+\}$/.test(text) ? text : yamlTextInBrackets(text);
}

/** Between brackets a brace is YAML's own, so that a reference stands in quotes. */
function yamlTextInBrackets(text: string): string {
  const isPlain = /^(?:[A-Za-z/][\w./-]*(?::[\w./-]+)*|\d+(?:\.\d+)?(?:ms|s|m|h|d)(?:\d+(?:ms|s|m|h|d))*)$/;
  const looksTyped = /^(?:true|false|null|yes|no|on|off|y|n)$/i;
  if (isPlain.test(text) && !looksTyped.test(text)) return text;
  return JSON.stringify(text).replaceAll(
    /[\u007f-\u009f\u2028\u2029\ufeff\ufdd0-\ufdef\ufffe\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
