/** Usage and timings as OpenAI's completions and engines like them tell them. */
import type { Timings, Usage } from '../ir/answer.ts';
import { countOf, isObject, present } from '../ir/fields.ts';
import type { JsonObject } from '../ir/request.ts';

/** undefined = it has none of the counts. */
export function readUsage(value: JsonObject): Usage | undefined {
  const inputTokens = countOf(value['prompt_tokens']);
  const outputTokens = countOf(value['completion_tokens']);
  if (inputTokens === undefined && outputTokens === undefined) return undefined;
  const inputDetails = isObject(value['prompt_tokens_details']) ? value['prompt_tokens_details'] : {};
  const outputDetails = isObject(value['completion_tokens_details'])
    ? value['completion_tokens_details']
    : {};
  return {
    inputTokens: inputTokens ?? 0,
    outputTokens: outputTokens ?? 0,
    ...present({
      // DeepSeek has it beside the others.
      cachedTokens: countOf(inputDetails['cached_tokens'] ?? value['prompt_cache_hit_tokens']),
      cacheWriteTokens: countOf(inputDetails['cache_write_tokens']),
      reasoningTokens: countOf(outputDetails['reasoning_tokens']),
    }),
  };
}

export function writeUsage(usage: Usage): JsonObject {
  const { inputTokens, outputTokens, cachedTokens, cacheWriteTokens, reasoningTokens } = usage;
  const inputDetails = present({ cached_tokens: cachedTokens, cache_write_tokens: cacheWriteTokens });
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    ...(Object.keys(inputDetails).length > 0 && { prompt_tokens_details: inputDetails }),
    ...(reasoningTokens !== undefined && {
      completion_tokens_details: { reasoning_tokens: reasoningTokens },
    }),
  };
}

/** llama.cpp's `timings`. */
export function readTimings(value: JsonObject): Timings {
  return {
    ...present({
      promptMs: countOf(value['prompt_ms']),
      promptTokens: countOf(value['prompt_n']),
      cachedTokens: countOf(value['cache_n']),
      predictedMs: countOf(value['predicted_ms']),
      predictedTokens: countOf(value['predicted_n']),
    }),
    own: value,
  };
}

/** The same counts, for answers without usage. undefined = the timings do not have them. */
export function usageOf({ promptTokens, cachedTokens, predictedTokens }: Timings): Usage | undefined {
  if (promptTokens === undefined || predictedTokens === undefined) return undefined;
  return {
    inputTokens: promptTokens + (cachedTokens ?? 0),
    outputTokens: predictedTokens,
    ...(cachedTokens !== undefined && { cachedTokens }),
  };
}
