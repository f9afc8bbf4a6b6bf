/**
 * From the text of a configuration file to a frozen Config, or to every problem in it at once. Order: YAML, values from
 * the environment, schema, cross checks. Reads files, changes nothing.
 */
import { createReadStream } from 'node:fs';
import { checkConfig } from './checks.ts';
import { explainIssues } from './explain.ts';
import type { Environment } from './placeholders.ts';
import type { ConfigProblem, Finding } from './problems.ts';
import { formatPath } from './problems.ts';
import { configSchema } from './schema.ts';
import type { Config } from './schema.ts';
import { ignoredKeyPrefix, rootNode, shownPath } from './schema-node.ts';
import { locate } from './tree.ts';
import type { TreeNode, TreeProblem } from './tree.ts';
import { describeValue, toPlain } from './tree-values.ts';
import { parseYamlTree, textBytesMax } from './yaml-tree.ts';
import type { YamlTree } from './yaml-tree.ts';

export interface LoadOptions {
  /** Name of the file in messages. */
  readonly file: string;
  readonly env: Environment;
  /** Addresses of the command line, in place of the file's `listen`. */
  readonly listen?: readonly string[];
}

export type LoadResult =
  | { readonly ok: true; readonly config: Config; readonly warnings: readonly ConfigProblem[] }
  | {
      readonly ok: false;
      /** The file itself could not be read. */
      readonly unreadable: boolean;
      /** In the order of the file; at least one. */
      readonly problems: readonly ConfigProblem[];
    };

const problemsMax = 100;
/** What is wrong is cut out of the value so that the rest can be checked; each round can only uncover a missing key. */
const repairRoundsMax = 5;

/** Loads a configuration from text. Never throws. */
export function loadConfigText(options: LoadOptions & { readonly text: string }): LoadResult {
  const tree = parseYamlTree(options.text, options.env);
  const render = createRenderer(tree, options);
  const problems = tree.problems.map(({ path, offset, message, code }) => ({
    offset,
    problem: render({ path, message, code }, offset),
  }));
  const isHopeless = tree.root === undefined || problems.length > problemsMax;
  if (isHopeless && problems.length > 0) return failure(problems);

  const value = plainRoot(tree.root);
  const parsed = configSchema.safeParse(value);
  const findings = parsed.success ? [] : explainIssues(parsed.error.issues);
  const wrongPaths = [...tree.problems.map(({ path }) => path), ...findings.map(({ path }) => path)];
  const config = parsed.success ? parsed.data : repaired(value, findings);
  const wrongKeys = new Set(wrongPaths.map((path) => String(path[0] ?? '')));
  const checked =
    config === undefined
      ? { problems: [], warnings: [] }
      : checkConfig(withListen(config, options.listen), wrongKeys);
  for (const finding of [...findings, ...checked.problems]) {
    if (tree.problems.some((told) => explains(told, finding))) continue;
    const offset = offsetOf(tree, finding);
    problems.push({ offset, problem: render(finding, offset) });
  }
  if (problems.length > 0 || !parsed.success) return failure(problems);
  return {
    ok: true,
    config: deepFreeze(withListen(parsed.data, options.listen)),
    warnings: checked.warnings.map((finding) => render(finding, offsetOf(tree, finding))),
  };
}

/**
 * Loads the configuration file `file`, which messages call `shownAs` if that is given. A file that cannot be read is a
 * failure like any other; never rejects.
 */
export async function readConfigFile(
  options: LoadOptions & { readonly shownAs?: string },
): Promise<LoadResult> {
  const { file, shownAs = file } = options;
  let text: string;
  try {
    text = await readText(file);
  } catch (error) {
    const message = `cannot be read: ${reasonOf(error)}`;
    const place = { file: shownAs, line: 0, column: 0, path: '' };
    return { ok: false, unreadable: true, problems: [{ ...place, message, code: 'config_reference' }] };
  }
  return loadConfigText({ ...options, file: shownAs, text });
}

/** One byte more than allowed is read, so that an endless file ends and is seen to be too large. */
async function readText(file: string): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of createReadStream(file, { end: textBytesMax })) parts.push(part as Buffer);
  const bytes = Buffer.concat(parts);
  // A text that is cut off may end inside a character.
  return new TextDecoder('utf-8', { fatal: bytes.length <= textBytesMax }).decode(bytes);
}

