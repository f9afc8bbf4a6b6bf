/**
 * `POST /api/show`: what is known of one model. An Ollama that has it is asked; of others tells what their probes know,
 * and what a llama-server says of itself, asked so that it loads nothing.
 */
import { isObject } from '../../dialects/ir/fields.ts';
import type { JsonObject } from '../../dialects/ir/request.ts';
import type { ModelFacts } from '../../dialects/ollama-surface/listing.ts';
import { showBody } from '../../dialects/ollama-surface/show.ts';
import { LlameroError } from '../../domain/errors.ts';
import type { Backend } from '../../engines/backend.ts';
import { trySpeakerFor } from '../ensemble/find-ensemble.ts';
import { isUp } from '../fleet.ts';
import { mayUseModel } from '../keys/model-access.ts';
import { askBackend, hasOllamaApi } from './backends.ts';
import { modelIn, readJson, sendJson } from './call.ts';
import type { SurfaceCall } from './call.ts';
import { findOllamaName } from './find-name.ts';
import { modelFacts, momentOf } from './model-facts.ts';

export async function answerShow(call: SurfaceCall): Promise<void> {
  const body = await readJson(call);
  const named = modelIn(body);
  // What can be told of an ensemble is what its final answer comes from.
  const asked = trySpeakerFor(call.parts, named) ?? named;
  if (findOllamaName(call.parts, asked) === undefined) await call.parts.rediscovery.tryLookFor(asked);
  const model = meaningOf(call, asked);
  const serving = (call.parts.fleet.names().get(model) ?? []).filter(isUp);
  const told = await askOllamas(call, { body, model, serving });
  if (told !== undefined) {
    sendJson(call, told.status, told.body);
    return;
  }
  const facts = modelFacts(call.parts, call.key, { all: true }).find((one) => isNamed(one, model));
  if (facts === undefined) throw notFound(asked);
  sendJson(call, 200, showBody(facts, momentOf(call.parts), await propsOf(call, model, serving)));
}

/** The model that stands behind a client's name. @throws LlameroError */
function meaningOf({ parts, key }: SurfaceCall, asked: string): string {
  const name = findOllamaName(parts, asked);
  if (name === undefined) throw notFound(asked);
  if (key !== undefined && !mayUseModel(parts, key, name)) throw notFound(asked);
  const meaning = parts.names.lookUp(name);
  if (meaning instanceof LlameroError) throw meaning;
  // Nothing is sent to it.
  meaning.release();
  return meaning.model;
}

/** Ollama's own words. */
function notFound(name: string): LlameroError {
  return new LlameroError('model_not_found', `model '${name}' not found`, { param: 'model' });
}

function isNamed({ id, object }: ModelFacts, model: string): boolean {
  const { aliases } = object;
  return id === model || (Array.isArray(aliases) && aliases.includes(model));
}

interface Asking {
  readonly body: JsonObject;
  readonly model: string;
  readonly serving: readonly Backend[];
}

/** The answer of the first that can be reached; undefined: none is an Ollama. */
async function askOllamas(
  call: SurfaceCall,
  { body, model, serving }: Asking,
): Promise<{ readonly status: number; readonly body: JsonObject } | undefined> {
  const { name: _oldName, ...rest } = body;
  for (const backend of serving.filter(hasOllamaApi)) {
    const own = backend.view.models.get(model) ?? model;
    const question = { method: 'POST', path: '/api/show', body: { ...rest, model: own }, call };
    const reply = await askBackend(backend, question);
    const told = tryParse(reply.text);
    if (reply.status > 0 && reply.status < 500 && told !== undefined)
      return { status: reply.status, body: told };
  }
  return undefined;
}

/** What a llama-server says on `/props`; undefined: it is another engine, or does not answer. */
async function propsOf(
  call: SurfaceCall,
  model: string,
  serving: readonly Backend[],
): Promise<JsonObject | undefined> {
  const backend = serving.find(({ kind, isPeer }) => kind.routes.has('props') && isPeer !== true);
  if (backend === undefined) return undefined;
  const own = backend.view.models.get(model) ?? model;
  // In router mode the question alone would load the model.
  const path = `/props?model=${encodeURIComponent(own)}&autoload=false`;
  const reply = await askBackend(backend, { method: 'GET', path, call });
  return reply.status === 200 ? tryParse(reply.text) : undefined;
}

function tryParse(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
