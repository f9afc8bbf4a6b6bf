/** Token counts and times of Ollama's own API, which stand in the last line of a stream or anywhere in a whole answer. */
import type { EngineTimings, TokenUsage } from '../store/request-record.ts';

export interface OllamaUsage {
  readonly usage: TokenUsage | undefined;
  readonly timings: EngineTimings | undefined;
}

const nsPerMs = 1e6;

/** `bytes`: the end of an answer, cut anywhere. In text that a model wrote the quotes around these names are escaped. */
export function findOllamaUsage(bytes: Buffer): OllamaUsage {
  const text = bytes.toString('latin1');
  const outputTokens = lastNumber(text, 'eval_count');
  // Old versions leave it out where the whole prompt came from the cache.
  const inputTokens = lastNumber(text, 'prompt_eval_count');
  // Told by Ollama from 0.33 on, and part of the count before.
  const cachedTokens = lastNumber(text, 'prompt_eval_cached_count');
  if (inputTokens === undefined && outputTokens === undefined)
    return { usage: undefined, timings: undefined };
  const usage: TokenUsage = {
    inputTokens: inputTokens ?? 0,
    outputTokens: outputTokens ?? 0,
    cachedTokens: cachedTokens ?? 0,
    estimated: false,
    ...(cachedTokens === undefined && { cacheUnknown: true }),
  };
  const promptMs = (lastNumber(text, 'prompt_eval_duration') ?? 0) / nsPerMs;
  const promptTokens = Math.max(0, usage.inputTokens - usage.cachedTokens);
  const predictedMs = (lastNumber(text, 'eval_duration') ?? 0) / nsPerMs;
  if (promptMs === 0 && predictedMs === 0) return { usage, timings: undefined };
  return {
    usage,
    timings: {
      promptTokens,
      promptMs,
      cachedTokens: usage.cachedTokens,
      predictedTokens: usage.outputTokens,
      predictedMs,
      ...(promptMs > 0 && { promptRate: (promptTokens * 1000) / promptMs }),
      ...(predictedMs > 0 && { predictedRate: (usage.outputTokens * 1000) / predictedMs }),
    },
  };
}

function lastNumber(text: string, key: string): number | undefined {
  const name = `"${key}":`;
  for (let at = text.lastIndexOf(name); at !== -1; at = at === 0 ? -1 : text.lastIndexOf(name, at - 1)) {
    const digits =
      text[at - 1] === '\\'
        ? undefined
        : /^\s*(\d+)/.exec(text.slice(at + name.length, at + name.length + 24));
    if (digits?.[1] !== undefined) return Number(digits[1]);
  }
  return undefined;
}
