/** Log probabilities in Ollama's shape, both directions. */
import type { TokenLogprob, TokenProbability } from '../ir/answer.ts';
import { objectsOf, textOf } from '../ir/fields.ts';
import type { JsonObject } from '../ir/request.ts';

/** Undefined when there are none. */
export function readLogprobs(value: unknown): readonly TokenLogprob[] | undefined {
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
  return {
    token: textOf(entry['token']),
    logprob: Number(entry['logprob']),
    ...(isBytes && { bytes }),
  };
}

export function writeLogprobs(logprobs: readonly TokenLogprob[]): readonly JsonObject[] {
  return logprobs.map(({ top, ...token }) => ({
    ...token,
    ...(top.length > 0 && { top_logprobs: top.map((alternative) => ({ ...alternative })) }),
  }));
}
