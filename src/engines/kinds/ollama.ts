/** Ollama: many models behind one server that loads and unloads them itself. It tells no slots and no queue. */
import type { EngineKind, EngineReading, ProbeClient } from '../engine-kind.ts';
import { adviseOllama } from './ollama-advice.ts';
import {
  assertKeyAccepted,
  assertNotBroken,
  objectOf,
  silentReading,
  tryGet,
  tryGetObject,
} from './probing.ts';
import { asObjects, asPositive, asText } from './read-json.ts';
import type { JsonObject } from './read-json.ts';

export const ollama: EngineKind = {
  name: 'ollama',
  title: 'Ollama',
  port: 11434,
  // Go's request context ends with the connection, whether the answer is a stream or not.
  cancelsOnDisconnect: 'all',
  // Its server sets no idle timeout.
  socketIdleMsMax: Infinity,
  socketEndsWithStream: false,
  slotsUsual: undefined,
  sharesPrompts: false,
  endsWithDone: true,
  streamsAreWhole: false,
  // Its OpenAI side takes OpenAI's members only and ignores the rest (docs of its OpenAI compatibility).
  habits: {
    unknownMembers: 'ignored',
    takesMoreSamplers: false,
    repeatPenaltyName: 'repeat_penalty',
    reasoningControl: 'effort',
    reasoningMember: 'reasoning',
    takesDeveloperRole: false,
    takesToolChoice: false,
    streamsTellUsage: false,
    tellsProgress: false,
    keepsAnswers: false,
    takesImageUrls: false,
    wantsMaxCompletionTokens: false,
  },
  routesTranslated: [],
  routes: new Set([
    'chat-completions',
    'completions',
    'embeddings',
    'responses',
    'messages',
    'ollama-chat',
    'ollama-generate',
    'ollama-embed',
    'ollama-embeddings',
    'audio',
    'other',
  ]),
  headersWithheld: [],
  blamesClient: () => false,
  detect,
  read,
  advise: adviseOllama,
};

async function detect(client: ProbeClient): Promise<boolean> {
  // Both, since others answer one of them: Open WebUI has a version there, too.
  const [version, tags] = await Promise.all([client.get('/api/version'), client.get('/api/tags')]);
  return asText(objectOf(version)?.['version']) !== undefined && modelsOf(objectOf(tags)) !== undefined;
}

async function read(client: ProbeClient): Promise<EngineReading> {
  const [version, tags, running] = await Promise.all([
    client.get('/api/version'),
    tryGet(client, '/api/tags'),
    tryGetObject(client, '/api/ps'),
  ]);
  assertNotBroken(version, '/api/version');
  assertKeyAccepted(version);
  assertKeyAccepted(tags);
  const listed = modelsOf(tags && objectOf(tags));
  const loaded = modelsOf(running);
  const models = new Map<string, string>();
  for (const name of listed?.keys() ?? []) {
    models.set(name, name);
    // `llama3` means `llama3:latest`.
    if (name.endsWith(':latest')) models.set(name.slice(0, -':latest'.length), name);
  }
  const contextTokens = new Map<string, number>();
  for (const [name, entry] of loaded ?? []) {
    const tokens = asPositive(entry['context_length']);
    if (tokens !== undefined) contextTokens.set(name, tokens);
  }
  return {
    ...silentReading,
    models: listed && models,
    loaded: loaded && new Set(loaded.keys()),
    isLoadedHidden: loaded === undefined,
    contextTokens: loaded && contextTokens,
    version: asText(objectOf(version)?.['version']),
    modelObjects: listed && withRunning(listed, loaded),
  };
}

/** What only `/api/ps` tells of a model. */
const runningMembers = ['size_vram', 'expires_at', 'context_length'] as const;

function withRunning(
  listed: ReadonlyMap<string, JsonObject>,
  running: ReadonlyMap<string, JsonObject> | undefined,
): ReadonlyMap<string, JsonObject> {
  const entries = Array.from(listed, ([name, entry]) => {
    const more = running?.get(name) ?? {};
    const told = runningMembers.filter((key) => key in more).map((key) => [key, more[key]] as const);
    return [name, { ...entry, ...Object.fromEntries(told) }] as const;
  });
  return new Map(entries);
}

/** Entries of `/api/tags` or `/api/ps` by full name; undefined when the answer is none. */
function modelsOf(answer: JsonObject | undefined): ReadonlyMap<string, JsonObject> | undefined {
  const entries = asObjects(answer?.['models']);
  if (entries === undefined) return undefined;
  const models = new Map<string, JsonObject>();
  for (const entry of entries) {
    const name = asText(entry['name']) ?? asText(entry['model']);
    if (name !== undefined) models.set(name.includes(':') ? name : `${name}:latest`, entry);
  }
  return models;
}
