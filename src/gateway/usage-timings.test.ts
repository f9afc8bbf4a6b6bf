/** What engines tell of their speed, in the forms that llama.cpp and vLLM have for it. */
import { describe, expect, test } from 'vitest';
import type { RouteName } from '../domain/routes.ts';
import { createUsageReader, type UsageResult } from './usage-reader.ts';

function read(
  text: string,
  { route = 'chat-completions', stream = true }: { route?: RouteName; stream?: boolean } = {},
): UsageResult {
  const reader = createUsageReader({ route, stream, doneRequired: true });
  reader.push(Buffer.from(text));
  return reader.finish();
}

const event = (data: object): string => `data: ${JSON.stringify(data)}\n\n`;
const timings = {
  cache_n: 3,
  prompt_n: 10,
  prompt_ms: 200,
  prompt_per_second: 50,
  predicted_n: 25,
  predicted_ms: 1250,
  predicted_per_second: 20,
};

describe('MET-1: llama.cpp', () => {
  test('tells rates with its timings', () => {
    expect(read(event({ choices: [], timings })).timings).toEqual({
      promptTokens: 10,
      promptMs: 200,
      cachedTokens: 3,
      predictedTokens: 25,
      predictedMs: 1250,
      promptRate: 50,
      predictedRate: 20,
    });
  });

  test('tells of drafts when both numbers are there', () => {
    const drafted = read(event({ timings: { ...timings, draft_n: 20, draft_n_accepted: 14 } })).timings;
    expect(drafted).toMatchObject({ draftTokens: 20, draftTokensAccepted: 14 });
    expect(read(event({ timings: { ...timings, draft_n: 20 } })).timings).not.toHaveProperty('draftTokens');
  });

  test('tells the timings of an infill in the last element of a list', () => {
    const body = JSON.stringify([{ content: 'a' }, { content: 'b', timings }]);
    expect(read(body, { route: 'infill', stream: false }).timings).toMatchObject({
      promptTokens: 10,
      predictedTokens: 25,
    });
  });
});

describe('MET-1: vLLM', () => {
  const metrics = { time_to_first_token_ms: 70, mean_itl_ms: 10 };

  test('tells times, from which rates are made: 14 tokens in 70 ms, one each 10 ms', () => {
    const usage = { prompt_tokens: 14, completion_tokens: 5 };
    const result = read(event({ choices: [], usage, metrics }) + 'data: [DONE]\n\n');
    expect(result.timings).toMatchObject({ promptRate: 200, predictedRate: 100 });
    expect(result.usage?.cacheUnknown).toBe(true);
  });

  test('counts what came from the cache as no work', () => {
    const usage = { prompt_tokens: 14, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 7 } };
    const result = read(JSON.stringify({ choices: [], usage, metrics }), { stream: false });
    expect(result.timings).toMatchObject({ promptTokens: 7, promptRate: 100 });
  });

  test('tells of drafts when both numbers are there', () => {
    const usage = { prompt_tokens: 1, completion_tokens: 1 };
    const speculative = { num_draft_tokens: 20, num_accepted_draft_tokens: 14 };
    const whole = read(
      JSON.stringify({ usage, metrics: { ...metrics, speculative_decoding: speculative } }),
      { stream: false },
    );
    expect(whole.timings).toMatchObject({ draftTokens: 20, draftTokensAccepted: 14 });
    const partial = read(
      JSON.stringify({ usage, metrics: { ...metrics, speculative_decoding: { num_draft_tokens: 20 } } }),
      { stream: false },
    );
    expect(partial.timings).not.toHaveProperty('draftTokens');
  });

  test('is not believed without times', () => {
    expect(read(event({ usage: { prompt_tokens: 1 }, metrics: { other: 1 } })).timings).toBeUndefined();
  });
});
