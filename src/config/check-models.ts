/** Rules for models and for llama-swap's settings of the whole router that the schema cannot say. Pure. */
import { compileIgnorePath } from './ignore-paths.ts';
import type { CheckResult, ConfigPath, ConfigProblemCode, Finding } from './problems.ts';
import { aliasesOf } from './resolve-model.ts';
import type { Config, ModelEntry } from './schema.ts';
import { formatDuration } from './values.ts';

const performanceEveryMsMin = 5000;
const logLevels: ReadonlySet<string> = new Set(['debug', 'info', 'warn', 'error']);

/** Problems in the order of llama-swap's own checks; load sorts them by place. */
export function checkModels(config: Config): CheckResult {
  const problems = [
    ...checkSettings(config),
    ...checkAliases(config.models),
    ...Object.entries(config.models).flatMap(([id, entry]) => checkModel(id, entry)),
    ...checkIgnorePaths(config.upstream.ignorePaths),
  ];
  const warnings = Object.entries(config.models).flatMap(([id, entry]) => warnAboutModel(id, entry));
  if (!logLevels.has(config.logLevel)) {
    const message = `is none of ${[...logLevels].join(', ')} and counts as info`;
    warnings.push(finding(['logLevel'], message, 'config_invalid'));
  }
  return { problems, warnings };
}

function checkSettings({ performance, store }: Config): Finding[] {
  const findings: Finding[] = [];
  if (performance.every < performanceEveryMsMin) {
    const message = `every must be at least 5s, got ${formatDuration(performance.every)}`;
    findings.push(finding(['performance', 'every'], message, 'config_invalid'));
  }
  if (store?.path === '') {
    findings.push(finding(['store', 'path'], 'store.path must not be empty', 'config_invalid'));
  }
  return findings;
}

/** An alias that is also the id of a model is useless but harmless: the model has the name. */
function checkAliases(models: Config['models']): Finding[] {
  const findings: Finding[] = [];
  const modelByAlias = new Map<string, string>();
  for (const [id, entry] of Object.entries(models)) {
    for (const name of Object.keys(entry.filters.setParamsByID)) {
      if (name === id || !Object.hasOwn(models, name)) continue;
      const message = `filters.setParamsByID key '${name}' conflicts with an existing model ID`;
      findings.push({ ...finding(byIdPath(id, name), message, 'config_conflict'), onKey: true });
    }
    for (const alias of aliasesOf(id, entry)) {
      const other = modelByAlias.get(alias);
      if (other === undefined) modelByAlias.set(alias, id);
      else findings.push(duplicateAlias(id, entry, alias));
    }
  }
  return findings;
}

function duplicateAlias(id: string, entry: ModelEntry, alias: string): Finding {
  const index = entry.aliases.findIndex((said) => (typeof said === 'string' ? said : said.id) === alias);
  const path = index === -1 ? byIdPath(id, alias) : ['models', id, 'aliases', index];
  const message = `duplicate alias ${alias} found in model: ${id}`;
  return { ...finding(path, message, 'config_conflict'), onKey: index === -1 };
}

function checkModel(id: string, { proxy }: ModelEntry): Finding[] {
  const fault = faultOfProxy(proxy);
  return fault === undefined ? [] : [finding(['models', id, 'proxy'], fault, 'config_invalid')];
}

function warnAboutModel(id: string, { cmd, env }: ModelEntry): Finding[] {
  const findings: Finding[] = [];
  if (cmd.trim() === '') {
    findings.push(finding(['models', id], 'has no cmd: it cannot be started', 'config_invalid'));
  }
  for (const [index, item] of env.entries()) {
    if (item.indexOf('=') > 0) continue;
    const message = 'is not NAME=value and is ignored';
    findings.push(finding(['models', id, 'env', index], message, 'config_invalid'));
  }
  return findings;
}

/** Why a model or a peer cannot be reached at this URL. The text itself is never shown: it may hold credentials. */
export function faultOfProxy(proxy: string): string | undefined {
  if (proxy === '') return 'proxy is required';
  const url = URL.canParse(proxy) ? new URL(proxy) : undefined;
  if (url === undefined) return 'invalid proxy URL';
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return 'invalid proxy URL: must begin with http:// or https://';
  }
  return undefined;
}

function checkIgnorePaths(patterns: readonly string[]): Finding[] {
  return patterns.flatMap((pattern, index) => {
    try {
      compileIgnorePath(pattern);
      return [];
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      const message = `upstream.ignorePaths: invalid regular expression: ${reasonOf(error)}`;
      return [finding(['upstream', 'ignorePaths', index], message, 'config_invalid')];
    }
  });
}

/** `Invalid regular expression: /x/: reason` → `reason`. */
function reasonOf({ message }: SyntaxError): string {
  return message.slice(message.lastIndexOf(': ') + 1).trim();
}

function byIdPath(id: string, name: string): ConfigPath {
  return ['models', id, 'filters', 'setParamsByID', name];
}

function finding(path: ConfigPath, message: string, code: ConfigProblemCode): Finding {
  return { path, message, code };
}
