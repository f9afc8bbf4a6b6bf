/** Any server that speaks OpenAI's API and is none of the others: known by its model list alone, or not even by that. */
import type { EngineKind, EngineReading, ProbeClient } from '../engine-kind.ts';
import {
  assertKeyAccepted,
  assertNotBroken,
  modelsListed,
  namesOf,
  objectOf,
  silentReading,
} from './probing.ts';

export const openai: EngineKind = {
  name: 'openai',
  title: 'OpenAI-compatible',
  port: undefined,
  cancelsOnDisconnect: 'all',
  // Most such servers run on uvicorn or Node, which close idle sockets after 5 s.
  socketIdleMsMax: 4000,
  socketEndsWithStream: false,
  // Nothing is known of it; services behind this API take several at once and say 429 themselves.
  slotsUsual: 16,
  sharesPrompts: true,
  endsWithDone: false,
  streamsAreWhole: false,
  // Nothing is known of it but the API, which says 400 to members that it does not have.
  habits: {
    unknownMembers: 'refused',
    takesMoreSamplers: false,
    repeatPenaltyName: 'repetition_penalty',
    reasoningControl: 'effort',
    reasoningMember: 'reasoning_content',
    takesDeveloperRole: true,
    takesToolChoice: true,
    streamsTellUsage: false,
    tellsProgress: false,
    keepsAnswers: true,
    takesImageUrls: true,
    wantsMaxCompletionTokens: false,
  },
  routesTranslated: [],
  routes: new Set([
    'chat-completions',
    'completions',
    'embeddings',
    'responses',
    'messages',
    'count-tokens',
    'count-response-tokens',
    'rerank',
    'audio',
    'images',
    'other',
  ]),
  headersWithheld: [],
  blamesClient: () => false,
  detect,
  read,
};

async function detect(client: ProbeClient): Promise<boolean> {
  const list = await client.get('/v1/models');
  assertKeyAccepted(list);
  return modelsListed(objectOf(list)) !== undefined;
}

async function read(client: ProbeClient): Promise<EngineReading> {
  const list = await client.get('/v1/models');
  assertKeyAccepted(list);
  assertNotBroken(list, '/v1/models');
  const listed = modelsListed(objectOf(list));
  return {
    ...silentReading,
    models: listed && namesOf(listed.keys()),
    modelObjects: listed,
  };
}
