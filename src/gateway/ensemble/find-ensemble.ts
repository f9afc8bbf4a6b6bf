/** Which names stand for ensembles, and who takes part in one. Looks things up; asks nobody. */
import { ensembleOf, type EnsembleConfig } from '../../config/schema-ensembles.ts';
import type { ModelName } from '../../domain/ids.ts';
import type { GatewayParts } from '../gateway.ts';
import { findOllamaName } from '../ollama/find-name.ts';
import { finalModel } from './ensemble-plan.ts';

type Parts = Pick<GatewayParts, 'config' | 'names' | 'fleet'>;

/** Ollama's clients put it behind names. */
const ollamaTag = ':latest';

/** undefined: the name is a model's, or nobody's. What the configuration calls so comes first, then models, then the prefix. */
export function findEnsemble(parts: Parts, name: ModelName): EnsembleConfig | undefined {
  const { ensembles, ensemblePrefix } = parts.config();
  if (parts.names.profile.current?.pins.has(name) === true) return undefined;
  const bare = name.endsWith(ollamaTag) ? name.slice(0, -ollamaTag.length) : name;
  const configured = [name, bare].find((each) => Object.hasOwn(ensembles, each));
  if (configured !== undefined) return ensembles[configured];
  if (ensemblePrefix === '' || !name.startsWith(ensemblePrefix) || name === ensemblePrefix) return undefined;
  const isModel = parts.fleet.names().has(name) || findOllamaName(parts, name) !== undefined;
  return isModel ? undefined : ensembleOf(name.slice(ensemblePrefix.length));
}

/** Whether any name could stand for one: spares everybody else the look into the body. */
export function hasEnsembles({ config }: Pick<GatewayParts, 'config'>): boolean {
  const { ensembles, ensemblePrefix } = config();
  return ensemblePrefix !== '' || Object.keys(ensembles).length > 0;
}

/** Whose tokens and vectors are those of the ensemble, on routes where nothing is written; undefined = the name is none's. */
export function trySpeakerFor(parts: Parts, name: ModelName): ModelName | undefined {
  const ensemble = hasEnsembles(parts) ? findEnsemble(parts, name) : undefined;
  return ensemble && finalModel(ensemble);
}

/** Everybody whom an ensemble asks, once each. */
export function membersOf({ models, critic, final }: EnsembleConfig): readonly ModelName[] {
  return [...new Set([...models, critic, final])].filter((name) => name !== undefined);
}
