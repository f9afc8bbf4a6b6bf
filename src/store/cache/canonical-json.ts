/** One text for all ways to write the same JSON value: the order of members says nothing. Pure. */
import { isBigNumber } from '../../base/exact-json.ts';

/** `value`: as `parseExactJson` gives it, so that numbers of many digits keep all of them. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item)).join(',')}]`;
  if (typeof value !== 'object' || value === null || isBigNumber(value))
    return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}
