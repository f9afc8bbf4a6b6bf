/**
 * `${env.NAME}` and `${macro}` in values. Placeholders are found in the raw text first and their braces hidden from the YAML parser, so
 * that they may stand unquoted anywhere, also inside `[a, b]`; comments are never looked at, and no position moves.
 */

/** Unicode non-characters: they occur in no text, and each takes the place of exactly one brace. */
const open = '\uFDD0';
const close = '\uFDD1';
const marks = /[\uFDD0\uFDD1]/g;
/** What a macro may be called; checked again where macros are defined. */
const macroNamePattern = /^[a-zA-Z0-9_-]+$/;
const markPattern = new RegExp(`[${open}${close}]`, 'g');
const placeholderPattern = /\$\{([^{}\s]*)\}/g;
const hiddenPattern = new RegExp(`(\\$?)\\$${open}([^${close}]*)${close}`, 'g');

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface Resolved {
  readonly text: string;
  /** Names of the variables whose values are in `text`: such a text must not be shown. */
  readonly variables: readonly string[];
  readonly problems: readonly string[];
}

/** Writes a plain text so that nothing in it is read as a placeholder. */
export function escapePlaceholders(text: string): string {
  return text.replaceAll(placeholderPattern, '$$$&');
}

/** The text with U+FFFD in place of the marks, so that nothing in it is taken for a hidden placeholder. */
export function withoutMarks(text: string): string {
  return text.replaceAll(marks, '\uFFFD');
}

/** Hides the braces of every `${…}`. A text that holds the marks themselves gets U+FFFD in their place. */
export function hidePlaceholders(text: string): string {
  return withoutMarks(text).replaceAll(placeholderPattern, `$$${open}$1${close}`);
}

/** Undoes `hidePlaceholders`. */
export function showPlaceholders(text: string): string {
  return text.replaceAll(open, '{').replaceAll(close, '}');
}

export function hasPlaceholder(text: string): boolean {
  return text.includes(open);
}

/** The hidden form of `${name}`, to look for in hidden text. */
export function hiddenPlaceholder(name: string): string {
  return `$${open}${name}${close}`;
}

/** Names of the placeholders in a hidden text, each once. */
export function placeholderNames(hidden: string): string[] {
  return [...new Set(Array.from(hidden.matchAll(hiddenPattern), ([, , name = '']) => name))];
}

/**
 * Replaces `${env.NAME}` in one hidden value; `$${x}` becomes `${x}`. Macros stay hidden, and what can be neither a
 * variable nor a macro becomes plain text again. A problem names the variable, never its value.
 */
export function resolvePlaceholders(hidden: string, env: Environment): Resolved {
  const variables = new Set<string>();
  const problems = new Set<string>();
  const text = hidden.replaceAll(hiddenPattern, (match, escape: string, name: string) => {
    if (escape !== '') return `\${${name}}`;
    if (macroNamePattern.test(name)) return match;
    if (!name.startsWith('env.')) return showPlaceholders(match);
    const variable = /^env\.([A-Za-z_][A-Za-z0-9_]*)$/.exec(name)?.[1];
    if (variable === undefined) {
      problems.add('unknown placeholder: write ${env.NAME} for an environment variable, $${ for a plain ${');
      return '';
    }
    const value = Object.hasOwn(env, variable) ? env[variable] : undefined;
    if (value === undefined) {
      problems.add(`environment variable '${variable}' is not set`);
      return '';
    }
    variables.add(variable);
    if (/[\n\r\0]/.test(value))
      problems.add(`environment variable '${variable}' contains newlines or null bytes`);
    return value.replaceAll(markPattern, '');
  });
  return { text, variables: [...variables], problems: [...problems] };
}
