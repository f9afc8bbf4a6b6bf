/**
 * Nested members of a request that have no place in the common record, by their path. They are kept in `own`, so that
 * writers of other dialects report them. Knows nothing of what they mean.
 */
import { isObject } from '../ir/fields.ts';
import type { Place } from '../ir/fields.ts';

/** Paths without indexes (`messages[].content[].citations`): one note for all places. */
export type Unread = Set<string>;

/** A client could send any number of them. */
const notesMax = 64;
const keyCharsMax = 64;

/** Notes the members whose names are not in `known` and that say something. */
export function noteUnread(place: Place, known: ReadonlySet<string>, unread: Unread): void {
  for (const [key, value] of Object.entries(place.fields)) {
    if (known.has(key) || saysNothing(key, value)) continue;
    if (key.length > keyCharsMax || unread.size >= notesMax) continue;
    unread.add(`${place.path.replaceAll(/\[\d+\]/g, '[]')}.${key}`);
  }
}

/** Defaults that clients send along with the blocks of earlier answers. */
function saysNothing(key: string, value: unknown): boolean {
  if (value === null || value === undefined || value === false) return true;
  // Local engines keep prefixes by themselves: the mark asks for what happens anyway.
  if (key === 'cache_control') return true;
  if (Array.isArray(value)) return key === 'citations' && value.length === 0;
  if (!isObject(value)) return false;
  return (
    (key === 'caller' && value['type'] === 'direct') || (key === 'citations' && value['enabled'] === false)
  );
}
