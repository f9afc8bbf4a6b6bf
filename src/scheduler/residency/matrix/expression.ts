/**
 * The language of matrix sets: names, `&` (together), `|` (either), parentheses, `+name` (another set). `&` binds
 * tighter. Text to tree; what names mean is compile.ts's.
 */

export type Expression =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'reference'; readonly set: string }
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Expression[] };

/** A set that cannot be read or resolved. The message names the place or the name. */
export class MatrixError extends Error {
  override readonly name = 'MatrixError';
}

/** Nested parentheses beyond this are a mistake, and recursion must end. */
const depthMax = 200;

interface Token {
  readonly text: string;
  readonly kind: 'name' | 'reference' | '&' | '|' | '(' | ')';
}

/** Throws MatrixError for an empty expression, an unexpected character, token or end. */
export function parseExpression(text: string): Expression {
  const tokens = tokenize(text);
  if (tokens.length === 0) throw new MatrixError('empty expression');
  const reader = { tokens, next: 0 };
  const expression = readChoice(reader, 0);
  const left = tokens[reader.next];
  if (left !== undefined) throw new MatrixError(`unexpected token '${left.text}'`);
  return expression;
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  const pattern = /\s+|([&|()])|\+([A-Za-z0-9_.-]+)|([A-Za-z0-9_.-]+)/y;
  while (pattern.lastIndex < text.length) {
    const at = pattern.lastIndex;
    const match = pattern.exec(text);
    if (match === null) throw new MatrixError(`unexpected character '${text[at] ?? ''}' at position ${at}`);
    const [whole, operator, reference, name] = match;
    if (operator !== undefined) tokens.push({ text: operator, kind: operator as '&' | '|' | '(' | ')' });
    else if (reference !== undefined) tokens.push({ text: reference, kind: 'reference' });
    else if (name !== undefined) tokens.push({ text: whole, kind: 'name' });
  }
  return tokens;
}

interface Reader {
  readonly tokens: readonly Token[];
  next: number;
}

function readChoice(reader: Reader, depth: number): Expression {
  return readJoined(reader, '|', () => readTogether(reader, depth));
}

function readTogether(reader: Reader, depth: number): Expression {
  return readJoined(reader, '&', () => readOne(reader, depth));
}

function readJoined(reader: Reader, operator: '&' | '|', readPart: () => Expression): Expression {
  const first = readPart();
  const parts = [first];
  while (reader.tokens[reader.next]?.kind === operator) {
    reader.next += 1;
    parts.push(readPart());
  }
  return parts.length === 1 ? first : { kind: operator === '&' ? 'and' : 'or', parts };
}

function readOne(reader: Reader, depth: number): Expression {
  const token = reader.tokens[reader.next];
  if (token === undefined) throw new MatrixError('unexpected end of expression');
  if (depth > depthMax) throw new MatrixError(`parentheses nested deeper than ${depthMax}`);
  reader.next += 1;
  switch (token.kind) {
    case 'name':
      return { kind: 'name', name: token.text };
    case 'reference':
      return { kind: 'reference', set: token.text };
    case '(': {
      const inner = readChoice(reader, depth + 1);
      if (reader.tokens[reader.next]?.kind !== ')') throw new MatrixError('missing closing parenthesis');
      reader.next += 1;
      return inner;
    }
    case '&':
    case '|':
    case ')':
      throw new MatrixError(`unexpected token '${token.text}'`);
  }
}
