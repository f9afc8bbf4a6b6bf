/**
 * Nested members of a request that have no place in the common record, by their path. They are kept in `own`, so that what
 * an engine is not told gets reported. Knows nothing of what they mean.
 */
import type { Place } from './fields.ts';

/** Paths without indexes (`tools[].output_schema`): one note for all places. */
export type Unread = Set<string>;

/** A client could send any number of them. */
const notesMax = 64;
const keyCharsMax = 64;

export interface UnreadRules {
  /** Members that are read, or are known to need no word. */
  readonly known: ReadonlySet<string>;
  /** Whether a member asks for nothing but the default of its API. null and false always do. */
  readonly saysNothing: (key: string, value: unknown) => boolean;
}

/** Notes the members that are not known and that say something. */
export function noteUnreadMembers(place: Place, unread: Unread, { known, saysNothing }: UnreadRules): void {
  for (const [key, value] of Object.entries(place.fields)) {
    const isEmpty = value === null || value === undefined || value === false;
    if (isEmpty || known.has(key) || saysNothing(key, value)) continue;
    if (key.length > keyCharsMax || unread.size >= notesMax) continue;
    unread.add(`${place.path.replaceAll(/\[\d+\]/g, '[]')}.${key}`);
  }
}
