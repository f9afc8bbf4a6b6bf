/** Which members of items, parts and tools of the Responses API go without a word where nothing reads them; the others are noted. */
import { isObject } from '../ir/fields.ts';
import type { Place } from '../ir/fields.ts';
import type { JsonObject } from '../ir/request.ts';
import { noteUnreadMembers, type Unread } from '../ir/unread.ts';

/** Notes the members whose names are not in `known` and that say something. */
export function noteUnread(place: Place, known: ReadonlySet<string>, unread: Unread): void {
  noteUnreadMembers(place, unread, { known, saysNothing });
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
  if (key === 'prompt_cache_breakpoint' || key === 'defer_loading') return true;
  if (Array.isArray(value)) return value.every((entry) => key === 'allowed_callers' && entry === 'direct');
  if (isObject(value)) return key === 'caller' && value['type'] === 'direct';
  return key === 'detail' && value === 'auto';
}
