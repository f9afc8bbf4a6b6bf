/** Log probabilities of tokens as OpenAI's APIs and Ollama's list them, both directions. */
import type { TokenLogprob, TokenProbability } from '../ir/answer.ts';
import { objectsOf, textOf } from '../ir/fields.ts';
import type { JsonObject } from '../ir/request.ts';

/** `list`: an object for each token; undefined = there are none. */
export function readTokens(list: unknown): readonly TokenLogprob[] | undefined {
  const tokens = objectsOf(list);
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

export function writeToken({ top, ...token }: TokenLogprob): JsonObject {
  return { ...writeProbability(token), top_logprobs: top.map(writeProbability) };
}

/** The service always tells the bytes, and its client drops what has none. */
function writeProbability({ token, logprob, bytes }: TokenProbability): JsonObject {
  return { token, logprob, bytes: bytes ?? [...Buffer.from(token, 'utf8')] };
}
