/**
 * Macros as a list: `${name}` in text becomes a value. Works on hidden placeholders (placeholders.ts); knows nothing of
 * where in the file a text stands.
 */
import { hiddenPlaceholder, placeholderNames, showPlaceholders } from './placeholders.ts';
import type { TreeScalar } from './tree.ts';

export interface Macro {
  readonly name: string;
  /** Hidden text, or a value that keeps its type where it stands alone. */
  readonly value: string | number | boolean;
  /** As it was written, if that was not text. */
  readonly written: string;
  readonly variables: readonly string[];
}

export const reservedMacros: ReadonlySet<string> = new Set(['PORT', 'MODEL_ID', 'PID']);

const nameLengthMax = 63;
/** No command line is longer; macros that double each other would be. */
const textLengthMax = 1024 * 1024;

/** Why a macro cannot be called this; undefined = it can. */
export function faultOfMacroName(name: string): string | undefined {
  if (name.length > nameLengthMax) {
    return `macro name '${name.slice(0, nameLengthMax)}…' exceeds maximum length of ${nameLengthMax} characters`;
  }
  if (!/^[a-zA-Z0-9_-]+$/.test(name)) {
    return `macro name '${name}' contains invalid characters, must match pattern ^[a-zA-Z0-9_-]+$`;
  }
  return reservedMacros.has(name) ? `macro name '${name}' is reserved` : undefined;
}

/** Reads one entry of `macros`. Throws a RangeError that says what is wrong. */
export function macroOf(name: string, { value, variables, plainText }: TreeScalar): Macro {
  if (typeof value === 'string' && value.includes(hiddenPlaceholder(name))) {
    throw new RangeError(`macro '${name}' contains self-reference`);
  }
  return { name, value: value ?? '', written: plainText ?? String(value ?? ''), variables };
}

/** `globals` with those of a model laid over: one of the same name takes its place, others follow. */
export function overlayMacros(globals: readonly Macro[], own: readonly Macro[]): Macro[] {
  const byName = new Map(own.map((macro) => [macro.name, macro]));
  const known = new Set(globals.map(({ name }) => name));
  return [
    ...globals.map((macro) => byName.get(macro.name) ?? macro),
    ...own.filter(({ name }) => !known.has(name)),
  ];
}

/**
 * Fills macros into a value, the last one first, so that each may use those before it. A value that is nothing but one
 * placeholder takes the macro's type. Throws a RangeError when the text grows out of bounds.
 */
export function fillMacros(scalar: TreeScalar, macros: readonly Macro[]): TreeScalar {
  let filled = scalar;
  for (let index = macros.length - 1; index >= 0; index -= 1) {
    const macro = macros[index];
    if (macro === undefined || typeof filled.value !== 'string') break;
    const placeholder = hiddenPlaceholder(macro.name);
    if (!filled.value.includes(placeholder)) continue;
    const value =
      filled.value === placeholder
        ? macro.value
        : filled.value.replaceAll(placeholder, () => String(macro.value));
    if (typeof value === 'string' && value.length > textLengthMax) {
      throw new RangeError(`must be at most ${textLengthMax} characters with its macros filled in`);
    }
    const variables = [...new Set([...filled.variables, ...macro.variables])];
    const written = typeof value === 'string' ? {} : { plainText: macro.written };
    const { plainText: _before, ...rest } = filled;
    filled = { ...rest, value, variables, ...written };
  }
  return filled;
}

/** Names of macros that nobody defined. */
export function unknownMacros({ value }: TreeScalar): string[] {
  return typeof value === 'string' ? placeholderNames(value) : [];
}

/** Turns what is left of hidden placeholders into plain text. */
export function showLeftovers(scalar: TreeScalar): TreeScalar {
  return typeof scalar.value === 'string' ? { ...scalar, value: showPlaceholders(scalar.value) } : scalar;
}
