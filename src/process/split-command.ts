/**
 * Splits a command written for a shell into words, without a shell: nothing is expanded, globbed or executed.
 * Lines that begin with `#` are comments; a backslash at the end of a line joins it with the next one.
 */

export type SplitResult =
  | { readonly ok: true; readonly words: readonly [program: string, ...args: string[]] }
  /** `problem` is a sentence without its full stop. */
  | { readonly ok: false; readonly problem: string };

/** Windows rules on `win32`, POSIX rules everywhere else. */
export function splitCommand(text: string, platform: NodeJS.Platform): SplitResult {
  const joined = joinLines(text);
  const split = platform === 'win32' ? splitWindows(joined) : splitPosix(joined);
  if (typeof split === 'string') return { ok: false, problem: split };
  const [program, ...args] = split;
  if (program === undefined || program === '') return { ok: false, problem: 'Empty command' };
  return { ok: true, words: [program, ...args] };
}

/** Drops comment lines and turns continued lines into one. Other line ends stay: they separate words like spaces. */
function joinLines(text: string): string {
  return text
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('#'))
    .map(continueLine)
    .join('');
}

function continueLine(line: string): string {
  const trimmed = line.trimEnd();
  const backslashes = trimmed.length - trimmed.replace(/\\+$/, '').length;
  // An even number is escaped backslashes, not a continuation.
  return backslashes % 2 === 1 ? `${trimmed.slice(0, -1)} ` : `${line}\n`;
}

const separators = new Set([' ', '\t', '\n', '\r', '\v', '\f']);

/** Words, or the problem. Quotes and escapes as in POSIX shells (2.2.1 to 2.2.3); `$`, backquotes and `#` are plain text. */
function splitPosix(text: string): string[] | string {
  const words: string[] = [];
  let word: string | undefined;
  let at = 0;
  while (at < text.length) {
    const char = text.charAt(at);
    if (separators.has(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      at += 1;
    } else if (char === "'" || char === '"') {
      const quoted = char === "'" ? readSingleQuoted(text, at) : readDoubleQuoted(text, at);
      if (quoted === undefined) return unclosed(char, text, at);
      word = (word ?? '') + quoted.value;
      at = quoted.end;
    } else {
      const escaped = char === '\\' && at + 1 < text.length;
      word = (word ?? '') + (escaped ? text.charAt(at + 1) : char);
      at += escaped ? 2 : 1;
    }
  }
  if (word !== undefined) words.push(word);
  return words;
}

interface Quoted {
  readonly value: string;
  /** Position after the closing quote. */
  readonly end: number;
}

function readSingleQuoted(text: string, start: number): Quoted | undefined {
  const close = text.indexOf("'", start + 1);
  return close === -1 ? undefined : { value: text.slice(start + 1, close), end: close + 1 };
}

const escapableInDoubleQuotes = new Set(['"', '\\', '$', '`', '\n']);

function readDoubleQuoted(text: string, start: number): Quoted | undefined {
  let value = '';
  for (let at = start + 1; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (char === '"') return { value, end: at + 1 };
    const escapes = char === '\\' && escapableInDoubleQuotes.has(text.charAt(at + 1));
    value += escapes ? text.charAt(at + 1) : char;
    if (escapes) at += 1;
  }
  return undefined;
}

/**
 * Words, or the problem. The rules of the Microsoft C runtime: only `"` quotes; backslashes count as escapes only
 * before a `"`; `""` inside quotes is one `"`.
 */
function splitWindows(text: string): string[] | string {
  const words: string[] = [];
  let word: string | undefined;
  let quoteStart = -1;
  let at = 0;
  while (at < text.length) {
    const char = text.charAt(at);
    if (char === '\\') {
      const run = /^\\+/.exec(text.slice(at))?.[0].length ?? 1;
      const beforeQuote = text.charAt(at + run) === '"';
      word = (word ?? '') + '\\'.repeat(beforeQuote ? Math.floor(run / 2) : run);
      at += run;
      if (beforeQuote && run % 2 === 1) {
        word += '"';
        at += 1;
      }
    } else if (char === '"') {
      const doubled = quoteStart !== -1 && text.charAt(at + 1) === '"';
      word = (word ?? '') + (doubled ? '"' : '');
      if (!doubled) quoteStart = quoteStart === -1 ? at : -1;
      at += doubled ? 2 : 1;
    } else if (quoteStart === -1 && separators.has(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      at += 1;
    } else {
      word = (word ?? '') + char;
      at += 1;
    }
  }
  if (quoteStart !== -1) return unclosed('"', text, quoteStart);
  if (word !== undefined) words.push(word);
  return words;
}

function unclosed(quote: string, text: string, start: number): string {
  return `Unclosed ${quote} in the command, before: ${text.slice(start + 1, start + 31).trim()}`;
}
