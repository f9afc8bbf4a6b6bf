/** Log probabilities of a choice, both directions: those of its text and of its refusal. */
import type { TokenLogprob } from '../ir/answer.ts';
import { isObject } from '../ir/fields.ts';
import type { JsonObject } from '../ir/request.ts';
import { readTokens, writeToken } from '../openai/logprobs.ts';

/** undefined = there are none of the text. */
export function readLogprobs(value: unknown): readonly TokenLogprob[] | undefined {
  return isObject(value) ? readTokens(value['content']) : undefined;
}

export function writeLogprobs(tokens: readonly TokenLogprob[]): JsonObject {
  return { content: tokens.map(writeToken), refusal: null };
}
