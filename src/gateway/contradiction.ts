/**
 * Finds what two readers of one JSON body would understand differently, among the members that the router goes by: what it
 * reads has to be what the engine reads. Looks at names and spans only.
 */
import type { JsonMember, JsonObjectSpan } from '../base/json-scan.ts';

const namesRead = ['model', 'stream', 'stream_options'];

/** In words for the client; undefined = there is none. */
export function findContradiction(body: Buffer, { members }: JsonObjectSpan): string | undefined {
  for (const name of namesRead) {
    let first: JsonMember | undefined;
    for (const member of members) {
      const { key } = member;
      if (key !== name) {
        if (isTakenFor(key, name)) return `'${key}' is '${name}' for some engines and unknown to others`;
      } else if (first === undefined) first = member;
      else if (!isSameText(body, first, member)) return `'${name}' stands there twice, and differently`;
    }
  }
  return undefined;
}

/** Go's JSON reader, and so Ollama, takes the names of members in any case, with a long s for an s as well. */
function isTakenFor(key: string, name: string): boolean {
  if (key.length !== name.length) return false;
  // One letter spares most names the rest: the third of none of ours has a second small form.
  if ((key.charCodeAt(2) | 0x20) !== name.charCodeAt(2)) return false;
  return key.toUpperCase() === name.toUpperCase();
}

function isSameText(body: Buffer, one: JsonMember, other: JsonMember): boolean {
  return body.compare(body, one.start, one.end, other.start, other.end) === 0;
}
