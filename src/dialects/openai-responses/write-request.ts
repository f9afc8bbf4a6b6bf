/** A request as an engine wants it that speaks the Responses API. What that API cannot say is reported, member by member. */
import type { WriteTarget } from '../dialect.ts';
import { present } from '../ir/fields.ts';
import type { Message } from '../ir/parts.ts';
import type {
  ChatRequest,
  JsonObject,
  ModelRequest,
  OutputFormat,
  ReasoningWish,
  TextRequest,
} from '../ir/request.ts';
import { knownMembers, logprobsName } from './members.ts';
import { dialectName } from './name.ts';
import { writeTools } from './tools.ts';
import { isUnread } from './unread.ts';
import { writeItems } from './write-items.ts';

/** The API wants a name for every schema. */
const schemaName = 'response';

/** undefined = a text to go on with that no conversation can stand for. */
export function writeRequest(request: ModelRequest, target: WriteTarget): JsonObject | undefined {
  const chat = request.kind === 'chat' ? request : tryAsChat(request);
  if (chat === undefined) return undefined;
  const { instructions, rest } = splitInstructions(chat.messages);
  const { text, reasoning, include, ...own } = writeOwn(chat, target);
  return {
    model: chat.model,
    ...(instructions !== undefined && { instructions }),
    input: writeItems(rest, target),
    ...writeTools(chat, target),
    ...present({
      parallel_tool_calls: chat.parallelToolCalls,
      user: chat.user,
      metadata: chat.metadata,
    }),
    ...writeSampling(chat, target),
    ...writeText(chat.format, text),
    ...writeReasoning(chat.reasoning, reasoning, target),
    ...writeInclude(chat, include),
    ...own,
    ...writeExtra(chat, target),
    // The router keeps what is to be kept.
    store: false,
    ...(chat.stream && { stream: true }),
  };
}

/** The prompt as what the user says; undefined = that would not be the same. */
function tryAsChat(request: TextRequest): ChatRequest | undefined {
  const { kind: _, prompt, system, images = [], raw, suffix, echo, ...base } = request;
  if (raw || suffix !== undefined || echo === true || typeof prompt !== 'string') return undefined;
  return {
    kind: 'chat',
    ...base,
    messages: [
      ...(system === undefined ? [] : [{ role: 'system', parts: [{ kind: 'text', text: system }] } as const]),
      { role: 'user', parts: [{ kind: 'text', text: prompt }, ...images] },
    ],
  };
}

function splitInstructions(messages: readonly Message[]): {
  readonly instructions: string | undefined;
  readonly rest: readonly Message[];
} {
  const [first, ...rest] = messages;
  const [part, ...more] = first?.parts ?? [];
  const isPlain =
    first?.role === 'system' && first.name === undefined && part?.kind === 'text' && more.length === 0;
  // An input may not be empty, and no instructions are not the same as empty ones.
  if (!isPlain || part.text === '' || rest.length === 0) return { instructions: undefined, rest: messages };
  return { instructions: part.text, rest };
}

/** Members by path, as the reader put them down: those with a dot belong into the member before it. */
function writeOwn(request: ChatRequest, { onDropped }: WriteTarget): Record<string, unknown> {
  if (request.dialect !== dialectName) {
    for (const key of Object.keys(request.own)) onDropped(key);
    return {};
  }
  const own: Record<string, unknown> = {};
  for (const [path, value] of Object.entries(request.own)) {
    if (isUnread(path)) {
      onDropped(path);
      continue;
    }
    const [outer = '', inner] = path.split('.');
    own[outer] = inner === undefined ? value : { ...(own[outer] as JsonObject | undefined), [inner]: value };
  }
  return own;
}

function writeSampling({ sampling }: ChatRequest, { habits, onDropped }: WriteTarget): JsonObject {
  const { maxTokens, temperature, topP, topLogprobs, logprobs: _, ...foreign } = sampling;
  const names: Readonly<Record<keyof typeof foreign, string>> = {
    topK: 'top_k',
    minP: 'min_p',
    typicalP: 'typical_p',
    seed: 'seed',
    stop: 'stop',
    frequencyPenalty: 'frequency_penalty',
    presencePenalty: 'presence_penalty',
    repeatPenalty: habits.repeatPenaltyName,
    repeatLastN: 'repeat_last_n',
    logitBias: 'logit_bias',
    choices: 'n',
  };
  const more: Record<string, unknown> = {};
  for (const [key, name] of Object.entries(names) as [keyof typeof foreign, string][]) {
    const value = foreign[key];
    if (value === undefined || (key === 'choices' && value === 1)) continue;
    // One answer is all that this API gives, whatever the engine.
    if (habits.takesMoreSamplers && key !== 'choices') more[name] = value;
    else onDropped(name);
  }
  return {
    ...present({ max_output_tokens: maxTokens, temperature, top_p: topP, top_logprobs: topLogprobs }),
    ...more,
  };
}

function writeText(format: OutputFormat | undefined, own: unknown): JsonObject {
  const written = format && writeFormat(format);
  if (written === undefined && own === undefined) return {};
  return { text: { ...(written !== undefined && { format: written }), ...(own as JsonObject | undefined) } };
}

function writeFormat(format: OutputFormat): JsonObject {
  if (format.kind !== 'schema') return { type: format.kind === 'json' ? 'json_object' : 'text' };
  const { name = schemaName, description, schema, strict } = format;
  return { type: 'json_schema', name, ...present({ description, strict }), schema };
}

function writeReasoning(wish: ReasoningWish = {}, own: unknown, { onDropped }: WriteTarget): JsonObject {
  if (wish.budgetTokens !== undefined) onDropped('reasoning.budget_tokens');
  const effort = wish.enabled === false ? 'none' : wish.effort;
  // Thinking is what a model does here unless it is told not to: nothing is to be said for `enabled: true`.
  const reasoning = { ...present({ effort, summary: wish.summary }), ...(own as JsonObject | undefined) };
  return Object.keys(reasoning).length === 0 ? {} : { reasoning };
}

function writeInclude({ sampling }: ChatRequest, own: unknown): JsonObject {
  const include = [
    ...(sampling.logprobs === true ? [logprobsName] : []),
    ...((own as string[] | undefined) ?? []),
  ];
  return include.length === 0 ? {} : { include };
}

/** Members of other APIs, and those that no API has. */
function writeExtra(request: ChatRequest, { habits, onDropped }: WriteTarget): JsonObject {
  if (request.keepAlive !== undefined) onDropped('keep_alive');
  if (request.contextTokens !== undefined) onDropped('num_ctx');
  const extra: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(request.extra)) {
    if (habits.unknownMembers === 'ignored' && !knownMembers.has(key)) extra[key] = value;
    else onDropped(key);
  }
  return extra;
}
