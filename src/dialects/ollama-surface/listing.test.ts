import { describe, expect, test } from 'vitest';
import { describeModel } from './describe-model.ts';
import { lowestVersion, psBody, tagsBody } from './listing.ts';
import type { ModelFacts } from './listing.ts';
import { showBody } from './show.ts';

const moment = { nowMs: Date.parse('2026-08-21T10:00:00Z'), startedMs: Date.parse('2026-08-20T00:00:00Z') };

function facts(members: Partial<ModelFacts> & { readonly id: string }): ModelFacts {
  return {
    object: {},
    running: undefined,
    backends: ['a'],
    loaded: true,
    contextTokens: undefined,
    vramBytes: undefined,
    idleMsMax: undefined,
    ...members,
  };
}

/** As llama-server 11669 tells it. */
const llamaCpp = {
  id: 'tiny',
  object: 'model',
  architecture: { input_modalities: ['text'], output_modalities: ['text'] },
  created: 1_795_220_998,
  owned_by: 'llamacpp',
  meta: {
    n_vocab: 992,
    n_ctx: 4096,
    n_ctx_train: 8192,
    n_embd: 64,
    n_params: 201_024,
    size: 402_688,
    ftype: 'F16',
  },
};
const ollamas = {
  name: 'llama3:latest',
  model: 'llama3:latest',
  modified_at: '2026-01-02T03:04:05.678901234+02:00',
  size: 5,
  digest: 'abc',
  details: {
    parent_model: '',
    format: 'gguf',
    family: 'llama',
    families: ['llama'],
    parameter_size: '8.0B',
    quantization_level: 'Q4_0',
  },
  capabilities: ['completion', 'thinking', 'future'],
  size_vram: 4,
  expires_at: '2026-08-21T10:05:00Z',
  context_length: 8192,
};

describe('the list of models', () => {
  test('tells of a llama.cpp model what its server tells, under a name with a tag', () => {
    const body = tagsBody([facts({ id: 'tiny', object: llamaCpp })], moment);
    expect(body).toEqual({
      models: [
        {
          name: 'tiny:latest',
          model: 'tiny:latest',
          modified_at: '2026-11-21T00:29:58.000000000Z',
          size: 402_688,
          digest: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
          details: {
            parent_model: '',
            format: 'gguf',
            family: '',
            families: [],
            parameter_size: '201.02K',
            quantization_level: 'F16',
          },
          capabilities: ['completion', 'tools'],
          llamero: { backends: ['a'] },
        },
      ],
    });
  });

  test("passes Ollama's own entry on, without what belongs to running models", () => {
    const { size_vram: _size, expires_at: _expires, context_length: _context, ...own } = ollamas;
    const entry = { ...ollamas, id: 'llama3:latest', object: 'model', llamero: {}, status: {} };
    expect(tagsBody([facts({ id: 'llama3:latest', object: entry, backends: ['a', 'b'] })], moment)).toEqual({
      models: [{ ...own, llamero: { backends: ['a', 'b'] } }],
    });
  });

  test('has a model once, however its name is spelled, and dates what nobody dates', () => {
    const body = tagsBody([facts({ id: 'm' }), facts({ id: 'm:latest' }), facts({ id: 'm:8b' })], moment) as {
      models: { name: string; modified_at: string }[];
    };
    expect(body.models.map(({ name }) => name)).toEqual(['m:latest', 'm:8b']);
    expect(body.models[0]?.modified_at).toBe('2026-08-20T00:00:00.000000000Z');
  });
});

describe('the list of running models', () => {
  test('has what is loaded, with context and time of expiry', () => {
    const loaded = { object: llamaCpp, contextTokens: 2048 };
    const body = psBody(
      [
        facts({ id: 'a', ...loaded, idleMsMax: 60_000, vramBytes: 7 }),
        facts({ id: 'b', ...loaded }),
        facts({ id: 'c', loaded: false }),
      ],
      moment,
    );
    expect(body).toMatchObject({
      models: [
        {
          name: 'a:latest',
          size: 402_688,
          size_vram: 7,
          expires_at: '2026-08-21T10:01:00.000000000Z',
          context_length: 2048,
        },
        { name: 'b:latest', size_vram: 0, expires_at: '2126-07-28T10:00:00.000000000Z' },
      ],
    });
    expect(JSON.stringify(body)).not.toContain('modified_at');
  });

  test("has Ollama's own words for its models", () => {
    expect(
      psBody([facts({ id: 'llama3:latest', running: ollamas, contextTokens: 1 })], moment),
    ).toMatchObject({
      models: [{ size_vram: 4, expires_at: '2026-08-21T10:05:00Z', context_length: 8192 }],
    });
  });
});