function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: 'no such file',
    EISDIR: 'it is a directory',
    EACCES: 'permission denied',
    ERR_ENCODING_INVALID_ENCODED_DATA: 'it is not UTF-8 text',
  };
  return reasons[code] ?? (code === '' ? 'unknown reason' : code);
}

/** What could not be read counts as empty, and that is then wrong as well. */
function explains(told: TreeProblem, finding: Finding): boolean {
  const isBelow = told.path.every((segment, index) => segment === finding.path[index]);
  return isBelow && (told.code === 'config_reference' || told.path.length === finding.path.length);
}

function plainRoot(root: TreeNode | undefined): unknown {
  if (root === undefined || (root.kind === 'scalar' && root.value === null)) return {};
  if (root.kind !== 'map') return toPlain(root, rootNode);
  const entries = new Map([...root.entries].filter(([key]) => !key.startsWith(ignoredKeyPrefix)));
  return toPlain({ ...root, entries }, rootNode);
}

function withListen(config: Config, listen: readonly string[] | undefined): Config {
  return listen === undefined ? config : { ...config, listen: [...listen] };
}

/** A configuration without the parts that are wrong, for the checks that look at the rest; undefined if nothing remains. */
function repaired(value: unknown, findings: readonly Finding[]): Config | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const rest = structuredClone(value);
  let wrong = findings;
  for (let round = 0; round < repairRoundsMax; round += 1) {
    for (const { path } of wrong) cut(rest, path);
    const parsed = configSchema.safeParse(rest);
    if (parsed.success) return parsed.data;
    wrong = explainIssues(parsed.error.issues);
  }
  return undefined;
}

/** Removes what a path names; a list goes as a whole, and with a missing key the map that lacks it. */
function cut(root: object, path: Finding['path']): void {
  let parent: Record<string, unknown> = root as Record<string, unknown>;
  let above: { map: Record<string, unknown>; key: string } | undefined;
  for (const segment of path) {
    const key = String(segment);
    const child = parent[key];
    if (!Object.hasOwn(parent, key)) {
      if (above !== undefined) delete above.map[above.key];
      return;
    }
    if (typeof child !== 'object' || child === null || Array.isArray(child) || segment === path.at(-1)) {
      delete parent[key];
      return;
    }
    above = { map: parent, key };
    parent = child as Record<string, unknown>;
  }
}

function offsetOf(tree: YamlTree, { path, onKey }: Finding): number {
  const { keyOffset, valueOffset } = locate(tree.root, writtenPath(tree, path));
  return onKey === true ? keyOffset : valueOffset;
}

/** A list of one may be written without the list. */
function writtenPath({ root }: YamlTree, path: Finding['path']): Finding['path'] {
  if (typeof path.at(-1) !== 'number') return path;
  const list = path.slice(0, -1);
  return locate(root, list).node?.kind === 'scalar' ? list : path;
}

function createRenderer(tree: YamlTree, { file, listen }: LoadOptions) {
  return ({ path, message, code, showsValue }: Finding, offset: number): ConfigProblem => {
    if (listen !== undefined && path[0] === 'listen') {
      const address = listen[Number(path[1] ?? 0)] ?? '';
      return { file: `--listen ${address}`, line: 0, column: 0, path: '', message, code };
    }
    const written = writtenPath(tree, path);
    const shown = showsValue === true ? describeValue(locate(tree.root, written).node, written) : '';
    const place = { file, ...tree.position(offset), path: formatPath(shownPath(written)) };
    return { ...place, message: message + shown, code };
  };
}

function failure(found: readonly { readonly offset: number; readonly problem: ConfigProblem }[]): LoadResult {
  const problems = found.toSorted((a, b) => a.offset - b.offset).map(({ problem }) => problem);
  const last = problems[problemsMax];
  if (last !== undefined) {
    const message = `${problems.length - problemsMax} more problems`;
    problems.splice(problemsMax, problems.length, { ...last, path: '', message });
  }
  return { ok: false, unreadable: false, problems };
}

function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const child of Object.values(value)) deepFreeze(child);
  }
  return value;
}
