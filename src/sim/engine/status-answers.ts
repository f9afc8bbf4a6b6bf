/** What the engine says of itself: /v1/models, /props, /slots, /metrics, with llama-server's keys in its order. */
import { generationParams } from './generation-params.ts';
import type { HostedModel } from './model-host.ts';
import { fingerprint, type SimEngineOptions, type SimModel } from './options.ts';
import type { Runner } from './runner.ts';
import type { SlotReading } from './slot-job.ts';

const architecture = { input_modalities: ['text'], output_modalities: ['text'] };

export function singleModels({ model, loadedAtS }: Runner): object {
  const { id, aliases = [] } = model;
  return {
    models: [
      {
        name: id,
        model: id,
        modified_at: '',
        size: '',
        digest: '',
        type: 'model',
        description: '',
        tags: [''],
        capabilities: ['completion'],
        parameters: '',
        details: {
          parent_model: '',
          format: 'gguf',
          family: '',
          families: [''],
          parameter_size: '',
          quantization_level: '',
        },
      },
    ],
    object: 'list',
    data: [
      {
        id,
        aliases: [id, ...aliases],
        tags: [],
        object: 'model',
        architecture,
        created: loadedAtS,
        owned_by: 'llamacpp',
        meta: modelMeta(model),
      },
    ],
  };
}

export function routerModels(models: readonly HostedModel[], createdS: number): object {
  return {
    data: models.map(({ model, status, runner }) => ({
      id: model.id,
      aliases: model.aliases ?? [],
      tags: [],
      object: 'model',
      owned_by: 'llamacpp',
      created: createdS,
      status: {
        value: status,
        args: ['llamero-sim', '--alias', model.id],
        preset: `[${model.id}]\nctx-size = ${model.contextTokens}\n\n`,
      },
      architecture,
      source: 'models_dir',
      can_remove: false,
      context_length: model.contextTokens,
      ...(runner !== undefined && { meta: modelMeta(model) }),
    })),
    object: 'list',
  };
}

export function modelProps(model: SimModel, slots: number): object {
  return {
    default_generation_settings: {
      params: generationParams({ full: false, chat: false }),
      n_ctx: model.contextTokens,
    },
    total_slots: slots,
    model_alias: model.id,
    model_ftype: 'F16',
    model_path: `/simulated/${model.id}.gguf`,
    modalities: { vision: false, video: false, audio: false },
    media_marker: '<__media__>',
    endpoint_slots: true,
    endpoint_props: false,
    endpoint_metrics: true,
    ui: false,
    ui_settings: {},
    chat_template:
      "{%- for message in messages %}{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}{%- endfor %}",
    chat_template_caps: {
      supports_object_arguments: true,
      supports_parallel_tool_calls: true,
      supports_preserve_reasoning: false,
      supports_reasoning_effort: false,
      supports_string_content: true,
      supports_system_role: true,
      supports_tool_calls: true,
      supports_tools: true,
      supports_typed_content: false,
    },
    bos_token: '<|endoftext|>',
    eos_token: '<|im_end|>',
    build_info: fingerprint,
    is_sleeping: false,
    cors_proxy_enabled: false,
  };
}

export function routerProps(options: SimEngineOptions): object {
  return {
    role: 'router',
    max_instances: options.router?.modelsMax ?? 0,
    models_autoload: true,
    model_alias: 'llama-server',
    model_path: 'none',
    default_generation_settings: { params: null, n_ctx: 0 },
    ui_settings: {},
    build_info: fingerprint,
    cors_proxy_enabled: false,
  };
}

export function slotList({ model, pool }: Runner): object[] {
  return pool.read().map((slot) => ({
    id: slot.id,
    n_ctx: model.contextTokens,
    speculative: false,
    is_processing: slot.busy,
    ...(slot.run !== undefined && usedSlot(slot, slot.run)),
  }));
}

function usedSlot(slot: SlotReading, run: NonNullable<SlotReading['run']>): object {
  const remaining = Number.isFinite(slot.tokensMax) ? slot.tokensMax - run.predictedN : -1;
  return {
    id_task: run.task,
    n_prompt_tokens: slot.busy ? run.promptDone + run.predictedN : slot.cachedTokens,
    // llama-server fills these two in when the prompt is done.
    n_prompt_tokens_processed: slot.busy && run.predictedN > 0 ? run.promptN : 0,
    n_prompt_tokens_cache: slot.busy && run.predictedN > 0 ? run.cacheN : 0,
    params: slot.params,
    next_token: [
      {
        has_next_token: slot.busy,
        has_new_line: false,
        n_remain: slot.busy ? remaining : -1,
        n_decoded: slot.busy ? run.predictedN : 0,
      },
    ],
  };
}

/** Prometheus text; one entry per metric: name, kind, meaning, value. */
export function metricsText({ pool }: Runner): string {
  const { counters } = pool;
  const promptS = counters.promptMs / 1000;
  const predictedS = counters.predictedMs / 1000;
  const rows: [string, 'counter' | 'gauge', string, number][] = [
    [
      'prompt_tokens_total',
      'counter',
      'Prompt tokens evaluated, cached ones not counted',
      counters.promptTokens,
    ],
    ['prompt_tokens_cached_total', 'counter', 'Prompt tokens taken from the cache', counters.cachedTokens],
    ['prompt_seconds_total', 'counter', 'Time in prompts', promptS],
    ['tokens_predicted_total', 'counter', 'Tokens generated', counters.predictedTokens],
    ['tokens_predicted_seconds_total', 'counter', 'Time in generation', predictedS],
    ['n_decode_total', 'counter', 'Decoding steps', counters.predictedTokens],
    ['n_tokens_max', 'counter', 'Longest sequence seen', counters.tokensMax],
    ['spec_decode_num_draft_tokens_total', 'counter', 'Speculative: tokens drafted', 0],
    ['spec_decode_num_accepted_tokens_total', 'counter', 'Speculative: tokens accepted', 0],
    ['spec_decode_num_drafts_total', 'counter', 'Speculative: drafts', 0],
    ['prompt_tokens_seconds', 'gauge', 'Prompt tokens per second', perSecond(counters.promptTokens, promptS)],
    [
      'predicted_tokens_seconds',
      'gauge',
      'Generated tokens per second',
      perSecond(counters.predictedTokens, predictedS),
    ],
    ['requests_processing', 'gauge', 'Requests in slots', pool.busy],
    ['requests_deferred', 'gauge', 'Requests in the queue', pool.queued],
    ['n_busy_slots_per_decode', 'gauge', 'Busy slots per decoding step', pool.busy],
  ];
  return rows
    .map(
      ([name, kind, meaning, value]) =>
        `# HELP llamacpp:${name} ${meaning}\n# TYPE llamacpp:${name} ${kind}\nllamacpp:${name} ${value}\n`,
    )
    .join('');
}

function modelMeta({ contextTokens }: SimModel): object {
  return {
    vocab_type: 2,
    n_vocab: 50_000,
    n_ctx: contextTokens,
    n_ctx_train: contextTokens,
    n_embd: 64,
    n_params: 0,
    size: 0,
    ftype: 'F16',
  };
}

function perSecond(count: number, seconds: number): number {
  return seconds === 0 ? 0 : count / seconds;
}
