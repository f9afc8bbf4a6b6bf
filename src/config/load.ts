/**
 * From the text of a configuration file to a frozen Config, or to every problem in it at once. Order: YAML, values from
 * the environment, schema, cross checks. Reads files, changes nothing.
 */
import { createReadStream } from 'node:fs';
import { checkConfig } from './checks.ts';
import { explainIssues } from './explain.ts';
import type { Environment } from './placeholders.ts';
import type { ConfigProblem, Finding } from './problems.ts';
import { repaired } from './repair.ts';
import { reportFindings } from './report.ts';
import { configSchema } from './schema.ts';
import type { Config } from './schema.ts';
import { ignoredKeyPrefix, rootNode } from './schema-node.ts';
import { locate } from './tree.ts';
import type { TreeNode, TreeProblem } from './tree.ts';
import { toPlain } from './tree-values.ts';
import { parseYamlTree, textBytesMax } from './yaml-tree.ts';

/** With so much unreadable, judging the rest would only add consequences. */
const treeProblemsMax = 100;

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

/** Loads a configuration from text. Never throws. */
export function loadConfigText(options: LoadOptions & { readonly text: string }): LoadResult {
  const { listen } = options;
  const tree = parseYamlTree(options.text, options.env);
  const fail = (findings: readonly Finding[]): LoadResult => ({
    ok: false,
    unreadable: false,
    problems: reportFindings(tree, findings, options),
  });
  if (tree.problems.length > treeProblemsMax || (tree.root === undefined && tree.problems.length > 0)) {
    return fail(tree.problems);
  }
  const value = plainRoot(tree.root);
  const parsed = configSchema.safeParse(value);
  const wrong = parsed.success ? [] : explainIssues(parsed.error.issues);
  const config = parsed.success ? parsed.data : repaired(value, wrong);
  const wrongKeys = new Set([...tree.problems, ...wrong].map(({ path }) => String(path[0] ?? '')));
  const checked =
    config === undefined
      ? { problems: [], warnings: [] }
      : checkConfig(withListen(config, listen), wrongKeys);
  const findings = [...wrong, ...checked.problems].filter(
    (finding) => !tree.problems.some((told) => explains(told, finding, tree.root)),
  );
  if (tree.problems.length + findings.length > 0 || !parsed.success) {
    return fail([...tree.problems, ...findings]);
  }
  return {
    ok: true,
    config: deepFreeze(withListen(parsed.data, listen)),
    warnings: reportFindings(tree, checked.warnings, options),
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

/**
 * What could not be read counts as empty, which is then wrong as well: at its own path, below it, and wherever an alias
 * brings it.
 */
function explains(told: TreeProblem, finding: Finding, root: TreeNode | undefined): boolean {
  const isBelow = told.path.every((segment, index) => segment === finding.path[index]);
  if (isBelow && told.path.length === finding.path.length) return true;
  if (told.code !== 'config_reference') return false;
  return isBelow || locate(root, finding.path).node?.offset === told.offset;
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

function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const child of Object.values(value)) deepFreeze(child);
  }
  return value;
}
