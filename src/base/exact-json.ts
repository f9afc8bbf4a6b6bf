/**
 * JSON that loses no digits: whole numbers that a double cannot hold (seeds, ids) survive reading and writing. Everything
 * else is as `JSON.parse` and `JSON.stringify` have it.
 */

/** What V8 keeps a number's source text in; its type definitions do not know it yet. */
interface RawJson {
  readonly rawJSON: string;
}

interface JsonWithSource {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): RawJson;
  isRawJSON(value: unknown): value is RawJson;
}

const json = JSON as unknown as JsonWithSource;

/** Only such text can hold a number that is too big. */
const manyDigits = /\d{16}/;
const wholeNumber = /^-?\d+$/;
const jsonNumber = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$/;

/** @throws SyntaxError */
export function parseExactJson(text: string): unknown {
  // A reviver makes reading several times slower, and nearly no text needs it.
  if (!manyDigits.test(text)) return JSON.parse(text);
  return json.parse(text, (_key, value, { source }) => {
    const isCut =
      typeof value === 'number' &&
      !Number.isSafeInteger(value) &&
      source !== undefined &&
      wholeNumber.test(source);
    return isCut ? json.rawJSON(source) : value;
  });
}

/** True for a number of `parseExactJson` that is no `number`. `JSON.stringify` writes its digits. */
export function isBigNumber(value: unknown): value is RawJson {
  return json.isRawJSON(value);
}

/**
 * A number as it is written, if JSON has that form and would write its double differently: 9007199254740993, 1.50, 1e400.
 * undefined = the double says it all.
 */
export function tryExactNumber(text: string): RawJson | undefined {
  const value = Number(text);
  if (!jsonNumber.test(text) || Object.is(value, -0) || JSON.stringify(value) === text) return undefined;
  return json.rawJSON(text);
}

/** The nearest double. */
export function bigNumberOf(value: RawJson): number {
  return Number(value.rawJSON);
}

/** A copy that can be changed: `structuredClone` does not know big numbers. They never change, so the copy shares them. */
export function copyExactJson<Value>(value: Value): Value {
  return copyOf(value) as Value;
}

function copyOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyOf);
  if (typeof value !== 'object' || value === null || isBigNumber(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, copyOf(member)]));
}
