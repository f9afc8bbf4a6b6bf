/** Requests of the Messages API, both directions: every top-level member that is neither messages, tools nor thinking. */
import type { WriteTarget } from '../dialect.ts';
import {
  optionalBoolean,
  optionalList,
  optionalNumber,
  optionalObject,
  optionalString,
  otherMembers,
  present,
  requiredString,
} from '../ir/fields.ts';
import type { Place } from '../ir/fields.ts';
import type { Message } from '../ir/parts.ts';
import { RequestShapeError } from '../ir/request-shape-error.ts';
import type { ChatRequest, JsonObject, ModelRequest, Sampling, TextRequest } from '../ir/request.ts';
import type { Unread } from '../ir/unread.ts';
import { readMessages, readSystem } from './messages.ts';
import { dialectName } from './name.ts';
import { readFormat, readReasoning, writeThinking } from './thinking.ts';
import { readToolChoice, readTools, writeTools } from './tools.ts';
import { writeMessages } from './write-messages.ts';

/** What an answer may have where a client that may leave the limit out did so: the Messages API wants one. */
export const maxTokensDefault = 4096;

/** Members that the common record stands for. */
const commonMembers = new Set([
  'model',
  'max_tokens',
  'messages',
  'system',
  'stream',
  'temperature',
  'top_p',
  'top_k',
  'stop_sequences',
  'metadata',
  'tools',
  'tool_choice',
  'thinking',
  'output_config',
  'output_format',
]);

/** Members that other APIs have no word for. The last two are headers that some services want in the body. */
const ownMembers = new Set([
  'billing_policy',
  'cache_control',
  'compaction',
  'container',
  'context_management',
  'diagnostics',
  'fallback_credit_token',
  'fallbacks',
  'inference_geo',
  'mcp_servers',
  'service_tier',
  'speed',
  'thread',
  'user_profile_id',
  'workspace_id',
  'anthropic_beta',
  'anthropic_version',
]);
const ownAndCommon = new Set([...ownMembers, ...commonMembers]);

/** @throws RequestShapeError */
export function readRequest(body: JsonObject): ChatRequest {
  if ((body['max_tokens'] ?? undefined) === undefined) {
    throw new RequestShapeError('max_tokens', 'is required');
  }
  return readConversation(body);
}

/** A request that may be without its limit, as for counting tokens. @throws RequestShapeError */
export function readConversation(body: JsonObject): ChatRequest {
  const place: Place = { fields: body, path: '' };
  const unread: Unread = new Set();
  const model = requiredString(place, 'model');
  const messages = [...readSystem(place, unread), ...readMessages(place, unread)];
  const tools = readTools(place, unread);
  return {
    kind: 'chat',
    dialect: dialectName,
    model,
    stream: optionalBoolean(place, 'stream') ?? false,
    usageInStream: true,
    messages,
    ...(tools !== undefined && { tools }),
    ...readToolChoice(place, unread),
    sampling: readSampling(place),
    ...present({ format: readFormat(place, unread), reasoning: readReasoning(place, unread) }),
    ...readMetadata(place),
    own: ownOf(body, unread),
    extra: otherMembers(body, ownAndCommon),
  };
}

/** undefined = the API has no such request. */
export function writeRequest(request: ModelRequest, target: WriteTarget): JsonObject | undefined {
  const conversation = request.kind === 'chat' ? request.messages : tryMessagesOf(request);
  if (conversation === undefined) return undefined;
  const { system, messages } = writeMessages(conversation, target);
  if (messages.length === 0) return undefined;
  const body: JsonObject = {
    model: request.model,
    max_tokens: request.sampling.maxTokens ?? maxTokensDefault + (request.reasoning?.budgetTokens ?? 0),
    ...(system !== undefined && { system }),
    messages,
    ...(request.kind === 'chat' && writeTools(request, target)),
    ...writeSampling(request.sampling, target),
    ...writeThinking(request, target),
    ...writeMetadata(request, target),
    ...(request.stream && { stream: true }),
  };
  if (request.keepAlive !== undefined) target.onDropped('keep_alive');
  if (request.contextTokens !== undefined) target.onDropped('num_ctx');
  return { ...body, ...writeOthers(request, body, target) };
}

