/** Log probabilities of a text completion, both directions: four lists side by side. */
import type { TokenLogprob, TokenProbability } from '../ir/answer.ts';
import { isObject } from '../ir/fields.ts';
import type { JsonObject } from '../ir/request.ts';
import { readTokens } from '../openai/logprobs.ts';

/** `logprobs` of a choice, also in the form of chat completions, which llama-server gives here. undefined = there are none. */
export function readLogprobs(value: unknown): readonly TokenLogprob[] | undefined {
  if (!isObject(value)) return undefined;
  const { tokens, token_logprobs: logprobs, top_logprobs: top } = value;
  if (!Array.isArray(tokens)) return readTokens(value['content']);
  if (tokens.length === 0) return undefined;
  return tokens.map((token: unknown, index) => ({
    token: typeof token === 'string' ? token : '',
    // The first token of a prompt that is repeated has none.
    logprob: numberAt(logprobs, index),
    top: alternativesAt(top, index),
  }));
}

function numberAt(list: unknown, index: number): number {
  const value: unknown = Array.isArray(list) ? list[index] : undefined;
  return typeof value === 'number' ? value : 0;
}

function alternativesAt(list: unknown, index: number): readonly TokenProbability[] {
  const value: unknown = Array.isArray(list) ? list[index] : undefined;
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([token, logprob]) =>
    typeof logprob === 'number' ? [{ token, logprob }] : [],
  );
}

/** `offset`: characters of the text before these tokens. */
export function writeLogprobs(tokens: readonly TokenLogprob[], offset: number): JsonObject {
  let at = offset;
  return {
    tokens: tokens.map(({ token }) => token),
    token_logprobs: tokens.map(({ logprob }) => logprob),
    top_logprobs: tokens.map(({ top }) =>
      top.length === 0 ? null : Object.fromEntries(top.map(({ token, logprob }) => [token, logprob])),
    ),
    text_offset: tokens.map(({ token }) => {
      const start = at;
      at += token.length;
      return start;
    }),
  };
}
