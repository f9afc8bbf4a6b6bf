/**
 * Tokens of the simulation: four characters each, which is close to what real vocabularies do with English and costs
 * nothing to count. Ids are handed out as texts appear and stay the same for the life of the program.
 */

const charactersPerToken = 4;
/** Beyond this many different texts a token is one character, its id the code unit above the table. */
const tableEntriesMax = 50_000;

const texts: string[] = [];
const ids = new Map<string, number>();

export function countTokens(text: string): number {
  return Math.ceil(text.length / charactersPerToken);
}

/** Whole tokens in `characters` characters, for comparing prefixes. */
export function tokensIn(characters: number): number {
  return Math.floor(characters / charactersPerToken);
}

export interface Token {
  readonly id: number;
  readonly piece: string;
}

export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < text.length; at += charactersPerToken) {
    const piece = text.slice(at, at + charactersPerToken);
    const id = tokenId(piece);
    if (id !== undefined) tokens.push({ id, piece });
    else
      for (const unit of piece.split(''))
        tokens.push({ id: tableEntriesMax + unit.charCodeAt(0), piece: unit });
  }
  return tokens;
}

export function detokenize(tokens: readonly number[]): string {
  return tokens
    .map((id) => (id >= tableEntriesMax ? String.fromCharCode(id - tableEntriesMax) : (texts[id] ?? '')))
    .join('');
}

/** The id of a text as one token; undefined when the table is full. */
export function tokenId(piece: string): number | undefined {
  const known = ids.get(piece);
  if (known !== undefined) return known;
  if (texts.length >= tableEntriesMax) return undefined;
  ids.set(piece, texts.length);
  texts.push(piece);
  return texts.length - 1;
}
