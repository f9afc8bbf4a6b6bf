/** Whether the models that limits and keys speak of are models that somebody has. A misspelt one would do nothing, in silence. Pure. */
import { matchesPattern } from '../../base/name-pattern.ts';
import { nearestName } from '../../base/nearest-name.ts';
import type { Config } from '../../config/schema.ts';
import { fault, type Finding } from './finding.ts';

/** `offered`: every name that anybody answers to. */
export function checkNames(
  { scheduling, apiKeys }: Pick<Config, 'scheduling' | 'apiKeys'>,
  offered: ReadonlySet<string>,
): Finding[] {
  const limited = Object.keys(scheduling.modelLimits).map((name) => ({ at: 'scheduling.modelLimits', name }));
  const allowed = apiKeys.flatMap((entry) =>
    typeof entry === 'string'
      ? []
      : (entry.models ?? []).map((name) => ({ at: `apiKeys (${entry.name}).models`, name })),
  );
  const names = [...offered];
  return [...limited, ...allowed]
    .filter(({ name }) => !names.some((known) => matchesPattern(name, known)))
    .map(({ at, name }) => {
      const near = nearestName(name, names);
      const change = near === undefined ? `remove ${name} there` : `${near} in place of ${name}`;
      return fault(at, { level: 'warning', saw: `nobody has a model '${name}'`, change });
    });
}
