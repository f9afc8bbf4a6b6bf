/**
 * Finds what two readers of one JSON body would understand differently, among the members that the router goes by: what it
 * reads has to be what the engine reads. Looks at names and spans only.
 */
import type { JsonMember, JsonObjectSpan } from '../base/json-scan.ts';

/** Of a model, a stream and its usage. By their length, so that no other member costs more than a comparison. */
const namesByLength: ReadonlyMap<number, readonly string[]> = new Map([
  [5, ['model']],
  [6, ['stream']],
  [14, ['stream_options']],
]);

/** In words for the client; undefined = there is none. */
export function findContradiction(body: Buffer, { members }: JsonObjectSpan): string | undefined {
  const first = new Map<string, JsonMember>();
  for (const member of members) {
    const { key } = member;
    const name = namesByLength.get(key.length)?.find((known) => isTakenFor(key, known));
    if (name === undefined) continue;
    if (key !== name) return `'${key}' is '${name}' for some engines and unknown to others`;
    const before = first.get(name);
    if (before === undefined) first.set(name, member);
    else if (!isSameText(body, before, member)) return `'${name}' stands there twice, and differently`;
  }
  return undefined;
}

/** Go's JSON reader, and so Ollama, takes the names of members in any case, with a long s for an s as well. */
function isTakenFor(key: string, name: string): boolean {
  return key === name || key.toUpperCase() === name.toUpperCase();
}

function isSameText(body: Buffer, one: JsonMember, other: JsonMember): boolean {
  return body.compare(body, one.start, one.end, other.start, other.end) === 0;
}
