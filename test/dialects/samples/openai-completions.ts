/** A request for every member that text completions document, OpenAI's own and those that engines have added. */
import type { JsonObject } from '../../../src/dialects/ir/request.ts';
import type { RequestSample } from './request-sample.ts';

function body(members: JsonObject): JsonObject {
  return { model: 'm', prompt: 'Once upon a time', ...members };
}

/** Members whose sample needs nothing but a value. */
const plainMembers: JsonObject = {
  suffix: 'The end',
  echo: true,
  temperature: 0.5,
  top_p: 0.9,
  max_tokens: 100,
  seed: 42,
  stop: ['END'],
  frequency_penalty: 0.5,
  presence_penalty: 0.5,
  logit_bias: { '50256': -100 },
  logprobs: 3,
  n: 2,
  best_of: 3,
  user: 'ada',
  // Added by engines.
  top_k: 40,
  min_p: 0.05,
  typical_p: 0.9,
  repeat_penalty: 1.1,
  repetition_penalty: 1.1,
  repeat_last_n: 64,
};

export const requestSamples: readonly RequestSample[] = [
  { field: 'prompt = text', body: body({}) },
  { field: 'prompt = several texts', body: body({ prompt: ['Once', 'Twice'] }) },
  { field: 'prompt = tokens', body: body({ prompt: [1, 2, 3] }) },
  { field: 'prompt = several lists of tokens', body: body({ prompt: [[1], [2, 3]] }) },
  ...Object.entries(plainMembers).map(([field, value]) => ({ field, body: body({ [field]: value }) })),
  { field: 'stream', body: body({ stream: true }) },
  {
    field: 'stream_options.include_usage',
    body: body({ stream: true, stream_options: { include_usage: true } }),
  },
];
