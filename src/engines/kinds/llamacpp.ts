/**
 * llama.cpp's llama-server, with one model or in router mode. Owns how it is recognised and read without waking or
 * loading anything. Facts are of build 11669, seen on the wire.
 */
import { ProbeFailure } from '../engine-kind.ts';
import type { EngineKind, EngineReading, ProbeClient, ProbeResponse, ProbeRound } from '../engine-kind.ts';
import { adviseLlamacpp } from './llamacpp-advice.ts';
import { namesAndAliases } from './llamacpp-names.ts';
import { readRouter } from './llamacpp-router.ts';
import { readSlots } from './llamacpp-slots.ts';
import { assertKeyAccepted, modelsListed, objectOf, silentReading, tryGet, tryGetObject } from './probing.ts';
import { asObject, asPositive, asText } from './read-json.ts';
import type { JsonObject } from './read-json.ts';

export const llamacpp: EngineKind = {
  name: 'llamacpp',
  title: 'llama.cpp',
  port: 8080,
  // A client that leaves is noticed at the next write, and an answer that is no stream has one write: its last.
  cancelsOnDisconnect: 'streaming',
  // It closes idle sockets after 5 s, and any socket after its 100th answer, which says `Connection: close`.
  socketIdleMsMax: 4000,
  socketEndsWithStream: true,
  slotsUsual: undefined,
  sharesPrompts: false,
  endsWithDone: true,
  streamsAreWhole: true,
  habits: {
    unknownMembers: 'ignored',
    takesMoreSamplers: true,
    repeatPenaltyName: 'repeat_penalty',
    reasoningControl: 'template',
    reasoningBudgetMember: 'thinking_budget_tokens',
    reasoningMember: 'reasoning_content',
    // Chat templates know three or four roles, and this is not one of them.
    takesDeveloperRole: false,
    takesToolChoice: true,
    // In its `timings`.
    streamsTellUsage: true,
    tellsProgress: true,
    keepsAnswers: false,
    takesImageUrls: true,
    wantsMaxCompletionTokens: false,
    countsChatTokens: true,
  },
  // Its Responses API leaves custom tools out, refuses `previous_response_id` and does not number its events.
  routesTranslated: ['responses'],
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
    'native-completion',
    'infill',
    'tokenize',
    'detokenize',
    'apply-template',
    'props',
    'slots',
    'other',
  ]),
  // With it a stream outlives its client, and the slot stays taken.
  headersWithheld: ['x-conversation-id'],
  blamesClient,
  detect,
  read,
  advise: adviseLlamacpp,
};

/** Messages of its 500s that the request caused, not the server. */
const clientFaults = [
  'image input is not supported',
  'does not support logits computation',
  'is too large to process. increase the physical batch size',
  'Context size has been exceeded',
  "'messages' is required",
];

function blamesClient(status: number, bodyHead: string): boolean {
  if (status === 501) return bodyHead.includes('not_supported_error');
  return status === 500 && clientFaults.some((message) => bodyHead.includes(message));
}

async function detect(client: ProbeClient): Promise<boolean> {
  const [health, props] = await Promise.all([client.get('/health'), tryGetObject(client, '/props')]);
  if (health.headers.get('server') === 'llama.cpp') return true;
  // Behind a proxy that signs answers itself.
  return props !== undefined && 'default_generation_settings' in props && 'build_info' in props;
}

async function read(client: ProbeClient, round: ProbeRound): Promise<EngineReading> {
  const [health, propsAnswer, listAnswer] = await Promise.all([
    client.get('/health'),
    tryGet(client, '/props'),
    tryGet(client, '/v1/models'),
  ]);
  if (isLoading(health)) return { ...silentReading, readiness: 'loading' };
  if (health.status !== 200) {
    throw new ProbeFailure('status', `GET /health answered with status ${health.status}`);
  }
  assertKeyAccepted(listAnswer);
  assertKeyAccepted(propsAnswer);
  const props = propsAnswer && objectOf(propsAnswer);
  const listed = modelsListed(listAnswer && objectOf(listAnswer));
  const version = asText(props?.['build_info']);
  if (props?.['role'] === 'router')
    return { ...(await readRouter(client, { props, listed, round })), version };
  return { ...(await readSingle(client, { props, listed, round })), version };
}

/** While it loads its model, every route answers 503 `Loading model`. */
function isLoading(health: ProbeResponse): boolean {
  const error = asObject(asObject(health.json)?.['error']);
  return health.status === 503 && error?.['type'] === 'unavailable_error';
}

interface SingleAnswers {
  readonly props: JsonObject | undefined;
  readonly listed: ReadonlyMap<string, JsonObject> | undefined;
  readonly round: ProbeRound;
}

async function readSingle(client: ProbeClient, answers: SingleAnswers): Promise<EngineReading> {
  const { props, listed, round } = answers;
  const slots = await readSlots(client, { props, query: '', round });
  const contextTokens = new Map<string, number>();
  for (const [id, entry] of listed ?? []) {
    const tokens = slots.contextTokens ?? asPositive(asObject(entry['meta'])?.['n_ctx']);
    if (tokens !== undefined) contextTokens.set(id, tokens);
  }
  return {
    ...silentReading,
    readiness: slots.sleeping ? 'sleeping' : 'ready',
    models: listed && namesAndAliases(listed),
    loaded: listed && new Set(slots.sleeping ? [] : listed.keys()),
    slotsTotal: slots.total,
    slotIds: slots.total,
    slotsBusy: slots.busy,
    contextTokens: listed && contextTokens,
    modelObjects: listed,
  };
}
