/** Sampling settings as llama-server shows them in /props, /slots and its own /completion; the simulation samples nothing. */
import type { GenerationRequest } from './generation-request.ts';

export interface ParamsOptions {
  readonly request?: GenerationRequest;
  /** True = with the lists that only `generation_settings` of /completion has. */
  readonly full: boolean;
  readonly chat: boolean;
}

export function generationParams({ request, full, chat }: ParamsOptions): Record<string, unknown> {
  const tokensMax = request?.tokensMax ?? -1;
  return {
    seed: request?.seed ?? 4294967295,
    temperature: 0.8,
    dynatemp_range: 0,
    dynatemp_exponent: 1,
    top_k: 40,
    top_p: 0.95,
    min_p: 0.05,
    top_n_sigma: -1,
    xtc_probability: 0,
    xtc_threshold: 0.1,
    typical_p: 1,
    repeat_last_n: 64,
    repeat_penalty: 1,
    presence_penalty: 0,
    frequency_penalty: 0,
    dry_multiplier: 0,
    dry_base: 1.75,
    dry_allowed_length: 2,
    dry_penalty_last_n: 64,
    ...(full && { dry_sequence_breakers: ['\n', ':', '"', '*'] }),
    mirostat: 0,
    mirostat_tau: 5,
    mirostat_eta: 0.1,
    adaptive_target: -1,
    adaptive_decay: 0.9,
    ...(full && { stop: request?.stops ?? [] }),
    max_tokens: tokensMax,
    n_predict: tokensMax,
    n_keep: 0,
    n_discard: 0,
    ignore_eos: request?.endless ?? false,
    stream: request?.stream ?? false,
    ...(full && { logit_bias: request?.endless === true ? [{ bias: null, token: 0 }] : [] }),
    n_probs: 0,
    min_keep: 0,
    ...(full && { grammar: '', grammar_lazy: false, grammar_triggers: [], preserved_tokens: [] }),
    chat_format: chat ? 'peg-native' : 'Content-only',
    reasoning_format: request === undefined ? 'none' : 'deepseek',
    reasoning_in_content: false,
    generation_prompt: chat ? '<|im_start|>assistant\n' : '',
    samplers: ['penalties', 'dry', 'top_n_sigma', 'top_k', 'typ_p', 'top_p', 'min_p', 'xtc', 'temperature'],
    'speculative.types': 'none',
    timings_per_token: request?.timingsPerToken ?? false,
    post_sampling_probs: false,
    backend_sampling: false,
    lora: [],
  };
}
