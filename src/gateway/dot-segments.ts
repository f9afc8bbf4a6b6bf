/**
 * Paths that would mean another path to whoever resolves them: what a key may do is decided by the path as it was sent.
 * Clients resolve `.` and `..` themselves before they send, so nobody needs them.
 */
import { LlameroError } from '../domain/errors.ts';

/** Also escaped, and between what some servers take for a slash. */
const dotSegment = /(?:^|[/\\]|%2f|%5c)(?:\.|%2e){1,2}(?:$|[/\\]|%2f|%5c)/i;

/** `path` is without its query. Why it must not go on; undefined = it may. */
export function findDotSegment(path: string): LlameroError | undefined {
  if (!dotSegment.test(path)) return undefined;
  return new LlameroError('request_malformed', "The path must not hold '.' or '..' as a segment");
}
