/** Requests for chat completions, both directions. */
import type { WriteTarget } from '../dialect.ts';
import { isObject, optionalBoolean, optionalNumber, optionalObjects, present } from '../ir/fields.ts';
import type { Place } from '../ir/fields.ts';
import type { Message } from '../ir/parts.ts';
import { RequestShapeError } from '../ir/request-shape-error.ts';
import type { ChatRequest, JsonObject, ModelRequest, Sampling, TextRequest } from '../ir/request.ts';
import { headMembers, readHead, readRest, writeHead, writeRest } from '../openai/members.ts';
import { readSampling, samplingMembers, writeSampling } from '../openai/sampling.ts';
import { writeMessages } from './conversation.ts';
import { readMessages } from './messages.ts';
import { readFormat, writeFormat } from './output-format.ts';
import { readReasoning, readTemplateRest, reasoningMembers, writeReasoning } from './reasoning.ts';
import { readTools, toolMembers, writeTools } from './tools.ts';

const known: ReadonlySet<string> = new Set([
  ...headMembers,
  ...samplingMembers,
  ...reasoningMembers,
  ...toolMembers,
  'messages',
  'response_format',
  'max_completion_tokens',
  'logprobs',
  'top_logprobs',
]);

/** Members of the API that nothing else can say. */
const own: ReadonlySet<string> = new Set([
  'audio',
  'modalities',
  'moderation',
  'prediction',
  'prompt_cache_key',
  'prompt_cache_options',
  'prompt_cache_retention',
  'safety_identifier',
  'service_tier',
  'store',
  'verbosity',
  'web_search_options',
]);

/** @throws RequestShapeError */
export function readRequest(body: JsonObject): ChatRequest {
  const place: Place = { fields: body, path: '' };
  const head = readHead(place);
  const messages = optionalObjects(place, 'messages');
  if (messages === undefined) throw new RequestShapeError('messages', 'is required');
  const rest = readRest(body, { known, own });
  return {
    kind: 'chat',
    dialect: 'openai-chat',
    ...head,
    messages: readMessages(messages),
    ...readTools(place),
    sampling: { ...readSampling(place), ...readLimits(place) },
    ...present({ format: readFormat(place), reasoning: readReasoning(place) }),
    own: { ...rest.own, ...readTemplateRest(place) },
    extra: rest.extra,
  };
}

/** undefined for texts that no conversation stands for. */
export function writeRequest(request: ModelRequest, target: WriteTarget): JsonObject | undefined {
  const messages = request.kind === 'chat' ? request.messages : tryConversation(request);
  if (messages === undefined) return undefined;
  const written: JsonObject = {
    ...writeHead(request),
    messages: writeMessages(messages, target),
    ...(request.kind === 'chat' && writeTools(request, target)),
    ...writeFormat(request.format),
    ...writeReasoning(request.reasoning, target),
    ...writeLimits(request.sampling, target),
    ...writeSampling(request.sampling, target),
  };
  return withRest(request, written, target);
}

/** What no member of the request stands for. A template's own members go beside the one that is written for thinking. */
function withRest(request: ModelRequest, written: JsonObject, target: WriteTarget): JsonObject {
  const { chat_template_kwargs: template, ...others } = request.own;
  if (request.dialect !== 'openai-chat' || !isObject(template)) {
    return { ...written, ...writeRest(request, written, { target, dialect: 'openai-chat' }) };
  }
  const thinking = written['chat_template_kwargs'];
  return {
    ...written,
    chat_template_kwargs: { ...template, ...(isObject(thinking) && thinking) },
    ...writeRest({ ...request, own: others }, written, { target, dialect: 'openai-chat' }),
  };
}

function readLimits(place: Place): Sampling {
  return present({
    maxTokens: optionalNumber(place, 'max_completion_tokens') ?? optionalNumber(place, 'max_tokens'),
    logprobs: optionalBoolean(place, 'logprobs'),
    topLogprobs: optionalNumber(place, 'top_logprobs'),
  });
}

function writeLimits({ maxTokens, logprobs, topLogprobs }: Sampling, { habits }: WriteTarget): JsonObject {
  const limit = habits.wantsMaxCompletionTokens ? 'max_completion_tokens' : 'max_tokens';
  return present({ [limit]: maxTokens, logprobs, top_logprobs: topLogprobs });
}

/** A text that is put into a template anyway is what a user says. */
function tryConversation({
  prompt,
  suffix,
  echo,
  raw,
  system,
  images,
}: TextRequest): readonly Message[] | undefined {
  if (raw || suffix !== undefined || echo === true || typeof prompt !== 'string') return undefined;
  return [
    ...(system === undefined ? [] : [{ role: 'system', parts: [{ kind: 'text', text: system }] } as const]),
    { role: 'user', parts: [{ kind: 'text', text: prompt }, ...(images ?? [])] },
  ];
}
