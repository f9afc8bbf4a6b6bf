/**
 * Ollama's `options`: which of them choose tokens, which say how the model is to be loaded, and which nobody here knows.
 * Knows no other member of a request.
 */
import {
  isObject,
  optionalList,
  optionalNumber,
  optionalObject,
  otherMembers,
  pathOf,
} from '../ir/fields.ts';
import type { Place } from '../ir/fields.ts';
import { RequestShapeError } from '../ir/request-shape-error.ts';
import type { JsonObject, ModelRequest, Sampling } from '../ir/request.ts';

/** Those that are numbers and have a name of their own in every API. */
const samplingNames = {
  temperature: 'temperature',
  top_p: 'topP',
  top_k: 'topK',
  min_p: 'minP',
  typical_p: 'typicalP',
  seed: 'seed',
  frequency_penalty: 'frequencyPenalty',
  presence_penalty: 'presencePenalty',
  repeat_penalty: 'repeatPenalty',
  repeat_last_n: 'repeatLastN',
} as const satisfies Readonly<Record<string, keyof Sampling>>;

/** Options of loading: a running server of another kind cannot heed them. */
const loadingNames = [
  'num_keep',
  'num_batch',
  'num_gpu',
  'main_gpu',
  'num_thread',
  'use_mmap',
  'use_mlock',
  'numa',
  'low_vram',
  'f16_kv',
  'logits_all',
  'vocab_only',
  'embedding_only',
  'draft_num_predict',
] as const;

const handledNames: ReadonlySet<string> = new Set([
  ...Object.keys(samplingNames),
  'num_predict',
  'num_ctx',
  'stop',
]);
const ownNames: ReadonlySet<string> = new Set(loadingNames);

export interface OptionsRead {
  readonly sampling: Sampling;
  readonly contextTokens: number | undefined;
  /** For Ollama alone. */
  readonly own: JsonObject;
  /** Unknown to Ollama's documents: older samplers (`mirostat`), options of its forks. */
  readonly unknown: JsonObject;
}

/** @throws RequestShapeError */
export function readOptions(request: Place): OptionsRead {
  const options = optionalObject(request, 'options');
  if (options === undefined) return { sampling: {}, contextTokens: undefined, own: {}, unknown: {} };
  const { fields } = options;
  const sampling: Record<string, unknown> = {};
  for (const [name, key] of Object.entries(samplingNames)) {
    const value = optionalNumber(options, name);
    if (value !== undefined) sampling[key] = value;
  }
  const own: Record<string, unknown> = {};
  for (const name of loadingNames) if ((fields[name] ?? undefined) !== undefined) own[name] = fields[name];
  const maxTokens = optionalNumber(options, 'num_predict');
  // -1 = without end, -2 = until the context is full: no other API has a word for them.
  if (maxTokens !== undefined && maxTokens > 0) sampling['maxTokens'] = maxTokens;
  else if (maxTokens !== undefined) own['num_predict'] = maxTokens;
  const contextTokens = optionalNumber(options, 'num_ctx');
  const stop = readStop(options);
  if (stop !== undefined) sampling['stop'] = stop;
  const unknown = Object.entries(otherMembers(fields, handledNames)).filter(
    ([name, value]) => !ownNames.has(name) && value !== null,
  );
  return { sampling, contextTokens, own, unknown: Object.fromEntries(unknown) };
}

function readStop(options: Place): readonly string[] | undefined {
  return optionalList(options, 'stop')?.map((text, index) => {
    if (typeof text === 'string') return text;
    throw new RequestShapeError(`${pathOf(options, 'stop')}[${index}]`, 'must be a string');
  });
}

/** True for a name that means something in `options`. */
export function isOption(name: string): boolean {
  return handledNames.has(name) || ownNames.has(name);
}

/** What the request says of sampling and context, as options. */
export function writeOptions(request: ModelRequest, onDropped: (field: string) => void): JsonObject {
  const { sampling, contextTokens } = request;
  const options: Record<string, unknown> = {};
  for (const [name, key] of Object.entries(samplingNames)) {
    if (sampling[key] !== undefined) options[name] = sampling[key];
  }
  if (sampling.maxTokens !== undefined) options['num_predict'] = sampling.maxTokens;
  if (contextTokens !== undefined) options['num_ctx'] = contextTokens;
  if (sampling.stop !== undefined) options['stop'] = sampling.stop;
  if (sampling.logitBias !== undefined) onDropped('logit_bias');
  if ((sampling.choices ?? 1) > 1) onDropped('n');
  return options;
}

/** The options that only Ollama knows, of a request that came by its API. */
export function ownOptionsOf(own: JsonObject): JsonObject {
  return isObject(own['options']) ? own['options'] : {};
}
