/**
 * Builds the tree of a YAML document: anchors, merge keys, placeholders, duplicate keys, and the bounds that keep a
 * hostile file harmless. Must not interpret keys.
 */
import { isAlias, isMap, isScalar, isSeq } from 'yaml';
import type { Document, Node, Pair, YAMLMap } from 'yaml';
import { hasPlaceholder, resolvePlaceholders, showPlaceholders } from './placeholders.ts';
import type { Environment } from './placeholders.ts';
import type { ConfigPath } from './problems.ts';
import type { TreeEntry, TreeMap, TreeNode, TreeProblem, TreeScalar } from './tree.ts';

/** Values in one file, aliases expanded: far above any real fleet, far below what would stall the router. */
const sizeMax = 100_000;
const depthMax = 64;

/** `base` is added to every offset. Never throws; `root` is undefined for an empty document. */
export function buildTree(
  contents: Document.Parsed['contents'],
  env: Environment,
  base = 0,
): { root: TreeNode | undefined; problems: readonly TreeProblem[] } {
  const builder = new TreeBuilder(env, base);
  const root = contents === null ? undefined : builder.build(contents, [], base);
  return { root, problems: builder.problems };
}

/** Lives for one document: the anchors seen so far, the problems found so far. */
class TreeBuilder {
  readonly problems: TreeProblem[] = [];
  readonly #env: Environment;
  readonly #base: number;
  /** The latest anchor of a name wins, as YAML says. `open` = still being built, so an alias to it would be endless. */
  readonly #anchors = new Map<string, TreeNode | 'open'>();
  /** Entries copied by merge keys: the only expansion that costs memory here. */
  #copied = 0;
  #tooLarge = false;

  constructor(env: Environment, base: number) {
    this.#env = env;
    this.#base = base;
  }

  build(node: unknown, path: ConfigPath, offsetOfEmpty: number): TreeNode {
    const offset = this.#offsetOf(node) ?? offsetOfEmpty;
    if (isAlias(node)) return this.#follow(node.source, path, offset);
    if (path.length > depthMax) {
      return this.#fail({ path, offset, message: 'nested too deeply', code: 'config_invalid' });
    }
    const anchor = isMap(node) || isSeq(node) || isScalar(node) ? node.anchor : undefined;
    if (anchor !== undefined) this.#anchors.set(anchor, 'open');
    const built = this.#bound(this.#buildOwn(node, path, offset), path);
    if (anchor !== undefined) this.#anchors.set(anchor, built);
    return built;
  }

