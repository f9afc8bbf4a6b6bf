/**
 * From the text of configuration files to a frozen Config, or to every problem in them at once. Order: YAML, values from
 * the environment, joining of files, macros, schema, cross checks. Pure; read-files.ts gets the texts.
 */
import { checkConfig } from './checks.ts';
import { withInheritedRepairs } from './inherit-repairs.ts';
import { expandMacros } from './expand-macros.ts';
import type { MacroOptions } from './expand-macros.ts';
import { explainIssues } from './explain.ts';
import { parseSources } from './merge-sources.ts';
import type { ConfigSource, SourceTree } from './merge-sources.ts';
import type { Environment } from './placeholders.ts';
import { withPresetKeys } from './preset-keys.ts';
import type { ConfigProblem, Finding } from './problems.ts';
import { repaired } from './repair.ts';
import { reportFindings } from './report.ts';
import { sharedPortOf } from './resolve-model.ts';
import { configSchema } from './schema.ts';
import type { Config } from './schema.ts';
import { childSchema, rootNode } from './schema-node.ts';
import { locate } from './tree.ts';
import type { TreeMap, TreeNode, TreeProblem } from './tree.ts';
import { toPlain } from './tree-values.ts';
import { dropUnknownKeys, llamaSwapKeys } from './unknown-keys.ts';

/** With so much unreadable, judging the rest would only add consequences. */
const treeProblemsMax = 100;

export interface LoadOptions {
  readonly env: Environment;
  /** Addresses of the command line, in place of the file's `listen`. */
  readonly listen?: readonly string[];
  /** Files of the command line, in place of the file's `tls`. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /**
   * The configuration that is in force: a model that uses `${PORT}` keeps its port, unless `startPort` has changed.
   * Without it ports are counted up from `startPort` by sorted model id.
   */
  readonly inForce?: Config;
}

export type LoadResult =
  | { readonly ok: true; readonly config: Config; readonly warnings: readonly ConfigProblem[] }
  | {
      readonly ok: false;
      /** A file itself could not be read. */
      readonly unreadable: boolean;
      /** In the order of the files; at least one. */
      readonly problems: readonly ConfigProblem[];
    };

/** Loads a configuration from the text of one file. Never throws. */
export function loadConfigText(options: LoadOptions & ConfigSource): LoadResult {
  return loadConfigTexts([options], options).result;
}

export interface Loaded {
  readonly result: LoadResult;
  /** Places a problem that was found later, such as a file that cannot be written. */
  readonly place: (finding: Finding) => ConfigProblem[];
}

/** Loads a configuration from several texts, joined in their order. Never throws. */
export function loadConfigTexts(sources: readonly ConfigSource[], options: LoadOptions): Loaded {
  const parsedTree = parseSources(sources, options.env);
  const isHopeless = parsedTree.root === undefined || parsedTree.problems.length > treeProblemsMax;
  const { tree, warnings: unknown } =
    isHopeless && parsedTree.problems.length > 0
      ? { tree: parsedTree, warnings: [] }
      : prepareTree(parsedTree, options);
  const place = (finding: Finding): ConfigProblem[] => reportFindings(tree, [finding], options);
  const fail = (findings: readonly Finding[]): Loaded => ({
    result: { ok: false, unreadable: false, problems: reportFindings(tree, findings, options) },
    place,
  });
  if (isHopeless && tree.problems.length > 0) return fail(tree.problems);
  const value = plainRoot(tree.root);
  const parsed = configSchema.safeParse(value);
  const wrong = parsed.success ? [] : explainIssues(parsed.error.issues);
  const config = parsed.success ? parsed.data : repaired(value, wrong);
  const wrongKeys = new Set([...tree.problems, ...wrong].map(({ path }) => String(path[0] ?? '')));
  const checked =
    config === undefined
      ? { problems: [], warnings: [] }
      : checkConfig(withCommandLine(config, options), wrongKeys);
  const findings = [...wrong, ...checked.problems].filter(
    (finding) => !tree.problems.some((told) => explains(told, finding, tree.root)),
  );
  if (tree.problems.length + findings.length > 0 || !parsed.success) {
    return fail([...tree.problems, ...findings]);
  }
  const warnings = reportFindings(tree, [...unknown, ...checked.warnings], options);
  return { result: { ok: true, config: deepFreeze(withCommandLine(parsed.data, options)), warnings }, place };
}

/** Takes out what is ignored and fills macros in. */
function prepareTree(
  tree: SourceTree,
  { inForce }: LoadOptions,
): { readonly tree: SourceTree; readonly warnings: readonly Finding[] } {
  if (tree.root?.kind !== 'map') return { tree, warnings: [] };
  const { root, warnings } = dropUnknownKeys(tree.root);
  const expanded = expandMacros(root, inForce === undefined ? {} : { before: portsOf(inForce) });
  const problems = [...tree.problems, ...expanded.problems];
  return { tree: { ...tree, root: expanded.root, problems }, warnings };
}

function portsOf({ startPort, models }: Config): NonNullable<MacroOptions['before']> {
  const ports = Object.entries(models).flatMap(([id, entry]) => {
    const port = sharedPortOf(entry);
    return port === undefined ? [] : [[id, port] as const];
  });
  return { startPort, ports: new Map(ports) };
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
  const plain: Record<string, unknown> = {};
  for (const [key, { node }] of root.entries) {
    const schema = childSchema(rootNode, key);
    const lenient = llamaSwapKeys.has(key) || key === 'apiKeys';
    const value = toPlain(node, schema, { lenient });
    if (value !== null || schema === undefined) plain[key] = value;
  }
  return withInheritedRepairs(withPresetKeys(withLogKeys(plain, root)));
}

/** llama-swap's `logLevel` and `logRequests` count where ours are not set. */
function withLogKeys(plain: Record<string, unknown>, root: TreeMap): Record<string, unknown> {
  const { logLevel, logRequests, log } = plain;
  if (log !== undefined && (typeof log !== 'object' || log === null || Array.isArray(log))) return plain;
  const isSet = (key: string): boolean => locate(root, ['log', key]).node !== undefined;
  const isLevel = typeof logLevel === 'string' && ['debug', 'info', 'warn', 'error'].includes(logLevel);
  const added = {
    ...(isLevel && !isSet('level') && { level: logLevel }),
    ...(typeof logRequests === 'boolean' && !isSet('requests') && { requests: logRequests }),
  };
  return Object.keys(added).length === 0 ? plain : { ...plain, log: { ...log, ...added } };
}

function withCommandLine(config: Config, { listen, tls }: LoadOptions): Config {
  return {
    ...config,
    ...(listen !== undefined && { listen: [...listen] }),
    ...(tls !== undefined && { tls: { ...tls } }),
  };
}

function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const child of Object.values(value)) deepFreeze(child);
  }
  return value;
}
