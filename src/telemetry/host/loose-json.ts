/** Reads the JSON of vendors' tools, whose shape changes from release to release: by path, with units, never throwing. */

/** From its first bracket on, for some tools warn before it. undefined = there is none, or it is broken. */
export function tryParseLooseJson(text: string): unknown {
  const start = text.search(/^\s*[{[]/m);
  if (start === -1) return undefined;
  try {
    return JSON.parse(text.slice(start));
  } catch {
    return undefined;
  }
}

/** The value under these keys, one below the other. */
export function at(value: unknown, ...keys: readonly string[]): unknown {
  let found = value;
  for (const key of keys) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) return undefined;
    found = (found as Record<string, unknown>)[key];
  }
  return found;
}

/** Of a number, a text such as `"37.0"`, or `{ value, unit }`. `N/A` and everything else is undefined. */
export function tryNumberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value === 'object') return value === null ? undefined : tryNumberOf(at(value, 'value'));
  if (typeof value !== 'string' || !/^-?\d+(?:\.\d+)?$/.test(value.trim())) return undefined;
  return Number(value);
}

/** Without what tools write in place of nothing. */
export function tryTextOf(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  return text === '' || /^\[?(?:n\/a|unknown|not supported)\]?$/i.test(text) ? undefined : text;
}
