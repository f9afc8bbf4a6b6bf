/** What can be wrong with a configuration and how it is told: `file:line:col path: message`. Values of secrets never get here. */

export type ConfigProblemCode = 'config_syntax' | 'config_invalid' | 'config_reference' | 'config_conflict';

const shownMax = 60;

/** Keys and list indexes from the root of the file. */
export type ConfigPath = readonly (string | number)[];

export interface ConfigProblem {
  /** As given by the caller; `--listen` for an address of the command line. */
  readonly file: string;
  /** 1-based; 0 = the problem has no place in a file. */
  readonly line: number;
  readonly column: number;
  /** `backends.b1.slots`; empty = the file as a whole. */
  readonly path: string;
  readonly message: string;
  readonly code: ConfigProblemCode;
}

/** A problem or warning before it has a position. */
export interface Finding {
  readonly path: ConfigPath;
  readonly message: string;
  readonly code: ConfigProblemCode;
  /** Where it is, if the path does not lead there. */
  readonly offset?: number;
  /** Points at the key instead of the value. */
  readonly onKey?: boolean;
  /** The value may follow the message (`…, is 0`): never set where it could be a secret. */
  readonly showsValue?: boolean;
}

/** What checks find: problems refuse a configuration, warnings do not. */
export interface CheckResult {
  readonly problems: readonly Finding[];
  readonly warnings: readonly Finding[];
}

/** One line, without a line end. */
export function formatProblem(problem: ConfigProblem): string {
  const place = problem.line === 0 ? problem.file : `${problem.file}:${problem.line}:${problem.column}`;
  return problem.path === '' ? `${place} ${problem.message}` : `${place} ${problem.path}: ${problem.message}`;
}

/** `['backends', 'b1', 'models', 0]` → `backends.b1.models[0]`; keys with other characters are quoted in brackets. */
export function formatPath(path: ConfigPath): string {
  let text = '';
  for (const segment of path) {
    if (typeof segment === 'number') text += `[${segment}]`;
    else if (/^[\w-]+$/.test(segment)) text += text === '' ? segment : `.${segment}`;
    else text += `['${shownText(segment)}']`;
  }
  return text;
}

/** Text of a file as part of one line: without control characters, and not for pages. */
export function shownText(text: string, lengthMax = shownMax): string {
  const short = text.length > lengthMax ? `${text.slice(0, lengthMax)}…` : text;
  return short.replaceAll(/[\p{Cc}\u2028\u2029]/gu, '?');
}
