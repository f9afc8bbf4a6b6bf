/** vLLM's OpenAI server: one base model (and its adapters), continuous batching, a queue of its own, no slots. */
import { ProbeFailure } from '../engine-kind.ts';
import type { EngineKind, EngineReading, ProbeClient } from '../engine-kind.ts';
import {
  assertKeyAccepted,
  modelsListed,
  namesOf,
  objectOf,
  ownsModelList,
  silentReading,
  tryGet,
  tryGetObject,
} from './probing.ts';
import { asPositive, asText } from './read-json.ts';

export const vllm: EngineKind = {
  name: 'vllm',
  title: 'vLLM',
  port: 8000,
  // Every generating route is wrapped in a watch on the client's connection (vllm/entrypoints/utils.py, with_cancellation).
  cancelsOnDisconnect: 'all',
  // uvicorn closes idle sockets after 5 s.
  socketIdleMsMax: 4000,
  socketRequestsMax: Infinity,
  socketEndsWithStream: false,
  // It batches up to 256 sequences (max_num_seqs) and queues the rest; a queue here is fairer than one there.
  slotsUsual: 64,
  sharesPrompts: true,
  endsWithDone: true,
  streamsAreWhole: false,
  habits: {
    unknownMembers: 'ignored',
    takesMoreSamplers: true,
    repeatPenaltyName: 'repetition_penalty',
    reasoningControl: 'template',
    reasoningMember: 'reasoning_content',
    takesDeveloperRole: false,
    takesToolChoice: true,
    streamsTellUsage: false,
    tellsProgress: false,
    keepsAnswers: false,
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
    'rerank',
    'audio',
    'tokenize',
    'detokenize',
    'other',
  ]),
  headersWithheld: [],
  blamesClient: () => false,
  detect: (client) => ownsModelList(client, 'vllm'),
  read,
};

async function read(client: ProbeClient): Promise<EngineReading> {
  const [health, list, version, metrics] = await Promise.all([
    client.get('/health'),
    tryGet(client, '/v1/models'),
    tryGetObject(client, '/version'),
    tryGet(client, '/metrics'),
  ]);
  // 503 when its engine process died.
  if (health.status !== 200) {
    throw new ProbeFailure('status', `GET /health answered with status ${health.status}`);
  }
  assertKeyAccepted(list);
  const listed = modelsListed(list && objectOf(list));
  const contextTokens = new Map<string, number>();
  for (const [id, entry] of listed ?? []) {
    const tokens = asPositive(entry['max_model_len']);
    if (tokens !== undefined) contextTokens.set(id, tokens);
  }
  return {
    ...silentReading,
    models: listed && namesOf(listed.keys()),
    loaded: listed && new Set(listed.keys()),
    slotsBusy: metrics?.status === 200 ? busyIn(metrics.text) : undefined,
    contextTokens: listed && contextTokens,
    version: asText(version?.['version']),
    modelObjects: listed,
  };
}

/** One gauge per engine process and model; without statistics (`--disable-log-stats`) there is none. */
function busyIn(metrics: string): number | undefined {
  const gauges = metrics.matchAll(/^vllm:num_requests_(?:running|waiting)(?:\{[^}\n]*\})? ([\d.e+]+)/gm);
  let busy: number | undefined;
  for (const [, value] of gauges) busy = (busy ?? 0) + Number(value);
  return busy !== undefined && Number.isFinite(busy) ? busy : undefined;
}
