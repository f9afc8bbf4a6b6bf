/** A client's request of the Responses API. Items, parts and tools have files of their own. */
import {
  objectsOf,
  optionalBoolean,
  optionalList,
  optionalNumber,
  optionalObject,
  optionalObjects,
  optionalString,
  otherMembers,
  pathOf,
  present,
  requiredObject,
  requiredString,
} from '../ir/fields.ts';
import type { Place } from '../ir/fields.ts';
import type { Message } from '../ir/parts.ts';
import { RequestShapeError } from '../ir/request-shape-error.ts';
import type { ChatRequest, JsonObject, OutputFormat, ReasoningWish, Sampling } from '../ir/request.ts';
import type { Unread } from '../ir/unread.ts';
import { readInput } from './items.ts';
import { isSatisfied, knownMembers, logprobsName, mirroredMembers, ownMembers } from './members.ts';
import { dialectName } from './name.ts';
import { unreadMembers } from './unread.ts';
import { isBuiltinChoice, readToolChoice, readTools } from './tools.ts';

/** @throws RequestShapeError */
export function readRequest(body: JsonObject): ChatRequest {
  const request: Place = { fields: body, path: '' };
  refuseWhatIsKeptElsewhere(request);
  const model = requiredString(request, 'model');
  const unread: Unread = new Set();
  const { messages, tools: lateTools } = readInput(request, unread);
  const tools = readTools([...(optionalObjects(request, 'tools') ?? []), ...lateTools], unread);
  return {
    kind: 'chat',
    dialect: dialectName,
    model,
    stream: optionalBoolean(request, 'stream') ?? false,
    usageInStream: true,
    messages: [...readInstructions(request), ...messages],
    sampling: readSampling(request),
    ...(tools.length > 0 && { tools }),
    ...present({
      toolChoice: readToolChoice(request),
      parallelToolCalls: optionalBoolean(request, 'parallel_tool_calls'),
      format: readFormat(request),
      reasoning: readReasoningWish(request),
      user: optionalString(request, 'user'),
      metadata: optionalObject(request, 'metadata')?.fields,
    }),
    own: { ...readOwn(request), ...unreadMembers(unread) },
    extra: otherMembers(body, knownMembers),
    mirrored: readMirrored(body, lateTools),
  };
}

/** Members without which the request would mean something else, and that only the real service can follow. */
function refuseWhatIsKeptElsewhere(request: Place): void {
  if (optionalBoolean(request, 'background') === true) {
    throw new RequestShapeError('background', 'is not supported: answers are given while the client waits');
  }
  for (const key of ['conversation', 'prompt']) {
    if ((request.fields[key] ?? undefined) === undefined) continue;
    throw new RequestShapeError(
      key,
      'is not supported: nothing is kept under such ids; send the items themselves',
    );
  }
  optionalBoolean(request, 'store');
  optionalString(request, 'previous_response_id');
}

function readInstructions(request: Place): readonly Message[] {
  const text = optionalString(request, 'instructions') ?? '';
  return text === '' ? [] : [{ role: 'system', parts: [{ kind: 'text', text }] }];
}

function readSampling(request: Place): Sampling {
  const topLogprobs = optionalNumber(request, 'top_logprobs');
  const logprobs = readInclude(request).includes(logprobsName) || (topLogprobs ?? 0) > 0;
  return {
    ...(logprobs && { logprobs }),
    ...present({
      maxTokens: optionalNumber(request, 'max_output_tokens'),
      temperature: optionalNumber(request, 'temperature'),
      topP: optionalNumber(request, 'top_p'),
      topLogprobs,
    }),
  };
}

function readInclude(request: Place): readonly string[] {
  return (optionalList(request, 'include') ?? []).map((name, index) => {
    if (typeof name === 'string') return name;
    throw new RequestShapeError(`include[${index}]`, 'must be a string');
  });
}

function readFormat(request: Place): OutputFormat | undefined {
  const text = optionalObject(request, 'text');
  const format = text && optionalObject(text, 'format');
  if (format === undefined) return undefined;
  const type = requiredString(format, 'type');
  if (type === 'text') return { kind: 'text' };
  if (type === 'json_object') return { kind: 'json' };
  if (type !== 'json_schema') {
    throw new RequestShapeError(pathOf(format, 'type'), 'must be text, json_object or json_schema');
  }
  return {
    kind: 'schema',
    schema: requiredObject(format, 'schema').fields,
    ...present({
      name: optionalString(format, 'name'),
      description: optionalString(format, 'description'),
      strict: optionalBoolean(format, 'strict'),
    }),
  };
}

function readReasoningWish(request: Place): ReasoningWish | undefined {
  const reasoning = optionalObject(request, 'reasoning');
  if (reasoning === undefined) return undefined;
  const effort = optionalString(reasoning, 'effort');
  const summary = optionalString(reasoning, 'summary') ?? optionalString(reasoning, 'generate_summary');
  const wish: ReasoningWish = {
    ...(effort === 'none' ? { enabled: false } : effort !== undefined && { effort }),
    ...(summary !== undefined && { summary }),
  };
  return Object.keys(wish).length === 0 ? undefined : wish;
}

/** Tools that came as an item are tools of the request like the others: their groups are looked up there. */
function readMirrored(body: JsonObject, lateTools: readonly Place[]): JsonObject {
  const mirrored = Object.fromEntries(Object.entries(body).filter(([key]) => mirroredMembers.has(key)));
  if (lateTools.length === 0) return mirrored;
  return { ...mirrored, tools: [...objectsOf(body['tools']), ...lateTools.map(({ fields }) => fields)] };
}

/** What is left of the API's own members, and members of members under their paths. */
function readOwn(request: Place): JsonObject {
  const { fields } = request;
  const own: Record<string, unknown> = {};
  for (const key of ownMembers) {
    const value = fields[key] ?? undefined;
    if (value !== undefined && !isSatisfied(key, value)) own[key] = value;
  }
  const include = readInclude(request).filter((name) => name !== logprobsName);
  if (include.length > 0) own['include'] = include;
  if (isBuiltinChoice(fields['tool_choice'])) own['tool_choice'] = fields['tool_choice'];
  for (const [outer, inner] of innerMembers) {
    const value = optionalObject(request, outer)?.fields[inner] ?? undefined;
    if (value !== undefined) own[`${outer}.${inner}`] = value;
  }
  return own;
}

const innerMembers = [
  ['text', 'verbosity'],
  ['reasoning', 'context'],
  ['reasoning', 'mode'],
] as const;
