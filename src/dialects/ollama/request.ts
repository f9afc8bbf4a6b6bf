/** Requests of Ollama's `/api/chat` and `/api/generate`, read. Owns every member but messages, tools and options. */
import {
  isObject,
  optionalBoolean,
  optionalNumber,
  optionalString,
  otherMembers,
  pathOf,
  requiredString,
} from '../ir/fields.ts';
import type { Place } from '../ir/fields.ts';
import { RequestShapeError } from '../ir/request-shape-error.ts';
import type { ChatRequest, JsonObject, ModelRequest, OutputFormat, TextRequest } from '../ir/request.ts';
import { readImages } from './images.ts';
import { keepAliveMs, readKeepAlive } from './keep-alive.ts';
import { isOllamaName, members, ownMembers } from './members.ts';
import type { OllamaName } from './members.ts';
import { readMessages } from './messages.ts';
import { readOptions } from './options.ts';
import { readThink } from './think.ts';
import { readTools } from './tools.ts';

const topLogprobsMax = 20;

/** @throws RequestShapeError */
export function readChatRequest(body: JsonObject): ChatRequest {
  const place: Place = { fields: body, path: '' };
  const tools = readTools(place);
  return {
    kind: 'chat',
    ...readCommon(place, 'ollama-chat'),
    messages: readMessages(place),
    ...(tools !== undefined && tools.length > 0 && { tools }),
  };
}

/** @throws RequestShapeError */
export function readGenerateRequest(body: JsonObject): TextRequest {
  const place: Place = { fields: body, path: '' };
  const common = readCommon(place, 'ollama-generate');
  const suffix = optionalString(place, 'suffix') ?? '';
  const system = optionalString(place, 'system') ?? '';
  const images = readImages(place);
  const raw = optionalBoolean(place, 'raw') ?? false;
  if (raw && (system !== '' || 'template' in common.own || 'context' in common.own)) {
    throw new RequestShapeError('raw', 'does not go together with template, system or context');
  }
  return {
    kind: 'text',
    ...common,
    prompt: optionalString(place, 'prompt') ?? '',
    ...(suffix !== '' && { suffix }),
    ...(system !== '' && { system }),
    ...(images.length > 0 && { images }),
    raw,
  };
}

function readCommon(place: Place, dialect: OllamaName) {
  const model = requiredString(place, 'model');
  if (model === '') throw new RequestShapeError('model', 'is required');
  const options = readOptions(place);
  const logprobs = optionalBoolean(place, 'logprobs');
  const topLogprobs = readTopLogprobs(place);
  const format = readFormat(place);
  const reasoning = readThink(place);
  const keepAlive = readKeepAlive(place);
  const { contextTokens } = options;
  return {
    model,
    stream: optionalBoolean(place, 'stream') ?? true,
    usageInStream: true,
    sampling: {
      ...options.sampling,
      ...(logprobs !== undefined && { logprobs }),
      ...(topLogprobs !== undefined && { topLogprobs }),
    },
    ...(format !== undefined && { format }),
    ...(reasoning !== undefined && { reasoning }),
    ...(keepAlive !== undefined && { keepAlive }),
    ...(contextTokens !== undefined && { contextTokens }),
    dialect,
    own: readOwn(place.fields, dialect, options.own),
    extra: { ...readExtra(place.fields, dialect), ...options.unknown },
  };
}

function readTopLogprobs(place: Place): number | undefined {
  const count = optionalNumber(place, 'top_logprobs');
  if (count !== undefined && (count < 0 || count > topLogprobsMax)) {
    throw new RequestShapeError('top_logprobs', `must be between 0 and ${topLogprobsMax}`);
  }
  return count;
}

/** Clients send empty values for what they leave out. */
function isSaid(value: unknown): boolean {
  return (
    value !== null && value !== undefined && value !== '' && !(Array.isArray(value) && value.length === 0)
  );
}

function readOwn(fields: JsonObject, dialect: OllamaName, options: JsonObject): JsonObject {
  const said = Object.entries(fields).filter(([key, value]) => ownMembers[dialect].has(key) && isSaid(value));
  return { ...Object.fromEntries(said), ...(Object.keys(options).length > 0 && { options }) };
}

function readExtra(fields: JsonObject, dialect: OllamaName): JsonObject {
  const others = Object.entries(otherMembers(fields, members[dialect]));
  return Object.fromEntries(others.filter(([key, value]) => !ownMembers[dialect].has(key) && isSaid(value)));
}

function readFormat(place: Place): OutputFormat | undefined {
  const value = place.fields['format'] ?? '';
  if (value === '') return undefined;
  if (value === 'json') return { kind: 'json' };
  if (isObject(value)) return { kind: 'schema', schema: value };
  throw new RequestShapeError(pathOf(place, 'format'), 'must be "json" or a JSON schema');
}

/**
 * What a request of Ollama's API is for. Without a prompt or messages it asks for no text: its model is to be loaded, or,
 * with `keep_alive` 0, taken out of memory. Requests of other APIs always ask for text.
 */
export function intentOf(request: ModelRequest): 'generate' | 'load' | 'unload' {
  if (!isOllamaName(request.dialect)) return 'generate';
  const isEmpty = request.kind === 'chat' ? request.messages.length === 0 : request.prompt === '';
  if (!isEmpty) return 'generate';
  return request.keepAlive !== undefined && keepAliveMs(request.keepAlive) === 0 ? 'unload' : 'load';
}
