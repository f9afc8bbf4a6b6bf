/**
 * What the kinds share in asking: an answer that may fail, the OpenAI model list, and an empty reading to start from.
 * Knows no engine's name.
 */
import type { ModelName } from '../../domain/ids.ts';
import { ProbeFailure } from '../engine-kind.ts';
import type { EngineReading, ProbeClient, ProbeResponse } from '../engine-kind.ts';
import { asObject, asObjects, asText } from './read-json.ts';
import type { JsonObject } from './read-json.ts';

/** A reading that tells nothing but that the engine takes requests. */
export const silentReading: EngineReading = {
  readiness: 'ready',
  models: undefined,
  loaded: undefined,
  slotsTotal: undefined,
  slotsBusy: undefined,
  contextTokens: undefined,
  modelsMax: undefined,
  version: undefined,
  modelObjects: undefined,
};

/** The answer, whatever its status; undefined when none came. For what a reading can do without. */
export async function tryGet(client: ProbeClient, path: string): Promise<ProbeResponse | undefined> {
  try {
    return await client.get(path);
  } catch (error) {
    if (error instanceof ProbeFailure) return undefined;
    throw error;
  }
}

/** The JSON object of a 200 answer; undefined otherwise. For what a reading can do without. */
export async function tryGetObject(client: ProbeClient, path: string): Promise<JsonObject | undefined> {
  const response = await tryGet(client, path);
  return response === undefined ? undefined : objectOf(response);
}

export function objectOf(response: ProbeResponse): JsonObject | undefined {
  return response.status === 200 ? asObject(response.json) : undefined;
}

/** Throws when the answer says that the configured key (or the lack of one) is not accepted. */
export function assertKeyAccepted(response: ProbeResponse | undefined): void {
  if (response?.status === 401 || response?.status === 403) {
    throw new ProbeFailure('status', `Backend refused its API key (status ${response.status})`);
  }
}

/** Throws when the answer says that the engine itself is broken. */
export function assertNotBroken(response: ProbeResponse, path: string): void {
  if (response.status >= 500) {
    throw new ProbeFailure('status', `GET ${path} answered with status ${response.status}`);
  }
}

/** Model objects by id, of a list in OpenAI's form (`{ data: [{ id }] }`); undefined when the answer is none. */
export function modelsListed(answer: JsonObject | undefined): ReadonlyMap<ModelName, JsonObject> | undefined {
  const entries = asObjects(answer?.['data']);
  if (entries === undefined) return undefined;
  const models = new Map<ModelName, JsonObject>();
  for (const entry of entries) {
    const id = asText(entry['id']);
    if (id !== undefined) models.set(id, entry);
  }
  return models;
}

/** Every name stands for itself. */
export function namesOf(models: Iterable<ModelName>): ReadonlyMap<ModelName, ModelName> {
  return new Map(Array.from(models, (name) => [name, name]));
}

/** True when an entry of the model list is owned by this name: how vLLM and SGLang sign their lists. */
export async function ownsModelList(client: ProbeClient, owner: string): Promise<boolean> {
  const listed = modelsListed(objectOf(await client.get('/v1/models')));
  return listed !== undefined && [...listed.values()].some((entry) => entry['owned_by'] === owner);
}
