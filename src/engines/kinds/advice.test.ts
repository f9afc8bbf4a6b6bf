/** What engines say about their own settings, by recorded answers with single members changed. */
import { describe, expect, test } from 'vitest';
import type { EngineKind, ProbeClient } from '../engine-kind.ts';
import { llamacpp } from './llamacpp.ts';
import { ollama } from './ollama.ts';
import { vllm } from './vllm.ts';

/** Answers by path: an object as JSON, a text as it is; others 404. */
function engine(answers: Readonly<Record<string, object | string>>): ProbeClient {
  return {
    get(path) {
      const body = answers[path];
      const [json, text] = typeof body === 'string' ? [undefined, body] : [body, ''];
      return Promise.resolve({ status: body === undefined ? 404 : 200, headers: new Map(), json, text });
    },
  };
}

const advise = async (kind: EngineKind, answers: Readonly<Record<string, object | string>>) =>
  (await kind.advise?.(engine(answers)))?.map(({ level, saw }) => `${level}: ${saw}`);

describe('llama-server', () => {
  const good = {
    total_slots: 4,
    default_generation_settings: { n_ctx: 8192 },
    endpoint_slots: true,
    endpoint_metrics: true,
  };
  const adviseOn = (more: object) => advise(llamacpp, { '/props': { ...good, ...more } });

  test('gets no advice with slots, metrics and room', async () => {
    expect(await adviseOn({})).toEqual([]);
  });

  test.each([
    [{ endpoint_metrics: false }, /^note: it has no metrics/],
    [{ endpoint_metrics: false, endpoint_slots: false }, /^warning: its slots cannot be read/],
    [{ endpoint_slots: undefined }, /^warning: it is a version that does not say/],
    [{ total_slots: 1 }, /^note: it has one slot/],
    [{ default_generation_settings: { n_ctx: 2048 } }, /^warning: each of its slots holds 2048 tokens/],
  ])('gets advice about %j', async (more, said) => {
    expect(await adviseOn(more)).toEqual([expect.stringMatching(said)]);
  });

  test('can be read by its metrics as well as by its slots', async () => {
    expect(await adviseOn({ endpoint_slots: false })).toEqual([]);
  });

  test('gets no advice in router mode, or when it does not tell its settings', async () => {
    expect(await adviseOn({ role: 'router', total_slots: 1 })).toEqual([]);
    expect(await advise(llamacpp, {})).toEqual([]);
  });
});

describe('Ollama', () => {
  test.each([
    ['0.13.2', ['warning: version 0.13.2 has no /v1/responses and /v1/messages']],
    ['0.13.3', ['warning: version 0.13.3 has no /v1/messages']],
    ['0.14.0-rc1', []],
    ['0.40.12', []],
    ['0.0.0', []],
    ['dev', []],
  ])('%s gets the advice %j', async (version, said) => {
    expect(await advise(ollama, { '/api/version': { version } })).toEqual(said);
  });

  test.each([
    [1000, 600, ['warning: qwen3:8b is only to 60 % in GPU memory, the rest runs on the processor']],
    [1000, 1000, []],
    // No GPU at all is a decision, not an accident.
    [1000, 0, []],
  ])('with %d bytes, %d of them on the GPU, gets %j', async (size, onGpu, said) => {
    const models = [{ name: 'qwen3:8b', size, size_vram: onGpu }];
    expect(await advise(ollama, { '/api/ps': { models } })).toEqual(said);
  });
});

test('vLLM is told when its metrics do not count requests', async () => {
  const counting = 'vllm:num_requests_running{engine="0"} 1.0\n';
  expect(await advise(vllm, { '/metrics': counting })).toEqual([]);
  expect(await advise(vllm, { '/metrics': 'process_cpu_seconds_total 1\n' })).toEqual([
    expect.stringMatching(/^warning: its metrics do not tell/),
  ]);
  expect(await advise(vllm, {})).toEqual([]);
});
