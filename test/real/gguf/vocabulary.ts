/**
 * The toy models' tokens: every byte, common words learned by byte-pair merging, and the marks of the chat format.
 * Also says what part a token plays in the toy's speech.
 */

/** How llama.cpp treats a token. shown: special, but part of the visible text. */
export type TokenType = 'normal' | 'hidden' | 'shown';

export interface Vocabulary {
  readonly tokens: readonly string[];
  readonly types: readonly TokenType[];
  /** Pairs in the order in which they are merged, as `left right`. */
  readonly merges: readonly string[];
  /** Throws when there is no such token. */
  readonly idOf: (token: string) => number;
}

export const marks = {
  end: '<|endoftext|>',
  turnStart: '<|im_start|>',
  turnEnd: '<|im_end|>',
  pad: '<|pad|>',
  separator: '<|sep|>',
  start: '<|cls|>',
  fillPrefix: '<|fim_prefix|>',
  fillSuffix: '<|fim_suffix|>',
  fillMiddle: '<|fim_middle|>',
  /** Last in a prompt with tools: what the toy answers with a call. */
  toolsOffered: '<|tools|>',
  thinkStart: '<think>',
  thinkEnd: '</think>',
  callStart: '<tool_call>',
  callEnd: '</tool_call>',
} as const;

const shownMarks = new Set<string>([marks.thinkStart, marks.thinkEnd, marks.callStart, marks.callEnd]);

const mergesMax = 700;

const words =
  `the of and to in is that for it as was with be by on not he his but at are this have from or had an they
  which one you were all her she there would their we him been has when who will no more if out so up said what its
  about than into them can only other time new some could these two may first then do any like my now over such our man
  me even most made after also did many off before must well back through years much where your way down should because
  long each just state people too how little good world make very year still see work between life being under day same
  another know while last might us great old since against go came right used take three house use during without again
  place around home small however found part school number every always public set water upon fact point system model
  server request answer question token router local cloud cost speed fast slow big large tiny think tool call name value
  result error light dark river mountain garden window letter paper music story green blue red white black hand head eye
  voice night morning summer winter spring north south east west city street road train ship bird tree stone fire wind
  rain snow star moon sun earth sea open close begin end write read run walk speak listen learn teach build break carry
  bring keep hold give find turn move stop start help show tell ask play follow change create function return string
  object array index test code file line data type class method list map key user`
    .split(/\s+/)
    .filter((word) => word !== '');

/** GPT-2's alphabet: every byte as one printable character, those that are none moved up by 256. */
const byteLetters: readonly string[] = (() => {
  const letters: string[] = [];
  let moved = 256;
  for (let byte = 0; byte < 256; byte++) {
    const printable = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
    letters.push(String.fromCodePoint(printable ? byte : moved));
    if (!printable) moved += 1;
  }
  return letters;
})();

/** What a blank looks like in that alphabet; words begin with it. */
export const blank = byteLetters[32] ?? ' ';

/** The byte that a one-letter token stands for; undefined for all others. */
export function byteOf(token: string): number | undefined {
  const byte = byteLetters.indexOf(token);
  return byte === -1 ? undefined : byte;
}

export function buildVocabulary(): Vocabulary {
  const merges = learnMerges();
  const learned = new Set(merges.map((merge) => merge.replace(' ', '')));
  const tokens = [...byteLetters, ...learned];
  const types: TokenType[] = tokens.map(() => 'normal');
  for (const mark of Object.values(marks)) {
    tokens.push(mark);
    types.push(shownMarks.has(mark) ? 'shown' : 'hidden');
  }
  // Matrix kernels like row counts that divide by 32.
  while (tokens.length % 32 !== 0) {
    tokens.push(`<|spare_${tokens.length}|>`);
    types.push('hidden');
  }
  const ids = new Map(tokens.map((token, id) => [token, id]));
  return {
    tokens,
    types,
    merges,
    idOf(token) {
      const id = ids.get(token);
      if (id === undefined) throw new Error(`the vocabulary has no token ${token}`);
      return id;
    },
  };
}

/** Byte-pair learning over the words, the earlier ones counting more; ties go to the pair that sorts first. */
function learnMerges(): readonly string[] {
  const texts = words.flatMap((word, rank) => {
    const weight = 1 + Math.floor(400 / (rank + 4));
    return [
      { parts: Array.from(blank + word), weight: weight * 4 },
      { parts: Array.from(word), weight },
    ];
  });
  const merges: string[] = [];
  for (let best = mostFrequentPair(texts); best !== undefined && merges.length < mergesMax;) {
    merges.push(best);
    const [left = '', right = ''] = best.split(' ');
    for (const entry of texts) entry.parts = mergePair(entry.parts, left, right);
    best = mostFrequentPair(texts);
  }
  return merges;
}

function mostFrequentPair(
  texts: readonly { readonly parts: readonly string[]; readonly weight: number }[],
): string | undefined {
  const counts = new Map<string, number>();
  for (const { parts, weight } of texts) {
    for (let index = 1; index < parts.length; index++) {
      const pair = `${parts[index - 1]} ${parts[index]}`;
      counts.set(pair, (counts.get(pair) ?? 0) + weight);
    }
  }
  let best: string | undefined;
  for (const [pair, count] of counts) {
    const bestCount = best === undefined ? 0 : (counts.get(best) ?? 0);
    if (count > bestCount || (count === bestCount && best !== undefined && pair < best)) best = pair;
  }
  return best;
}

function mergePair(parts: readonly string[], left: string, right: string): string[] {
  const merged: string[] = [];
  for (const part of parts) {
    if (part === right && merged.at(-1) === left) merged[merged.length - 1] = left + right;
    else merged.push(part);
  }
  return merged;
}