  #buildOwn(node: unknown, path: ConfigPath, offset: number): TreeNode {
    if (isMap(node)) return this.#buildMap(node, path, offset);
    if (isSeq(node)) {
      const items = node.items.map((item, index) => this.build(item, [...path, index], offset));
      return { kind: 'list', items, offset, size: sizeOf(items) };
    }
    const value = isScalar(node) ? node.value : null;
    const isPlain = isScalar(node) && node.type === 'PLAIN';
    if (typeof value === 'string' && hasPlaceholder(value)) {
      const resolved = this.#resolve(value, path, offset);
      return isPlain ? withPlainType(resolved) : resolved;
    }
    const plain = isPlain ? { plainText: node.source ?? '' } : {};
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      return { ...emptyAt(offset), value, ...plain };
    }
    return emptyAt(offset);
  }

  /** Own keys win over merged ones, of several merged maps the first wins. */
  #buildMap(map: YAMLMap, path: ConfigPath, offset: number): TreeMap {
    const entries = new Map<string, TreeEntry>();
    const merged: TreeMap[] = [];
    for (const pair of map.items) {
      if (isMergeKey(pair)) merged.push(...this.#mergedMaps(pair, path));
      else this.#addPair(entries, pair, path);
    }
    for (const { entries: inherited } of merged) {
      this.#copied += inherited.size;
      if (this.#copied > sizeMax) {
        this.#failTooLarge(path, offset);
        break;
      }
      for (const [key, entry] of inherited) if (!entries.has(key)) entries.set(key, entry);
    }
    return { kind: 'map', entries, offset, size: sizeOf([...entries.values()].map(({ node }) => node)) };
  }

  #addPair(entries: Map<string, TreeEntry>, pair: Pair, path: ConfigPath): void {
    const keyOffset = this.#offsetOf(pair.key) ?? 0;
    const key = this.#keyText(pair.key, path, keyOffset);
    const known = key === undefined ? undefined : entries.get(key);
    // The value is built even when it is not kept: it may hold anchors that later lines use.
    const node = this.build(pair.value, [...path, key ?? ''], keyOffset);
    if (key === undefined) return;
    if (known === undefined) entries.set(key, { keyOffset, node });
    else
      this.#fail({
        path: [...path, key],
        offset: keyOffset,
        message: 'duplicate key',
        code: 'config_invalid',
      });
  }

  #keyText(key: unknown, path: ConfigPath, offset: number): string | undefined {
    const reject = (message: string): undefined => {
      this.#fail({ path, offset, message, code: 'config_invalid' });
    };
    const built = this.build(key, path, offset);
    if (built.kind !== 'scalar' || built.value === null) return reject('a key must be text');
    if (built.variables.length > 0) return reject('placeholders work in values, not in keys');
    // The source keeps a key such as 007 as it was written.
    const text =
      isScalar(key) && key.source !== undefined ? showPlaceholders(key.source) : String(built.value);
    return text === '__proto__' ? reject('this key is not allowed') : text;
  }

  #mergedMaps(pair: Pair, path: ConfigPath): TreeMap[] {
    const offset = this.#offsetOf(pair.key) ?? 0;
    const built = this.build(pair.value, [...path, '<<'], offset);
    const parts = built.kind === 'list' ? built.items : [built];
    const maps = parts.filter((part) => part.kind === 'map');
    if (maps.length < parts.length) {
      this.#fail({ path, offset, message: '<< takes a map or a list of maps', code: 'config_invalid' });
    }
    return maps;
  }

  #follow(anchor: string, path: ConfigPath, offset: number): TreeNode {
    const target = this.#anchors.get(anchor);
    if (target !== undefined && target !== 'open') return target;
    // The name is not shown: an unquoted secret that begins with * looks like an alias.
    const message =
      target === 'open'
        ? 'an alias cannot stand inside its own anchor'
        : 'alias without an anchor before it (a text that begins with * needs quotes)';
    return this.#fail({ path, offset, message, code: 'config_reference' });
  }

  #resolve(hidden: string, path: ConfigPath, offset: number): TreeScalar {
    const { text, variables, problems } = resolvePlaceholders(hidden, this.#env);
    for (const message of problems) this.#fail({ path, offset, message, code: 'config_reference' });
    return { ...emptyAt(offset), value: text, variables };
  }

  #offsetOf(node: unknown): number | undefined {
    const offset = (node as Node | null | undefined)?.range?.[0];
    return offset === undefined ? undefined : offset + this.#base;
  }

  #bound(built: TreeNode, path: ConfigPath): TreeNode {
    return built.size <= sizeMax ? built : this.#failTooLarge(path, built.offset);
  }

  /** Reported once: everything above it is too large as well. */
  #failTooLarge(path: ConfigPath, offset: number): TreeScalar {
    if (this.#tooLarge) return emptyAt(offset);
    this.#tooLarge = true;
    const message = `must hold at most ${sizeMax} values, aliases expanded`;
    return this.#fail({ path, offset, message, code: 'config_invalid' });
  }

  #fail(problem: TreeProblem): TreeScalar {
    this.problems.push(problem);
    return emptyAt(problem.offset);
  }
}

function isMergeKey({ key }: Pair): boolean {
  return isScalar(key) && key.value === '<<' && key.type === 'PLAIN';
}

/** What a variable holds is read as if it stood in the file. Nothing at all stays text: it is set. */
function withPlainType(scalar: TreeScalar): TreeScalar {
  const text = String(scalar.value);
  const value = /^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/.test(text)
    ? Number(text)
    : /^(?:true|True|TRUE|false|False|FALSE)$/.test(text)
      ? text.toLowerCase() === 'true'
      : text;
  return { ...scalar, value, plainText: text };
}

function sizeOf(nodes: readonly TreeNode[]): number {
  let size = 1;
  for (const node of nodes) size += node.size;
  return size;
}

function emptyAt(offset: number): TreeScalar {
  return { kind: 'scalar', value: null, variables: [], offset, size: 1 };
}
