/** Log probabilities of a chat completion, both directions. */
import type { TokenLogprob, TokenProbability } from '../ir/answer.ts';
import { isObject, objectsOf, textOf } from '../ir/fields.ts';
import type { JsonObject } from '../ir/request.ts';

/** `logprobs` of a choice; undefined = there are none of the text. */
export function readLogprobs(value: unknown): readonly TokenLogprob[] | undefined {
  if (!isObject(value)) return undefined;
  const tokens = objectsOf(value['content']);
  return tokens.length === 0 ? undefined : tokens.map(readToken);
}

function readToken(token: JsonObject): TokenLogprob {
  return { ...readProbability(token), top: objectsOf(token['top_logprobs']).map(readProbability) };
}

function readProbability({ token, logprob, bytes }: JsonObject): TokenProbability {
  const isBytes = Array.isArray(bytes) && bytes.every((byte) => typeof byte === 'number');
  return {
    token: textOf(token),
    // JSON has no infinity: some engines write null for it.
    logprob: typeof logprob === 'number' ? logprob : leastLogprob,
    ...(isBytes && { bytes }),
  };
}

/** What OpenAI gives for a token that is out of the question. */
const leastLogprob = -9999;

export function writeLogprobs(tokens: readonly TokenLogprob[]): JsonObject {
  return {
    content: tokens.map(({ top, ...token }) => ({
      ...writeProbability(token),
      top_logprobs: top.map(writeProbability),
    })),
    refusal: null,
  };
}

function writeProbability({ token, logprob, bytes }: TokenProbability): JsonObject {
  return { token, logprob, bytes: bytes ?? [...Buffer.from(token, 'utf8')] };
}
