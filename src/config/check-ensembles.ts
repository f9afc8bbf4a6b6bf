/** Rules for ensembles: a name is one thing only, and none of them asks another. Pure. */
import type { NameTable } from './names.ts';
import type { CheckResult, ConfigPath, Finding } from './problems.ts';
import type { Config } from './schema.ts';

export function checkEnsembles(config: Config, table: NameTable): CheckResult {
  const problems = Object.entries(config.ensembles).flatMap(([name, { models, critic, final }]) => {
    const path: ConfigPath = ['ensembles', name];
    const owner = ownerOf(name, config, table);
    const asked: (readonly [ConfigPath, string | undefined])[] = [
      ...models.map((model, index) => [[...path, 'models', index], model] as const),
      [[...path, 'critic'], critic],
      [[...path, 'final'], final],
    ];
    const nested = asked.flatMap(([place, model]): Finding[] => {
      if (model === undefined || !Object.hasOwn(config.ensembles, model)) return [];
      const message = `ensemble '${name}': '${model}' is an ensemble, too`;
      return [{ path: place, message, code: 'config_reference' }];
    });
    if (owner === undefined) return nested;
    const message = `ensemble '${name}': the name is also ${owner}`;
    return [{ path, message, code: 'config_conflict', onKey: true } satisfies Finding, ...nested];
  });
  return { problems, warnings: [] };
}

function ownerOf(
  name: string,
  { selectors }: Config,
  { models, aliases, qualified }: NameTable,
): string | undefined {
  if (models.has(name)) return 'a model ID';
  if (aliases.has(name)) return 'an alias';
  if (qualified.has(name)) return 'a peer model';
  return Object.hasOwn(selectors, name) ? 'a selector ID' : undefined;
}
