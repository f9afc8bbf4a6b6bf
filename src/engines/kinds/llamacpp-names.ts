/** The names that a llama-server's model list gives its models. */
import type { ModelName } from '../../domain/ids.ts';
import type { JsonObject } from './read-json.ts';

/** Every id and alias → the id it stands for. An alias that is another model's id loses. */
export function namesAndAliases(
  listed: ReadonlyMap<ModelName, JsonObject>,
): ReadonlyMap<ModelName, ModelName> {
  const names = new Map<ModelName, ModelName>();
  for (const [id, entry] of listed) {
    names.set(id, id);
    const aliases: unknown = entry['aliases'];
    for (const alias of Array.isArray(aliases) ? aliases : []) {
      if (typeof alias === 'string' && alias !== '' && !listed.has(alias)) names.set(alias, id);
    }
  }
  return names;
}