describe('what is shown of a model', () => {
  test('has architecture, context and details', () => {
    expect(showBody(facts({ id: 'tiny', object: llamaCpp, contextTokens: 4096 }), moment)).toMatchObject({
      parameters: 'num_ctx                        4096',
      template: '',
      details: { format: 'gguf', quantization_level: 'F16' },
      model_info: {
        'general.architecture': 'unknown',
        'general.parameter_count': 201_024,
        'unknown.context_length': 4096,
        'unknown.embedding_length': 64,
      },
      capabilities: ['completion', 'tools'],
      modified_at: '2026-11-21T00:29:58.000000000Z',
    });
  });

  test('is refined by what a llama-server says of itself', () => {
    const props = {
      default_generation_settings: {
        n_ctx: 512,
        params: { temperature: 0.800000011920929, top_k: 40, top_p: null },
      },
      chat_template: '{% if tools %}x{% endif %}<think>',
      modalities: { vision: true, audio: false },
    };
    const shown = showBody(facts({ id: 'tiny', object: llamaCpp }), moment, props);
    expect(shown).toMatchObject({
      template: props.chat_template,
      capabilities: ['completion', 'tools', 'thinking', 'vision'],
      model_info: { 'unknown.context_length': 512 },
    });
    expect(
      String(shown['parameters'])
        .split('\n')
        .map((line) => line.split(/ +/)),
    ).toEqual([
      ['num_ctx', '512'],
      ['temperature', '0.8'],
      ['top_k', '40'],
    ]);
    const plain = showBody(facts({ id: 'tiny', object: llamaCpp }), moment, {
      chat_template: '{{ messages }}',
    });
    expect(plain['capabilities']).toEqual(['completion']);
  });
});

describe('a description', () => {
  test.each<[string, object, readonly string[]]>([
    ['m', {}, ['completion', 'tools']],
    ['nomic-embed-text', {}, ['embedding']],
    ['m', { type: 'embeddings' }, ['embedding']],
    ['m', { type: 'vlm' }, ['completion', 'tools', 'vision']],
    ['m', { capabilities: { vision: true } }, ['completion', 'vision']],
    ['m', { capabilities: { function_calling: true } }, ['completion', 'tools']],
    ['m', { capabilities: { reranker: true } }, []],
    [
      'm',
      { architecture: { input_modalities: ['text', 'image', 'audio'] } },
      ['completion', 'tools', 'vision', 'audio'],
    ],
    ['m', { architecture: { output_modalities: ['image'] } }, ['tools', 'image']],
    ['m', ollamas, ['completion', 'thinking']],
  ])('of %s with %j has the capabilities %j', (id, object, capabilities) => {
    expect(describeModel(id, object as Record<string, unknown>).capabilities).toEqual(capabilities);
  });

  test.each([
    ['org/repo-GGUF:Q4_K_M', 'Q4_K_M'],
    ['model-IQ3_XXS.gguf', 'IQ3_XXS'],
    ['gpt-oss-20b-mxfp4', 'MXFP4'],
    ['qwen3:8b', ''],
    ['Q', ''],
  ])('of %s has the quant %j', (id, quantization) => {
    expect(describeModel(id, {}).quantization).toBe(quantization);
  });

  test.each([
    [8_030_261_248, '8.0B'],
    [1.5e12, '1.5T'],
    [135_000_000, '135.00M'],
    [12, '12'],
  ])('of %d parameters says %s', (count, size) => {
    expect(describeModel('m', { meta: { n_params: count } }).parameterSize).toBe(size);
  });
});

test.each<[string[], string | undefined]>([
  [['0.13.1', '0.9.0'], '0.9.0'],
  [['0.14.0', '0.14.0-rc2'], '0.14.0-rc2'],
  [['nightly'], undefined],
  [[], undefined],
])('the lowest of %j is %j', (versions, lowest) => {
  expect(lowestVersion(versions)).toBe(lowest);
});
