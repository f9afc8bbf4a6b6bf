/** Writes log probabilities as Ollama lists them: OpenAI's shape without what is not known. */
import type { TokenLogprob } from '../ir/answer.ts';
import type { JsonObject } from '../ir/request.ts';

export function writeLogprobs(logprobs: readonly TokenLogprob[]): readonly JsonObject[] {
  return logprobs.map(({ top, ...token }) => ({
    ...token,
    ...(top.length > 0 && { top_logprobs: top.map((alternative) => ({ ...alternative })) }),
  }));
}
