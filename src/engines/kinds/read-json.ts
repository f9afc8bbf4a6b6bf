/** Reads fields out of what engines answer. Whatever is missing or of another type is undefined; nothing here throws. */

export type JsonObject = Readonly<Record<string, unknown>>;

export function asObject(value: unknown): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : undefined;
}

/** The objects in an array; undefined when the value is no array. */
export function asObjects(value: unknown): readonly JsonObject[] | undefined {
  if (!Array.isArray(value)) return undefined;
  return value.map(asObject).filter((entry) => entry !== undefined);
}

/** A string that is not empty. */
export function asText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A whole number ≥ 0. */
export function asCount(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** A whole number ≥ 1. */
export function asPositive(value: unknown): number | undefined {
  const count = asCount(value);
  return count === 0 ? undefined : count;
}
