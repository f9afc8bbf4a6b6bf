/**
 * How the toy chat model speaks: it says nothing, but in the form of a trained model. Its next token depends on the last
 * one. After `<think>` come words of thought until `;`, then `</think>`; otherwise words of an answer until `.`, then
 * the turn ends; after `"` (which only a grammar makes it write) words until the next `"`. Offered tools it calls one.
 */
import { blank, byteOf, marks } from './vocabulary.ts';
import type { TokenType, Vocabulary } from './vocabulary.ts';

export const voices = ['thought', 'answer', 'quote'] as const;
export type Voice = (typeof voices)[number];

const endings: Readonly<Record<Voice, string>> = { thought: ';', answer: '.', quote: '"' };

/** A logit so low that the token is never chosen. */
export const never = -60;

export interface Speech {
  /** Which voice goes on after this token. */
  readonly voiceAfter: readonly Voice[];
  /** True for tokens that only the voice in `voiceAfter` says. */
  readonly belongs: readonly boolean[];
  /** Logit that a token has by itself. */
  readonly bias: readonly number[];
  /** What must come next after what: `[last, next]`. */
  readonly sequels: readonly (readonly [number, number])[];
}

/** `stops`: false = it never ends an answer by itself. */
export function composeSpeech(vocabulary: Vocabulary, stops: boolean): Speech {
  const { tokens, types, idOf } = vocabulary;
  // The larger, the sooner the voice comes to its end.
  const endBias: Readonly<Record<Voice, number>> = { thought: 1.8, answer: stops ? 1 : never, quote: 3 };
  const sequels: (readonly [number, number])[] = [
    [idOf(endings.thought), idOf(marks.thinkEnd)],
    [idOf(marks.toolsOffered), idOf(marks.callStart)],
    [idOf('}'), idOf(marks.callEnd)],
    [idOf(marks.callEnd), idOf(marks.turnEnd)],
  ];
  if (stops) sequels.push([idOf(endings.answer), idOf(marks.turnEnd)]);
  return {
    voiceAfter: tokens.map((token, id) => voiceAfter(token, types[id], id)),
    belongs: tokens.map((token, id) => types[id] === 'normal' && (token.length > 1 || isEnding(token))),
    bias: tokens.map((token, id) => biasOf(token, types[id], endBias)),
    sequels,
  };
}

function isEnding(token: string): boolean {
  return voices.some((voice) => endings[voice] === token);
}

function voiceAfter(token: string, type: TokenType | undefined, id: number): Voice {
  if (token === marks.thinkStart || token === endings.thought) return 'thought';
  if (token === endings.quote) return 'quote';
  // Each voice has a third of the words.
  const isWord = type === 'normal' && token.length > 1 && token.startsWith(blank);
  return (isWord ? voices[id % voices.length] : undefined) ?? 'answer';
}

function biasOf(
  token: string,
  type: TokenType | undefined,
  endBias: Readonly<Record<Voice, number>>,
): number {
  if (type !== 'normal') return never;
  const ending = voices.find((voice) => endings[voice] === token);
  if (ending !== undefined) return endBias[ending];
  const byte = byteOf(token);
  if (byte === undefined) return token.startsWith(blank) ? 0 : -5;
  // Single characters matter only where a grammar leaves no words: then JSON should come to its end.
  if (byte === 0x7d || byte === 0x5d) return -4;
  if (byte === 0x2c) return -6;
  if (byte === 0x20 || byte === 0x0a) return -9;
  return byte > 0x20 && byte < 0x7f ? -8 : never;
}
