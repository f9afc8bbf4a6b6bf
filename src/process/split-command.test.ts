import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitCommand } from './split-command.ts';

function words(text: string, platform: NodeJS.Platform = 'linux'): readonly string[] {
  const split = splitCommand(text, platform);
  if (!split.ok) throw new Error(split.problem);
  return split.words;
}

function problem(text: string, platform: NodeJS.Platform = 'linux'): string {
  const split = splitCommand(text, platform);
  return split.ok ? `split into ${split.words.length} words` : split.problem;
}

describe('splitCommand with POSIX rules', () => {
  test.each([
    ['server --port 1', ['server', '--port', '1']],
    ['  server\t--a   b  ', ['server', '--a', 'b']],
    [`server 'a b' "c d"`, ['server', 'a b', 'c d']],
    [`server --x='a b'"c"d`, ['server', '--x=a bcd']],
    [`server '' ""`, ['server', '', '']],
    [String.raw`server a\ b \"q\" \\`, ['server', 'a b', '"q"', '\\']],
    [String.raw`server "a\"b\\c\$d\n"`, ['server', String.raw`a"b\c$d\n`]],
    [String.raw`server 'a\b'`, ['server', String.raw`a\b`]],
    [`server '{"a": "b c"}' "it's"`, ['server', '{"a": "b c"}', "it's"]],
    ['server $HOME `x` *.gguf a#b ~', ['server', '$HOME', '`x`', '*.gguf', 'a#b', '~']],
    [`bash -c 'one\ntwo'`, ['bash', '-c', 'one\ntwo']],
  ])('reads %j', (text, expected) => {
    expect(words(text)).toEqual(expected);
  });

  test('joins continued lines and drops comment and blank lines (CFG-19)', () => {
    const text = [
      '# the server',
      'server \\',
      '   --a 1 \\  ',
      `   # --broken 'quote \\`,
      '',
      '   --b "x y"\r',
      '--c 3',
      '',
    ].join('\n');
    expect(words(text)).toEqual(['server', '--a', '1', '--b', 'x y', '--c', '3']);
  });

  test('keeps a backslash that is itself escaped at the end of a line', () => {
    expect(words('server a\\\\\nb')).toEqual(['server', 'a\\', 'b']);
  });

  test('refuses an empty command and an unclosed quote, naming its place', () => {
    expect(problem('')).toBe('Empty command');
    expect(problem(' \n# only a comment\n')).toBe('Empty command');
    expect(problem(`''`)).toBe('Empty command');
    expect(problem(`server --name 'half of it`)).toBe("Unclosed ' in the command, before: half of it");
    expect(problem(`server "a\\"`)).toContain('Unclosed "');
  });

  test('gives back any words that were quoted and separated in any way', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(wordArbitrary, quotingArbitrary, separatorArbitrary), { minLength: 1 }),
        (parts) => {
          const text = parts.map(([word, quote, separator]) => quote(word) + separator).join('');
          expect(words(`program ${text}`)).toEqual(['program', ...parts.map(([word]) => word)]);
        },
      ),
    );
  });

  test('never throws, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.constantFrom('linux', 'win32'), (text, platform) => {
        expect(typeof splitCommand(text, platform).ok).toBe('boolean');
      }),
    );
  });
});

describe('splitCommand with Windows rules', () => {
  test.each([
    [
      String.raw`C:\bin\server.exe --m C:\models\a.gguf`,
      ['C:\\bin\\server.exe', '--m', 'C:\\models\\a.gguf'],
    ],
    [String.raw`"C:\Program Files\server.exe" 'a b'`, ['C:\\Program Files\\server.exe', "'a", "b'"]],
    [String.raw`s "a\\" b`, ['s', 'a\\', 'b']],
    [String.raw`s "a\"b" \"c\"`, ['s', 'a"b', '"c"']],
    [String.raw`s "a""b" ""`, ['s', 'a"b', '']],
    [String.raw`s a\\b c\\\"d`, ['s', 'a\\\\b', 'c\\"d']],
  ])('reads %j', (text, expected) => {
    expect(words(text, 'win32')).toEqual(expected);
  });

  test('joins continued lines, drops comments, refuses an unclosed quote', () => {
    expect(words('server \\\r\n  # no\r\n  --a 1\r\n', 'win32')).toEqual(['server', '--a', '1']);
    expect(problem('server "a b', 'win32')).toBe('Unclosed " in the command, before: a b');
  });

  test('gives back any words that were quoted by the rules', () => {
    fc.assert(
      fc.property(fc.array(wordArbitrary), (list) => {
        const text = list.map(quoteWindows).join(' ');
        expect(words(`program ${text}`, 'win32')).toEqual(['program', ...list]);
      }),
    );
  });
});

/** Without line ends: a comment line is dropped even inside quotes, as users of multi-line commands expect. */
const wordArbitrary = fc.string({
  unit: fc.constantFrom('a', 'B', '7', ' ', '\t', '"', "'", '\\', '#', '$', '`', '=', '*', 'é', '😀'),
});

const quotingArbitrary = fc.constantFrom(
  (word: string) => `'${word.replaceAll("'", `'\\''`)}'`,
  (word: string) => `"${word.replaceAll(/["\\$`]/g, '\\$&')}"`,
  // Not before white space: at the end of a line that would be a continuation.
  (word: string) =>
    word === ''
      ? `''`
      : Array.from(word)
          .map((char) => (/\s/.test(char) ? `'${char}'` : `\\${char}`))
          .join(''),
);

const separatorArbitrary = fc.constantFrom(
  ' ',
  '\t ',
  '\n',
  ' \\\n',
  ' \\  \n ',
  '\n# comment " \' \\\n',
  '\r\n',
);

function quoteWindows(word: string): string {
  return `"${word.replaceAll(/(\\*)"/g, '$1$1\\"').replace(/(\\+)$/, '$1$1')}"`;
}
