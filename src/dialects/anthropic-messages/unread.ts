/** Which members of blocks and members of the Messages API go without a word where nothing reads them; the others are noted. */
import { isObject } from '../ir/fields.ts';
import type { Place } from '../ir/fields.ts';
import { noteUnreadMembers, type Unread } from '../ir/unread.ts';

/** Notes the members whose names are not in `known` and that say something. */
export function noteUnread(place: Place, known: ReadonlySet<string>, unread: Unread): void {
  noteUnreadMembers(place, unread, { known, saysNothing });
}

/** Defaults that clients send along with the blocks of earlier answers. */
function saysNothing(key: string, value: unknown): boolean {
  // Local engines keep prefixes by themselves: the mark asks for what happens anyway.
  if (key === 'cache_control') return true;
  if (Array.isArray(value)) return key === 'citations' && value.length === 0;
  if (!isObject(value)) return false;
  return (
    (key === 'caller' && value['type'] === 'direct') || (key === 'citations' && value['enabled'] === false)
  );
}
