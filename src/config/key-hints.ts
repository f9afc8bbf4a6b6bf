/** What an unknown key may have been meant to be: one of its siblings, or a key of another place. */
import { nearestName } from '../base/nearest-name.ts';
import { keysOf, placesByKey } from './schema-node.ts';
import type { SchemaNode } from './schema-node.ts';

/** The known key of the same map that looks like it. */
export function siblingLike(schema: SchemaNode, key: string): string | undefined {
  const siblings = keysOf(schema);
  return siblings.find((name) => plainName(name) === plainName(key)) ?? nearestName(key, siblings);
}

/** Where the key, or one that looks like it, belongs. `''` is the top level. */
export function likelyPlaces(
  key: string,
): { readonly name: string; readonly places: readonly string[] } | undefined {
  const exact = placesByKey.get(key);
  if (exact !== undefined) return { name: key, places: exact };
  const near = nearestName(key, placesByKey.keys());
  return near === undefined ? undefined : { name: near, places: placesByKey.get(near) ?? [] };
}

/** `queue_timeout` and `QueueTimeout` are both meant to be `queueTimeout`. */
function plainName(key: string): string {
  return key.toLowerCase().replaceAll(/[_-]/g, '');
}
