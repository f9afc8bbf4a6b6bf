/** Log probabilities, both directions. */
import type { TokenLogprob, TokenProbability } from '../ir/answer.ts';
import { objectsOf, textOf } from '../ir/fields.ts';
import type { JsonObject } from '../ir/request.ts';

/** undefined when there are none. */
export function readLogprobs(value: unknown): readonly TokenLogprob[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const entries = objectsOf(value).filter(isProbability);
  if (entries.length === 0) return undefined;
  return entries.map((entry) => ({
    ...readProbability(entry),
    top: objectsOf(entry['top_logprobs']).filter(isProbability).map(readProbability),
  }));
}

function isProbability(entry: JsonObject): boolean {
  return typeof entry['token'] === 'string' && typeof entry['logprob'] === 'number';
}

function readProbability(entry: JsonObject): TokenProbability {
  const bytes: unknown = entry['bytes'];
  const isBytes = Array.isArray(bytes) && bytes.every((byte) => typeof byte === 'number');
  return { token: textOf(entry['token']), logprob: Number(entry['logprob']), ...(isBytes && { bytes }) };
}

export function writeLogprob({ top, ...token }: TokenLogprob): JsonObject {
  return { ...writeProbability(token), top_logprobs: top.map(writeProbability) };
}

/** The service always tells the bytes, and its client drops what has none. */
function writeProbability({ token, logprob, bytes }: TokenProbability): JsonObject {
  return { token, logprob, bytes: bytes ?? [...Buffer.from(token, 'utf8')] };
}
