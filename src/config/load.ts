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
import type { CheckResult, ConfigProblem, Finding } from './problems.ts';
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

/** Of a model: they give it more names. */
const namingMembers: ReadonlySet<string | number> = new Set(['aliases', 'filters']);

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

export type LoadResult = {
  /** In the order of the files. Where there are problems, as far as these do not bring them about. */
  readonly warnings: readonly ConfigProblem[];
} & (
  | { readonly ok: true; readonly config: Config }
  | {
      readonly ok: false;
      /** A file itself could not be read. */
      readonly unreadable: boolean;
      /** In the order of the files; at least one. */
      readonly problems: readonly ConfigProblem[];
    }
);

/** Loads a configuration from the text of one file. Never throws. */
export function loadConfigText(options: LoadOptions & ConfigSource): LoadResult {
  return loadConfigTexts([options], options).result;
}

export interface Loaded {
  readonly result: LoadResult;
  /** What was read, without the parts that are wrong; undefined = nothing could be read. */
  readonly sound: Config | undefined;
  /** The result with problems that were found later, such as a file that cannot be written. */
  readonly failedBy: (findings: readonly Finding[]) => LoadResult;
}

/** Loads a configuration from several texts, joined in their order. Never throws. */
export function loadConfigTexts(sources: readonly ConfigSource[], options: LoadOptions): Loaded {
  const parsedTree = parseSources(sources, options.env);
  const isHopeless = parsedTree.root === undefined || parsedTree.problems.length > treeProblemsMax;
  if (isHopeless && parsedTree.problems.length > 0) {
    return verdictOn(parsedTree, options, { problems: parsedTree.problems, warnings: [] });
  }
  const { tree, warnings: unknown } = prepareTree(parsedTree, options);
  const value = plainRoot(tree.root);
  const parsed = configSchema.safeParse(value);
  const wrong = parsed.success ? [] : explainIssues(parsed.error.issues);
  const config = parsed.success ? parsed.data : repaired(value, wrong);
  const wrongKeys = keysInDoubt([...tree.problems, ...wrong], config);
  const checked =
    config === undefined
      ? { problems: [], warnings: [] }
      : checkConfig(withCommandLine(config, options), wrongKeys);
  const findings = [...wrong, ...checked.problems].filter(
    (finding) => !tree.problems.some((told) => explains(told, finding, tree.root)),
  );
  const problems = [...tree.problems, ...findings];
  const warnings = checked.warnings.filter(
    ({ path: [key = ''] }) => problems.length === 0 || (key !== '' && !wrongKeys.has(String(key))),
  );
  return verdictOn(tree, options, { problems, warnings: [...unknown, ...warnings], config });
}

/** What was found, and the configuration that was judged. */
interface Judgement extends CheckResult {
  /** Without what is wrong. */
  readonly config?: Config | undefined;
}

function verdictOn(
  tree: SourceTree,
  options: LoadOptions,
  { problems, warnings, config }: Judgement,
): Loaded {
  const told = reportFindings(tree, warnings, options);
  const failedBy = (more: readonly Finding[]): LoadResult => ({
    ok: false,
    unreadable: false,
    problems: reportFindings(tree, [...problems, ...more], options),
    warnings: told,
  });
  const sound = config && withCommandLine(config, options);
  const result: LoadResult =
    sound === undefined || problems.length > 0
      ? failedBy([])
      : { ok: true, config: deepFreeze(sound), warnings: told };
  return { result, sound, failedBy };
}

/**
 * Top-level keys that may lack what others refer to. A model stays what it is called, whatever else is wrong with it.
 */
function keysInDoubt(findings: readonly Finding[], config: Config | undefined): ReadonlySet<string> {
  const isNamed = ({ path: [key, id = '', member = ''] }: Finding): boolean =>
    key === 'models' && !namingMembers.has(member) && Object.hasOwn(config?.models ?? {}, id);
  return new Set(findings.filter((finding) => !isNamed(finding)).map(({ path }) => String(path[0] ?? '')));
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
  if (told.code !== 'config_reference' || locate(root, told.path).node?.kind === 'map') return false;
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
