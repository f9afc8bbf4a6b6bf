/** Loading of configurations in the tests that name llama-swap's behaviours. */
import { loadConfigTexts } from '../../src/config/load.ts';
import type { ModelsConfig, ResolvedModel } from '../../src/config/models.ts';
import { formatProblem } from '../../src/config/problems.ts';
import { resolveModels } from '../../src/config/resolve-models.ts';
import type { Config } from '../../src/config/schema.ts';

export type Environment = Readonly<Record<string, string>>;

/** The configuration of these texts, joined. Throws with every problem. */
export function load(text: string | readonly string[], env: Environment = {}): Config {
  const result = loadAny(text, env);
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join('\n'));
  return result.config;
}

/** `path: message` of every problem; empty = it loads. */
export function problems(text: string | readonly string[], env: Environment = {}): string[] {
  const result = loadAny(text, env);
  return result.ok
    ? []
    : result.problems.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
}

export function warnings(text: string): string[] {
  const result = loadAny(text, {});
  return result.ok ? result.warnings.map(({ path, message }) => `${path}: ${message}`) : ['does not load'];
}

export function resolved(text: string | readonly string[], env: Environment = {}): ModelsConfig {
  return resolveModels(load(text, env));
}

/** One model of a configuration; throws when it has none of that id. */
export function modelOf(text: string, id = 'm', env: Environment = {}): ResolvedModel {
  const model = resolved(text, env).models.get(id);
  if (model === undefined) throw new Error(`no model '${id}'`);
  return model;
}

function loadAny(text: string | readonly string[], env: Environment) {
  const texts = typeof text === 'string' ? [text] : text;
  const sources = texts.map((each, index) => ({ file: `${'abc'[index]}.yaml`, text: each }));
  return loadConfigTexts(sources, { env }).result;
}
