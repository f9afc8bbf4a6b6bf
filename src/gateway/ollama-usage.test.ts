import { describe, expect, test } from 'vitest';
import { findOllamaUsage } from './ollama-usage.ts';

const last =
  '{"model":"m","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":""},"done":true,' +
  '"done_reason":"stop","total_duration":900000000,"load_duration":1000,"prompt_eval_count":26,' +
  '"prompt_eval_duration":100000000,"eval_count":8,"eval_duration":400000000}\n';

describe("Ollama's counts", () => {
  test('are read from the last line', () => {
    const { usage, timings } = findOllamaUsage(Buffer.from(`cut":"off"}\n${last}`));
    expect(usage).toMatchObject({ inputTokens: 26, outputTokens: 8, estimated: false });
    expect(timings).toMatchObject({ promptMs: 100, predictedMs: 400, predictedRate: 20 });
  });

  test('are not taken from what the model wrote', () => {
    const said = JSON.stringify({
      message: { content: '"eval_count":99 "prompt_eval_count":99' },
      done: false,
    });
    expect(findOllamaUsage(Buffer.from(said)).usage).toBeUndefined();
  });

  test('tell how much of the prompt was cached, from 0.33 on', () => {
    const told = last.replace(
      '"prompt_eval_duration"',
      '"prompt_eval_cached_count":16,"prompt_eval_duration"',
    );
    const { usage, timings } = findOllamaUsage(Buffer.from(told));
    expect(usage).toEqual({ inputTokens: 26, outputTokens: 8, cachedTokens: 16, estimated: false });
    expect(timings).toMatchObject({ promptTokens: 10, cachedTokens: 16, promptRate: 100 });
    expect(findOllamaUsage(Buffer.from(last)).usage?.cacheUnknown).toBe(true);
  });

  test('leave the prompt out where it was cached', () => {
    const { usage } = findOllamaUsage(Buffer.from('{"done":true,"eval_count":3,"eval_duration":1}'));
    expect(usage).toMatchObject({ inputTokens: 0, outputTokens: 3 });
  });
});
