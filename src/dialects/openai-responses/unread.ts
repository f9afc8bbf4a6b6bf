/**
 * Members of items, parts and tools that have no place in the common record, by their path. They are kept in `own`, so
 * that what an engine is not told gets reported. Knows nothing of what they mean.
 */
import { isObject } from '../ir/fields.ts';
import type { Place } from '../ir/fields.ts';
import type { JsonObject } from '../ir/request.ts';

/** Paths without indexes (`tools[].output_schema`): one note for all places. */
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

/** The notes as members of `own`. */
export function unreadMembers(unread: Unread): JsonObject {
  return Object.fromEntries([...unread].map((path) => [path, true]));
}

/** True for a key of `own` that is such a note. */
export function isUnread(key: string): boolean {
  return key.includes('[]');
}

/** Defaults that clients send along, and marks that ask for what happens anyway. */
function saysNothing(key: string, value: unknown): boolean {
  if (value === null || value === undefined || value === false) return true;
  if (key === 'prompt_cache_breakpoint' || key === 'defer_loading') return true;
  if (Array.isArray(value)) return value.every((entry) => key === 'allowed_callers' && entry === 'direct');
  if (isObject(value)) return key === 'caller' && value['type'] === 'direct';
  return key === 'detail' && value === 'auto';
}
