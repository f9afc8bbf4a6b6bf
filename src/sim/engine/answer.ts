/**
 * What a simulated model says: an endless or ending row of pieces, one per token, decided by a seed alone. Thoughts come
 * first, then either a tool call, JSON of a schema, or plain sentences.
 */
import { createRandom, type Random } from '../../base/random.ts';
import { schemaInstance } from './schema-instance.ts';
import { adjectives, nouns, tails, verbs, wideWords } from './words.ts';

export interface Piece {
  readonly kind: 'reasoning' | 'text' | 'arguments';
  readonly text: string;
}

export interface ToolOffer {
  readonly name: string;
  readonly parameters: unknown;
}

export interface AnswerPlan {
  readonly seed: number;
  readonly thinks: boolean;
  /** Tools to choose from; empty = plain words. */
  readonly tools: readonly ToolOffer[];
  /** JSON schema of the answer; undefined = free text. */
  readonly schema: unknown;
  /** Never ends by itself. */
  readonly endless: boolean;
  readonly text: 'english' | 'mixed';
}

export interface Answer {
  /** Name of the tool that is called; undefined = words. */
  readonly tool: string | undefined;
  /** Undefined = the turn is over. */
  next(): Piece | undefined;
}

const sentencesMin = 3;
const sentencesSpread = 12;
const argumentPieceLength = 3;

export function createAnswer(plan: AnswerPlan): Answer {
  const random = createRandom(plan.seed);
  const tool = plan.tools[Math.floor(random.next() * plan.tools.length)];
  const pieces = row(plan, tool, random);
  return {
    tool: tool?.name,
    next() {
      const { value, done } = pieces.next();
      return done === true ? undefined : value;
    },
  };
}

function* row(plan: AnswerPlan, tool: ToolOffer | undefined, random: Random): Generator<Piece, undefined> {
  if (plan.thinks) for (const text of sentences(2, random, plan.text)) yield { kind: 'reasoning', text };
  if (tool !== undefined) {
    const json = JSON.stringify(schemaInstance(tool.parameters, random) ?? {});
    for (const text of slices(json)) yield { kind: 'arguments', text };
    return undefined;
  }
  if (plan.schema !== undefined) {
    for (const text of slices(JSON.stringify(schemaInstance(plan.schema, random))))
      yield { kind: 'text', text };
    return undefined;
  }
  const count = plan.endless ? Infinity : sentencesMin + Math.floor(random.next() * sentencesSpread);
  for (const text of sentences(count, random, plan.text)) yield { kind: 'text', text };
  return undefined;
}

function* sentences(count: number, random: Random, text: AnswerPlan['text']): Generator<string, undefined> {
  for (let n = 0; n < count; n += 1) {
    const tail = random.next() < 0.5 ? ` ${word(tails, random)}` : '';
    const wide = text === 'mixed' ? ` ${word(wideWords, random)}` : '';
    yield ' The';
    yield ` ${word(adjectives, random)}`;
    yield ` ${word(nouns, random)}`;
    if (wide !== '') yield wide;
    yield ` ${word(verbs, random)}`;
    yield ' the';
    yield ` ${word(nouns, random)}`;
    for (const each of tail.match(/ \S+/g) ?? []) yield each;
    yield '.';
  }
  return undefined;
}

function slices(text: string): string[] {
  return text.match(new RegExp(`.{1,${argumentPieceLength}}`, 'gsu')) ?? [];
}

function word(words: readonly string[], random: Random): string {
  return words[Math.floor(random.next() * words.length)] ?? '';
}
