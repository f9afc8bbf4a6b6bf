/** Plain words for what a YAML parser finds. The library's own messages may quote the file, and with it a secret. */
import type { YAMLError } from 'yaml';

const textByCode: Readonly<Record<YAMLError['code'], string>> = {
  ALIAS_PROPS: 'an alias cannot carry a tag or an anchor',
  BAD_ALIAS: 'not a usable anchor or alias name',
  BAD_COLLECTION_TYPE: 'the tag does not fit the value',
  BAD_DIRECTIVE: 'unknown directive',
  BAD_DQ_ESCAPE: 'unknown escape in a double-quoted text (a backslash is written \\\\)',
  BAD_INDENT: 'the indentation does not fit the lines around it',
  BAD_PROP_ORDER: 'anchors and tags must follow the indicator before them',
  BAD_SCALAR_START: 'a value cannot begin with this character (put it in quotes)',
  BLOCK_AS_IMPLICIT_KEY: 'a nested map cannot begin here (a text with `: ` in it needs quotes)',
  BLOCK_IN_FLOW: 'an indented list or map cannot stand inside [ ] or { }',
  DUPLICATE_KEY: 'duplicate key',
  IMPOSSIBLE: 'not readable as YAML',
  KEY_OVER_1024_CHARS: 'a key must be shorter than 1024 characters',
  MISSING_CHAR: 'something is missing here: a colon, a comma, a space or a line end',
  MULTILINE_IMPLICIT_KEY: 'a key must be on one line',
  MULTIPLE_ANCHORS: 'a value can have one anchor',
  MULTIPLE_DOCS: 'must be one document (remove the `---` line)',
  MULTIPLE_TAGS: 'a value can have one tag',
  NON_STRING_KEY: 'a key must be text',
  RESOURCE_EXHAUSTION: 'nested too deeply',
  TAB_AS_INDENT: 'tabs cannot indent (use spaces)',
  TAG_RESOLVE_FAILED: 'unknown tag, or a value that does not fit its tag',
  UNEXPECTED_TOKEN: 'unexpected character',
};

/** Some codes cover several cases that only the library's text tells apart. */
const textByMessage: readonly (readonly [RegExp, string])[] = [
  [/end with a [\]}]$/, 'a list or map is not closed: ] or } is missing'],
  [/^Missing closing/, 'the closing quote is missing'],
  [/^Implicit map keys need to be followed/, 'a colon after the key is missing'],
  [/^Missing space after :/, 'a space after the colon is missing'],
];

export function describeYamlError(error: YAMLError): string {
  for (const [pattern, text] of textByMessage) if (pattern.test(error.message)) return text;
  return textByCode[error.code];
}
