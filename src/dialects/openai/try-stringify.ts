/** JSON text of values that somebody else made. */

/** undefined where the value nests deeper than `JSON.stringify` can follow; `JSON.parse` can make such values. */
export function tryStringify(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}
