/** Counts of tokens and llama.cpp's timings in a response. */
import type { OnAnswerEvent, Usage } from '../ir/answer.ts';
import { countOf, isObject, present } from '../ir/fields.ts';
import type { JsonObject } from '../ir/request.ts';
import { readTimings } from '../openai/usage.ts';

/** Emits nothing when there are no counts. */
export function emitUsage(value: unknown, onEvent: OnAnswerEvent): void {
  if (!isObject(value)) return;
  const inputTokens = countOf(value['input_tokens']);
  const outputTokens = countOf(value['output_tokens']);
  if (inputTokens === undefined || outputTokens === undefined) return;
  const input = value['input_tokens_details'];
  const output = value['output_tokens_details'];
  onEvent({
    kind: 'usage',
    usage: {
      inputTokens,
      outputTokens,
      ...present({
        cachedTokens: isObject(input) ? countOf(input['cached_tokens']) : undefined,
        cacheWriteTokens: isObject(input) ? countOf(input['cache_write_tokens']) : undefined,
        reasoningTokens: isObject(output) ? countOf(output['reasoning_tokens']) : undefined,
      }),
    },
  });
}

/** Every count is there, as clients with strict types want it; what the engine does not tell is 0. */
export function writeUsage(usage: Usage): JsonObject {
  const { inputTokens, outputTokens, cachedTokens = 0, cacheWriteTokens = 0, reasoningTokens = 0 } = usage;
  return {
    input_tokens: inputTokens,
    input_tokens_details: { cached_tokens: cachedTokens, cache_write_tokens: cacheWriteTokens },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: reasoningTokens },
    total_tokens: inputTokens + outputTokens,
  };
}

/** llama.cpp has them beside the last response of a stream. */
export function emitTimings(value: unknown, onEvent: OnAnswerEvent): void {
  if (isObject(value)) onEvent({ kind: 'timings', timings: readTimings(value) });
}
