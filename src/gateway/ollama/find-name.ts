/** Which of the fleet's names an Ollama client means. The index is built anew only when the names have changed. */
import { OllamaNames } from '../../dialects/ollama-surface/names.ts';
import type { GatewayParts } from '../gateway.ts';

type Parts = Pick<GatewayParts, 'fleet' | 'models' | 'names'>;

interface Known {
  /** What the names come from: the same objects as long as they are the same. */
  readonly sources: readonly unknown[];
  readonly index: OllamaNames;
}

const known = new WeakMap<Parts['fleet'], Known>();

/** undefined: no model has a name like that. */
export function findOllamaName(parts: Parts, name: string): string | undefined {
  const { fleet, names } = parts;
  if (fleet.names().has(name) || names.find(name) !== undefined) return name;
  const sources = [fleet.names(), parts.models(), names.profile.current];
  const found = known.get(fleet);
  if (found !== undefined && sources.every((source, at) => source === found.sources[at])) {
    return found.index.find(name);
  }
  const index = new OllamaNames(names.all());
  known.set(fleet, { sources, index });
  return index.find(name);
}
