/** Which of the names that a client can use an Ollama client means: it adds `:latest` to them or leaves it out. */
import type { GatewayParts } from '../gateway.ts';

type Parts = Pick<GatewayParts, 'fleet' | 'names'>;

/** What the configuration names comes before what backends have. undefined: no model has a name like that. */
export function findOllamaName(parts: Parts, name: string): string | undefined {
  if (isConfigured(parts, name)) return name;
  const bare = name.endsWith(':latest') ? name.slice(0, -':latest'.length) : name;
  return isConfigured(parts, bare) ? bare : parts.fleet.ollamaName(name);
}

function isConfigured({ names }: Parts, name: string): boolean {
  return names.profile.current?.pins.has(name) === true || names.find(name) !== undefined;
}
