/**
 * What an engine's own object of a model tells of it, whichever engine it is, in Ollama's words. Lenient: unknown stays
 * unknown.
 */
import { countOf, isObject, textOf } from '../ir/fields.ts';
import type { JsonObject } from '../ir/request.ts';

/** Ollama's words for what a model can do. */
export type OllamaCapability =
  | 'completion'
  | 'tools'
  | 'insert'
  | 'vision'
  | 'embedding'
  | 'thinking'
  | 'image'
  | 'audio';

export interface ModelDescription {
  readonly family: string;
  readonly format: string;
  readonly parameterCount: number | undefined;
  readonly parameterSize: string;
  readonly quantization: string;
  /** Of its file; undefined = the engine does not say. */
  readonly sizeBytes: number | undefined;
  readonly embeddingLength: number | undefined;
  /** Tokens that it was trained for. */
  readonly trainedTokens: number | undefined;
  readonly capabilities: readonly OllamaCapability[];
}

/** Quants as files and tags are named: `Q4_K_M`, `IQ3_XXS`, `MXFP4`, `F16`. */
const quantInName =
  /(?:^|[-_.:])((?:I?Q\d(?:_[A-Z0-9]+)*)|MXFP4|NVFP4|BF16|F16|F32|FP8|INT4|INT8|AWQ|GPTQ)(?=$|[-_.:])/i;

/** `object`: an entry of a model list in OpenAI's form, with what its engine or the configuration adds. */
export function describeModel(id: string, object: JsonObject): ModelDescription {
  const meta = objectIn(object, 'meta');
  const details = objectIn(object, 'details');
  const parameterCount = countOf(meta['n_params']);
  const said = textOf(details['parameter_size']);
  const quantization =
    textOf(details['quantization_level']) ||
    textOf(meta['ftype']) ||
    textOf(object['quantization']) ||
    (quantInName.exec(id)?.[1]?.toUpperCase() ?? '');
  return {
    family: textOf(details['family']) || textOf(object['arch']) || '',
    format: textOf(details['format']) || formatOf(object, meta),
    parameterCount,
    parameterSize: said || (parameterCount === undefined ? '' : shortCount(parameterCount)),
    quantization,
    sizeBytes: countOf(object['size']) ?? countOf(meta['size']),
    embeddingLength: countOf(meta['n_embd']),
    trainedTokens:
      countOf(meta['n_ctx_train']) ??
      countOf(object['max_context_length']) ??
      countOf(object['max_model_len']) ??
      countOf(object['context_length']),
    capabilities: capabilitiesOf(id, object),
  };
}

function formatOf(object: JsonObject, meta: JsonObject): string {
  const told = textOf(object['compatibility_type']);
  if (told !== '') return told;
  // Only llama.cpp says how big its vocabulary is, and it reads nothing but GGUF.
  return 'n_vocab' in meta || object['owned_by'] === 'llamacpp' ? 'gguf' : '';
}

/** `8.0B`, as Ollama writes it. */
function shortCount(count: number): string {
  for (const [unit, size] of [
    ['T', 1e12],
    ['B', 1e9],
    ['M', 1e6],
    ['K', 1e3],
  ] as const) {
    if (count >= size) return `${(count / size).toFixed(unit === 'B' || unit === 'T' ? 1 : 2)}${unit}`;
  }
  return String(count);
}

/**
 * What the engine or the configuration says; where nobody says anything, text with tools: a model that cannot call tools
 * says so itself, and clients hide one that does not list them.
 */
function capabilitiesOf(id: string, object: JsonObject): readonly OllamaCapability[] {
  const own: unknown = object['capabilities'];
  if (Array.isArray(own) && isOllamasOwn(object)) return own.filter(isCapability);
  const flags = isObject(own) ? own : {};
  const inputs = modalities(object, 'input_modalities');
  const outputs = modalities(object, 'output_modalities');
  const type = textOf(object['type']);
  if (type.startsWith('embedding') || outputs.includes('embedding') || /embed/i.test(id))
    return ['embedding'];
  if (flags['reranker'] === true) return [];
  const isDeclared = isObject(own) || Array.isArray(object['supported_parameters']);
  const hasTools = !isDeclared || flags['function_calling'] === true || listsTools(object);
  const found: readonly (readonly [OllamaCapability, boolean])[] = [
    ['completion', outputs.length === 0 || outputs.includes('text')],
    ['tools', hasTools],
    ['vision', flags['vision'] === true || type === 'vlm' || inputs.includes('image')],
    ['audio', inputs.includes('audio')],
    ['image', outputs.includes('image')],
  ];
  return found.filter(([, holds]) => holds).map(([name]) => name);
}

/** Whether a model takes images, by its engine's object of it; undefined = it does not say. */
export function takesImages(object: JsonObject): boolean | undefined {
  const own: unknown = object['capabilities'];
  if (isOllamasOwn(object)) return Array.isArray(own) ? own.includes('vision') : undefined;
  if (isObject(own) && typeof own['vision'] === 'boolean') return own['vision'];
  const inputs = modalities(object, 'input_modalities');
  return inputs.length === 0 ? undefined : inputs.includes('image');
}

/** An entry of Ollama's own `/api/tags`. */
export function isOllamasOwn(object: JsonObject): boolean {
  return typeof object['digest'] === 'string' && isObject(object['details']);
}

const capabilities: ReadonlySet<unknown> = new Set<OllamaCapability>([
  'completion',
  'tools',
  'insert',
  'vision',
  'embedding',
  'thinking',
  'image',
  'audio',
]);

export function isCapability(value: unknown): value is OllamaCapability {
  return capabilities.has(value);
}

function modalities(object: JsonObject, key: string): readonly unknown[] {
  const list: unknown = objectIn(object, 'architecture')[key];
  return Array.isArray(list) ? list : [];
}

function listsTools(object: JsonObject): boolean {
  const list: unknown = object['supported_parameters'];
  return Array.isArray(list) && list.includes('tools');
}

function objectIn(object: JsonObject, key: string): JsonObject {
  const value = object[key];
  return isObject(value) ? value : {};
}
