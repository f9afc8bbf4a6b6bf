/** What vLLM and SGLang share: Python servers on uvicorn that batch as they can, queue the rest and speak OpenAI's API and Anthropic's. */
import type { EngineKind } from '../engine-kind.ts';
import { asPositive } from './read-json.ts';
import type { JsonObject } from './read-json.ts';

type SharedTraits = Omit<EngineKind, 'name' | 'title' | 'port' | 'detect' | 'read'>;

export const batchingServer: SharedTraits = {
  // vLLM watches the client's connection on every generating route (vllm/entrypoints/utils.py, with_cancellation),
  // SGLang aborts a request whose client left (sglang/srt/managers/tokenizer_manager.py).
  cancelsOnDisconnect: 'all',
  // uvicorn closes idle sockets after 5 s.
  socketIdleMsMax: 4000,
  socketEndsWithStream: false,
  // They batch up to hundreds of sequences and queue the rest; a queue here is fairer than one there.
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
};

/** Context windows in tokens, by model id, of the models whose list entry tells one. */
export function contextLengths(listed: ReadonlyMap<string, JsonObject>): ReadonlyMap<string, number> {
  const lengths = new Map<string, number>();
  for (const [id, entry] of listed) {
    const tokens = asPositive(entry['max_model_len']);
    if (tokens !== undefined) lengths.set(id, tokens);
  }
  return lengths;
}
