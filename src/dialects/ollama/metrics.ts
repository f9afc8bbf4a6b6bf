/** Counts and times at the end of Ollama's answers: durations are whole nanoseconds. Both directions. */
import type { Timings, Usage } from '../ir/answer.ts';
import { countOf } from '../ir/fields.ts';
import type { JsonObject } from '../ir/request.ts';

const nsPerMs = 1e6;

export function nanoseconds(ms: number): number {
  return Math.round(Math.max(ms, 0) * nsPerMs);
}

/** Moments are Unix times in milliseconds. */
export interface Measured {
  readonly arrivedMs: number;
  /** When the first of the answer came; undefined = that was not seen. */
  readonly firstMs: number | undefined;
  readonly endedMs: number;
}

/** The engine's own times where it tells them; else what was seen from here, waiting in the queue included. */
export function writeMetrics(
  usage: Usage | undefined,
  timings: Timings | undefined,
  { arrivedMs, firstMs = arrivedMs, endedMs }: Measured,
): JsonObject {
  const promptCount = usage?.inputTokens ?? promptTokensOf(timings);
  const cachedCount = usage?.cachedTokens ?? timings?.cachedTokens;
  const count = usage?.outputTokens ?? timings?.predictedTokens;
  return {
    total_duration: nanoseconds(timings?.totalMs ?? endedMs - arrivedMs),
    load_duration: nanoseconds(timings?.loadMs ?? 0),
    ...(promptCount !== undefined && { prompt_eval_count: promptCount }),
    ...(cachedCount !== undefined && { prompt_eval_cached_count: cachedCount }),
    prompt_eval_duration: nanoseconds(timings?.promptMs ?? firstMs - arrivedMs),
    ...(count !== undefined && { eval_count: count }),
    eval_duration: nanoseconds(timings?.predictedMs ?? endedMs - firstMs),
  };
}

function promptTokensOf(timings: Timings | undefined): number | undefined {
  const { promptTokens, cachedTokens = 0 } = timings ?? {};
  return promptTokens === undefined ? undefined : promptTokens + cachedTokens;
}

/** Undefined when the answer counts nothing. */
export function readUsage(body: JsonObject): Usage | undefined {
  const inputTokens = countOf(body['prompt_eval_count']);
  // Told by Ollama from 0.33 on, and part of the count before.
  const cachedTokens = countOf(body['prompt_eval_cached_count']);
  const outputTokens = countOf(body['eval_count']);
  // Counts of 0 are left out: Ollama's encoder omits them.
  if (inputTokens === undefined && outputTokens === undefined) return undefined;
  return {
    inputTokens: inputTokens ?? 0,
    outputTokens: outputTokens ?? 0,
    ...(cachedTokens !== undefined && { cachedTokens }),
  };
}

/** Undefined when the answer tells no times. */
export function readTimings(body: JsonObject): Timings | undefined {
  const total = countOf(body['total_duration']);
  const load = countOf(body['load_duration']);
  const prompt = countOf(body['prompt_eval_duration']);
  const predicted = countOf(body['eval_duration']);
  const timings: Timings = {
    ...(prompt !== undefined && { promptMs: prompt / nsPerMs }),
    ...(predicted !== undefined && { predictedMs: predicted / nsPerMs }),
    ...(load !== undefined && { loadMs: load / nsPerMs }),
    ...(total !== undefined && { totalMs: total / nsPerMs }),
  };
  return Object.keys(timings).length === 0 ? undefined : timings;
}
