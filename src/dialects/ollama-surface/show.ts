/** Answer of Ollama's `/api/show` for a model of an engine that has no such route. Pure: asks nobody. */
import { countOf, isObject, textOf } from '../ir/fields.ts';
import type { JsonObject } from '../ir/request.ts';
import { timestamp } from '../ollama/timestamps.ts';
import { describeModel } from './describe-model.ts';
import type { OllamaCapability } from './describe-model.ts';
import { detailsOf, modifiedMs } from './listing.ts';
import type { ModelFacts, Moment } from './listing.ts';

/** In the place of an architecture that nobody tells: clients look for `<architecture>.context_length`. */
const architectureUnknown = 'unknown';

/** Defaults of sampling that llama.cpp tells under Ollama's names. */
const parameterNames = ['temperature', 'top_k', 'top_p', 'min_p', 'repeat_penalty', 'repeat_last_n'] as const;

/** `props`: what a llama-server says of itself on `/props`; undefined for all others. */
export function showBody(model: ModelFacts, moment: Moment, props?: JsonObject): JsonObject {
  const described = describeModel(model.id, model.object);
  const { parameterCount, embeddingLength, trainedTokens } = described;
  const architecture = described.family === '' ? architectureUnknown : described.family;
  const defaults = objectIn(props, 'default_generation_settings');
  const tokens = model.contextTokens ?? countOf(defaults['n_ctx']) ?? trainedTokens;
  return {
    modelfile: '',
    parameters: parametersOf(objectIn(defaults, 'params'), tokens),
    template: textOf(props?.['chat_template']),
    details: detailsOf(described),
    model_info: {
      'general.architecture': architecture,
      ...(parameterCount !== undefined && { 'general.parameter_count': parameterCount }),
      ...(tokens !== undefined && { [`${architecture}.context_length`]: tokens }),
      ...(embeddingLength !== undefined && { [`${architecture}.embedding_length`]: embeddingLength }),
    },
    capabilities: props === undefined ? described.capabilities : refine(described.capabilities, props),
    modified_at: timestamp(modifiedMs(model.object) ?? moment.startedMs),
    llamero: { backends: model.backends },
  };
}

/** What the template and the projector of a llama-server add to its list, and take from it. */
function refine(listed: readonly OllamaCapability[], props: JsonObject): readonly OllamaCapability[] {
  if (!listed.includes('completion')) return listed;
  const template = textOf(props['chat_template']);
  const media = objectIn(props, 'modalities');
  const kept = new Set(listed);
  const set = (name: OllamaCapability, holds: boolean): void =>
    void (holds ? kept.add(name) : kept.delete(name));
  if (template !== '') {
    set('tools', /\btools\b/.test(template));
    set('thinking', template.includes('enable_thinking') || template.includes('<think>'));
  }
  if (typeof media['vision'] === 'boolean') set('vision', media['vision']);
  if (typeof media['audio'] === 'boolean') set('audio', media['audio']);
  return [...kept];
}

/** Lines like those of a Modelfile. */
function parametersOf(defaults: JsonObject, tokens: number | undefined): string {
  const known = parameterNames
    .map((name) => [name, defaults[name]] as const)
    .filter(([, value]) => typeof value === 'number');
  const lines = [...(tokens === undefined ? [] : [['num_ctx', tokens] as const]), ...known];
  return lines.map(([name, value]) => `${name.padEnd(nameWidth)} ${shorten(Number(value))}`).join('\n');
}

const nameWidth = 30;

/** Engines that reckon with 32 bits say 0.949999988079071 and mean 0.95. */
function shorten(value: number): string {
  return String(Number(value.toPrecision(7)));
}

function objectIn(object: JsonObject | undefined, key: string): JsonObject {
  const value = object?.[key];
  return isObject(value) ? value : {};
}
