/** Shortens a conversation that is longer than the engine's context: the oldest turns go, the instructions stay. */
import type { Message } from '../ir/parts.ts';
import type { ChatRequest } from '../ir/request.ts';
import { estimateInputTokens, estimateMessageTokens } from '../token-estimate.ts';
import { cutsOf, type Cut } from './conversation-cuts.ts';

/** What is known of the engine. Counts are of tokens. */
export interface Room {
  /** For prompt and answer together; absent = the engine did not say. */
  readonly contextTokens?: number;
  /** The prompt as it was, by the engine's own count; absent = more than the context. */
  readonly promptTokens?: number;
}

export interface Trimmed {
  readonly request: ChatRequest;
  /** Messages that went. */
  readonly messages: number;
}

/** At most this part of the context is kept free for the answer … */
const answerShare = 1 / 4;
/** … and this for the mistakes of guessing: tokens are not spread evenly over a conversation. */
const slackShare = 1 / 16;
/** A prompt whose length nobody told is taken to be that much longer than the context. */
const excess = 1.1;
/** Of the prompt that is kept where nothing at all was told. */
const blindShare = 1 / 2;

/**
 * The request with as many of its turns as should fit. System and developer messages and the last user's message stay,
 * a tool call and its results stay or go together. undefined = nothing more can go, or that would not help.
 */
export function trimToFit(request: ChatRequest, room: Room): Trimmed | undefined {
  const spoken = request.messages.filter((message) => !isInstruction(message));
  const size = estimateInputTokens(request);
  const sizes = sizesFrom(spoken);
  const fixed = size - (sizes[0] ?? 0);
  const sizeOf = ({ first, count, from }: Cut): number =>
    fixed + (sizes[first] ?? 0) - (sizes[first + count] ?? 0) + (sizes[from] ?? 0);
  const limits = limitsOf(request, room, size);
  let smallest: Cut | undefined;
  for (const cut of cutsOf(spoken)) {
    if (sizeOf(cut) <= limits.wanted) return cutAt(request, spoken, cut);
    smallest = cut;
  }
  // A short answer is better than none.
  if (smallest === undefined || sizeOf(smallest) > limits.most) return undefined;
  return cutAt(request, spoken, smallest);
}

/** How long the prompt should and may be at most, in the units of the guess. */
function limitsOf(
  { sampling: { maxTokens } }: ChatRequest,
  room: Room,
  size: number,
): { readonly wanted: number; readonly most: number } {
  const { contextTokens } = room;
  if (contextTokens === undefined) return { wanted: size * blindShare, most: size * blindShare };
  const promptTokens = room.promptTokens ?? Math.max(size, contextTokens) * excess;
  const perToken = size / promptTokens;
  const limit = maxTokens !== undefined && maxTokens > 0 ? maxTokens : Infinity;
  // It refused what would have fitted alone, so it reserves the whole of the answer.
  const isReserved = promptTokens < contextTokens && limit !== Infinity;
  const answer = isReserved ? limit : Math.min(limit, contextTokens * answerShare);
  const most = contextTokens - (isReserved ? limit : 0);
  return {
    wanted: (contextTokens - answer - contextTokens * slackShare) * perToken,
    most: (most - contextTokens * slackShare) * perToken,
  };
}

function cutAt(request: ChatRequest, spoken: readonly Message[], { first, count, from }: Cut): Trimmed {
  const kept = new Set([...spoken.slice(first, first + count), ...spoken.slice(from)]);
  const messages = request.messages.filter((message) => isInstruction(message) || kept.has(message));
  return { request: { ...request, messages }, messages: request.messages.length - messages.length };
}

/** Of all messages from an index on, with a 0 at the end. */
function sizesFrom(messages: readonly Message[]): readonly number[] {
  const sizes = [0];
  for (const message of messages.toReversed()) {
    sizes.push((sizes.at(-1) ?? 0) + estimateMessageTokens(message));
  }
  return sizes.reverse();
}

function isInstruction({ role }: Message): boolean {
  return role === 'system' || role === 'developer';
}
