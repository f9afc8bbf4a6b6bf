/** LM Studio's local server: many models, loaded on demand. It answers 200 with an `error` on routes it does not have. */
import { ProbeFailure } from '../engine-kind.ts';
import type { EngineKind, EngineReading, ProbeClient } from '../engine-kind.ts';
import { assertKeyAccepted, modelsListed, namesOf, objectOf, silentReading, tryGet } from './probing.ts';
import { asPositive } from './read-json.ts';

export const lmstudio: EngineKind = {
  name: 'lmstudio',
  title: 'LM Studio',
  port: 1234,
  // Its log says "Client disconnected. Stopping generation" for streams; not seen for others, so not counted on.
  cancelsOnDisconnect: 'streaming',
  // A Node server: idle sockets are closed after 5 s.
  socketIdleMsMax: 4000,
  socketEndsWithStream: false,
  slotsUsual: undefined,
  sharesPrompts: false,
  endsWithDone: true,
  streamsAreWhole: false,
  habits: {
    unknownMembers: 'ignored',
    takesMoreSamplers: true,
    repeatPenaltyName: 'repeat_penalty',
    reasoningControl: 'effort',
    reasoningMember: 'reasoning_content',
    takesDeveloperRole: false,
    takesToolChoice: true,
    streamsTellUsage: false,
    tellsProgress: false,
    keepsAnswers: true,
    takesImageUrls: false,
    wantsMaxCompletionTokens: false,
  },
  routesTranslated: [],
  routes: new Set(['chat-completions', 'completions', 'embeddings', 'responses', 'messages', 'other']),
  headersWithheld: [],
  blamesClient: () => false,
  detect,
  read,
};

async function detect(client: ProbeClient): Promise<boolean> {
  const listed = modelsListed(objectOf(await client.get('/api/v0/models')));
  return listed !== undefined && [...listed.values()].every((entry) => typeof entry['state'] === 'string');
}

async function read(client: ProbeClient): Promise<EngineReading> {
  const [list, states] = await Promise.all([client.get('/v1/models'), tryGet(client, '/api/v0/models')]);
  assertKeyAccepted(list);
  const listed = modelsListed(objectOf(list));
  if (listed === undefined) {
    throw new ProbeFailure('status', `GET /v1/models gave no model list (status ${list.status})`);
  }
  const described = modelsListed(states && objectOf(states));
  const loaded = new Set<string>();
  const contextTokens = new Map<string, number>();
  for (const [id, entry] of described ?? []) {
    if (entry['state'] !== 'loaded') continue;
    loaded.add(id);
    // `max_context_length` is what the model could hold, not what it was loaded with.
    const tokens = asPositive(entry['loaded_context_length']);
    if (tokens !== undefined) contextTokens.set(id, tokens);
  }
  return {
    ...silentReading,
    models: namesOf(listed.keys()),
    loaded: described && loaded,
    isLoadedHidden: described === undefined,
    contextTokens: described && contextTokens,
    modelObjects: listed,
  };
}