function readSampling(place: Place): Sampling {
  return present({
    maxTokens: readLimit(place),
    temperature: optionalNumber(place, 'temperature'),
    topP: optionalNumber(place, 'top_p'),
    topK: optionalNumber(place, 'top_k'),
    stop: readStop(place),
  });
}

function readLimit(place: Place): number | undefined {
  const limit = optionalNumber(place, 'max_tokens');
  if (limit === undefined || (Number.isInteger(limit) && limit >= 0)) return limit;
  throw new RequestShapeError('max_tokens', 'must be a whole number, 0 or more');
}

function readStop(place: Place): readonly string[] | undefined {
  const list = optionalList(place, 'stop_sequences');
  return list?.map((text, index) => {
    if (typeof text === 'string') return text;
    throw new RequestShapeError(`stop_sequences[${index}]`, 'must be a string');
  });
}

function readMetadata(request: Place): { user?: string; metadata?: JsonObject } {
  const place = optionalObject(request, 'metadata');
  if (place === undefined) return {};
  const user = optionalString(place, 'user_id');
  const metadata = otherMembers(place.fields, new Set(['user_id']));
  return {
    ...(user !== undefined && { user }),
    ...(Object.keys(metadata).length > 0 && { metadata }),
  };
}

function ownOf(body: JsonObject, unread: Unread): JsonObject {
  const members = Object.entries(body).filter(([key, value]) => ownMembers.has(key) && value !== null);
  return Object.fromEntries([...members, ...[...unread].map((path) => [path, true])]);
}

/** A text to go on with is a user's message, unless it is meant for the model as it stands. */
function tryMessagesOf(request: TextRequest): readonly Message[] | undefined {
  const { prompt, raw, suffix, echo, system = '', images = [] } = request;
  const [text] = typeof prompt === 'string' ? [prompt] : prompt.length === 1 ? prompt : [];
  if (typeof text !== 'string' || raw || suffix !== undefined || echo === true) return undefined;
  const parts: Message['parts'] = [{ kind: 'text', text }, ...images];
  return [
    ...(system === '' ? [] : [{ role: 'system' as const, parts: [{ kind: 'text' as const, text: system }] }]),
    { role: 'user', parts },
  ];
}

/** Names of samplers that the API lacks, as most other APIs call them. */
const foreignSamplers: Readonly<Partial<Record<keyof Sampling, string>>> = {
  minP: 'min_p',
  typicalP: 'typical_p',
  seed: 'seed',
  frequencyPenalty: 'frequency_penalty',
  presencePenalty: 'presence_penalty',
  repeatPenalty: 'repeat_penalty',
  repeatLastN: 'repeat_last_n',
  logitBias: 'logit_bias',
  topLogprobs: 'top_logprobs',
};

function writeSampling(sampling: Sampling, { onDropped }: WriteTarget): JsonObject {
  for (const [key, name] of Object.entries(foreignSamplers)) {
    if (sampling[key as keyof Sampling] !== undefined) onDropped(name);
  }
  if (sampling.logprobs === true) onDropped('logprobs');
  if (sampling.choices !== undefined && sampling.choices !== 1) onDropped('n');
  return present({
    temperature: sampling.temperature,
    top_p: sampling.topP,
    top_k: sampling.topK,
    stop_sequences: sampling.stop,
  });
}

function writeMetadata({ user, metadata, dialect }: ModelRequest, { onDropped }: WriteTarget): JsonObject {
  // The API knows nothing but the user in there.
  const isOwn = dialect === dialectName;
  if (metadata !== undefined && !isOwn) onDropped('metadata');
  const written = { ...(isOwn && metadata), ...(user !== undefined && { user_id: user }) };
  return Object.keys(written).length > 0 ? { metadata: written } : {};
}

/** Members that only this API has, and those that none of them knows. */
function writeOthers(
  request: ModelRequest,
  body: JsonObject,
  { habits, onDropped }: WriteTarget,
): JsonObject {
  const others: (readonly [string, unknown])[] = [];
  for (const [key, value] of Object.entries(request.own)) {
    if (request.dialect === dialectName && ownMembers.has(key)) others.push([key, value]);
    else onDropped(key);
  }
  for (const [key, value] of Object.entries(request.extra)) {
    const isFree = !Object.hasOwn(body, key) && !ownAndCommon.has(key);
    if (habits.unknownMembers === 'ignored' && isFree) others.push([key, value]);
    else onDropped(key);
  }
  return Object.fromEntries(others);
}
