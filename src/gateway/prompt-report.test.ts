import { expect, test } from 'vitest';
import type { Outcome } from '../domain/outcome.ts';
import type { EngineTimings, TokenUsage } from '../store/request-record.ts';
import { promptReport } from './prompt-report.ts';

const told: TokenUsage = { inputTokens: 100, outputTokens: 5, cachedTokens: 40, estimated: false };
const untold: TokenUsage = { ...told, cachedTokens: 0, cacheUnknown: true };
const timings: EngineTimings = {
  promptTokens: 60,
  promptMs: 1,
  cachedTokens: 40,
  predictedTokens: 5,
  predictedMs: 1,
};

test.each<[string, { usage?: TokenUsage; timings?: EngineTimings; outcome?: Outcome }, object | undefined]>([
  ['an engine that tells', { usage: told }, { tokens: 100, cachedTokens: 40 }],
  ['an engine whose timings tell', { usage: untold, timings }, { tokens: 100, cachedTokens: 40 }],
  [
    'an engine that tells nothing',
    { usage: untold, timings: { ...timings, cachedTokens: 0 } },
    { tokens: 100, cachedTokens: undefined },
  ],
  [
    'an engine whose tokens were counted',
    { usage: { ...told, estimated: true } },
    { tokens: 0, cachedTokens: undefined },
  ],
  ['no usage', {}, { tokens: 0, cachedTokens: undefined }],
  [
    'a client that left its stream',
    { usage: told, outcome: 'cancelled_streaming' },
    { tokens: 100, cachedTokens: 40 },
  ],
  [
    'a client that left before a token',
    { usage: { ...told, outputTokens: 0 }, outcome: 'cancelled_streaming' },
    undefined,
  ],
  ['an error of the engine', { usage: told, outcome: 'passed_through_error' }, undefined],
  ['a client that left before the answer', { outcome: 'cancelled_waiting' }, undefined],
])('the report of a prompt, from %s', (_what, { usage, timings: times, outcome = 'completed' }, report) => {
  expect(promptReport({ headAtMs: 1, usage, timings: times }, outcome)).toEqual(report);
});

test('there is no report of a prompt that no engine answered', () => {
  expect(promptReport({ headAtMs: undefined, usage: told, timings }, 'completed')).toBeUndefined();
});
