/** Blanks everything in a TypeScript text that is not code, so that a check by pattern cannot be fooled by prose. */

type Mode = 'code' | 'line-comment' | 'block-comment' | 'single' | 'double' | 'template' | 'regex';

/** Before a `/`, these mean that a regular expression starts; after anything else it divides. */
const beforeRegex =
  /(?:^|[([{,;:=!&|?+\-*%<>~^]|\b(?:return|typeof|case|in|of|await|yield|throw|void|delete))\s*$/;

/** The text with comments, strings, template text and regular expressions replaced by blanks; line breaks stay. */
export function codeOnly(text: string): string {
  let out = '';
  let mode: Mode = 'code';
  let inClass = false;
  /** For every `${` that is open: how many braces are open inside it. */
  const holes: number[] = [];
  for (let i = 0; i < text.length; i += 1) {
    const char = text[i] ?? '';
    const pair = char + (text[i + 1] ?? '');
    if (mode === 'code') {
      const opened = openedBy(pair, out);
      if (opened === 'code') {
        const depth = holes.at(-1);
        if (depth !== undefined && char === '{') holes[holes.length - 1] = depth + 1;
        if (depth !== undefined && char === '}') {
          if (depth === 0) {
            holes.pop();
            mode = 'template';
          } else holes[holes.length - 1] = depth - 1;
        }
        out += char;
        continue;
      }
      mode = opened;
      inClass = false;
      if (mode.endsWith('comment')) {
        out += '  ';
        i += 1;
      } else out += char;
      continue;
    }
    if (mode === 'template' && pair === '${') {
      holes.push(0);
      mode = 'code';
      out += '${';
      i += 1;
      continue;
    }
    if (char === '\\' && !mode.endsWith('comment')) {
      out += text[i + 1] === '\n' ? ' \n' : '  ';
      i += 1;
      continue;
    }
    if (mode === 'regex' && char === '[') inClass = true;
    if (mode === 'regex' && char === ']') inClass = false;
    if (mode === 'block-comment' && pair === '*/') {
      out += '  ';
      i += 1;
      mode = 'code';
      continue;
    }
    if (closes(mode, char, inClass)) {
      out += char;
      mode = 'code';
    } else out += char === '\n' ? '\n' : ' ';
  }
  return out;
}

/** What starts here; 'code' when nothing does. */
function openedBy(pair: string, codeSoFar: string): Mode {
  if (pair === '//') return 'line-comment';
  if (pair === '/*') return 'block-comment';
  if (pair.startsWith("'")) return 'single';
  if (pair.startsWith('"')) return 'double';
  if (pair.startsWith('`')) return 'template';
  // Enough to see the last word; the whole text would make this quadratic.
  if (pair.startsWith('/') && beforeRegex.test(codeSoFar.slice(-40))) return 'regex';
  return 'code';
}

function closes(mode: Mode, char: string, inClass: boolean): boolean {
  if (mode === 'single') return char === "'";
  if (mode === 'double') return char === '"';
  if (mode === 'template') return char === '`';
  if (mode === 'regex') return (char === '/' && !inClass) || char === '\n';
  return mode === 'line-comment' && char === '\n';
}
