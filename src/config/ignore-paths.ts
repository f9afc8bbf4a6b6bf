/** Patterns of `upstream.ignorePaths`: written for RE2, run by JavaScript. */

/** Throws a SyntaxError for what RE2 or JavaScript does not know. Flags at the beginning, `(?P<name>` and `\z` are translated. */
export function compileIgnorePath(pattern: string): RegExp {
  const [, flags = '', rest = ''] = /^(?:\(\?([ims]+)\))?([\s\S]*)$/.exec(pattern) ?? [];
  // RE2 has neither, because they cannot be matched in time that grows with the text alone.
  if (/\(\?<?[=!]/.test(rest) || /\\[1-9]/.test(rest)) {
    throw new SyntaxError('look-around and back-references are not supported');
  }
  const translated = rest.replaceAll('(?P<', '(?<').replaceAll('\\A', '^').replaceAll('\\z', '$');
  return new RegExp(translated, flags);
}
