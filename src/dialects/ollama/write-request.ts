/** Requests for Ollama's `/api/chat` and `/api/generate`, written. Owns every member but messages, tools and options. */
import type { WriteTarget } from '../dialect.ts';
import type { JsonObject, ModelRequest, OutputFormat, TextRequest } from '../ir/request.ts';
import { isOllamaName, members, ownMembers } from './members.ts';
import type { OllamaName } from './members.ts';
import { isOption, ownOptionsOf, writeOptions } from './options.ts';
import { writeThink } from './think.ts';
import { writeTools } from './tools.ts';
import { writeImage, writeMessages } from './write-messages.ts';

/** Undefined for a text that only makes sense as one. */
export function writeChatRequest(request: ModelRequest, target: WriteTarget): JsonObject | undefined {
  const { onDropped } = target;
  if (request.kind === 'chat') {
    const tools = writeTools(request, onDropped);
    return {
      model: request.model,
      messages: writeMessages(request.messages, onDropped),
      ...(tools !== undefined && { tools }),
      ...writeCommon(request, 'ollama-chat', target),
    };
  }
  const { raw, suffix, echo, system } = request;
  const prompt = promptOf(request);
  if (prompt === undefined || raw || suffix !== undefined || echo === true) return undefined;
  const images = imagesOf(request, onDropped);
  const user = { role: 'user', content: prompt, ...(images.length > 0 && { images }) };
  return {
    model: request.model,
    messages: system === undefined ? [user] : [{ role: 'system', content: system }, user],
    ...writeCommon(request, 'ollama-chat', target),
  };
}

/** Undefined for a conversation, and for prompts that are several or numbers. */
export function writeGenerateRequest(request: ModelRequest, target: WriteTarget): JsonObject | undefined {
  if (request.kind === 'chat' || request.echo === true) return undefined;
  const prompt = promptOf(request);
  if (prompt === undefined) return undefined;
  const { suffix, system, raw } = request;
  const images = imagesOf(request, target.onDropped);
  return {
    model: request.model,
    prompt,
    ...(suffix !== undefined && { suffix }),
    ...(system !== undefined && { system }),
    // Ollama heeds a suffix only with the model's template around it.
    ...(raw && suffix === undefined && { raw }),
    ...(images.length > 0 && { images }),
    ...writeCommon(request, 'ollama-generate', target),
  };
}

function promptOf({ prompt }: TextRequest): string | undefined {
  const only = typeof prompt !== 'string' && prompt.length === 1 ? prompt[0] : prompt;
  return typeof only === 'string' ? only : undefined;
}

function imagesOf({ images = [] }: TextRequest, onDropped: (field: string) => void): readonly string[] {
  return images.map((image) => writeImage(image, 'images[]', onDropped)).filter((data) => data !== undefined);
}

function writeCommon(request: ModelRequest, name: OllamaName, target: WriteTarget): JsonObject {
  const { onDropped } = target;
  const { stream, sampling, keepAlive, user, metadata, own } = request;
  if (user !== undefined) onDropped('user');
  if (metadata !== undefined) onDropped('metadata');
  const isOwn = request.dialect === name;
  if (!isOwn) for (const key of Object.keys(own)) onDropped(key);
  const { options: _ownOptions, ...ownRest } = own;
  const extra = writeExtra(request, name, target);
  const options = {
    ...extra.options,
    ...writeOptions(request, onDropped),
    ...(isOwn && ownOptionsOf(own)),
  };
  const think = writeThink(request.reasoning, onDropped);
  const format = writeFormat(request.format, onDropped);
  const { logprobs, topLogprobs } = sampling;
  return {
    ...extra.members,
    ...(isOwn && ownRest),
    stream,
    ...(format !== undefined && { format }),
    ...(think !== undefined && { think }),
    ...(keepAlive !== undefined && { keep_alive: keepAlive }),
    ...(logprobs !== undefined && { logprobs }),
    ...(topLogprobs !== undefined && { top_logprobs: topLogprobs }),
    ...(Object.keys(options).length > 0 && { options }),
  };
}

interface ExtraWritten {
  readonly members: JsonObject;
  readonly options: JsonObject;
}

/** Unknown members of Ollama's own clients are mostly options that an engine once knew (`mirostat`): there they go. */
function writeExtra(
  request: ModelRequest,
  name: OllamaName,
  { habits, onDropped }: WriteTarget,
): ExtraWritten {
  const asOptions = isOllamaName(request.dialect);
  const written: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(request.extra)) {
    const isTaken = asOptions ? isOption(key) : members[name].has(key) || ownMembers[name].has(key);
    if (isTaken || habits.unknownMembers === 'refused') onDropped(key);
    else written[key] = value;
  }
  return asOptions ? { members: {}, options: written } : { members: written, options: {} };
}

function writeFormat(format: OutputFormat | undefined, onDropped: (field: string) => void): unknown {
  if (format?.kind !== 'schema') return format?.kind === 'json' ? 'json' : undefined;
  if (format.name !== undefined) onDropped('format.name');
  if (format.description !== undefined) onDropped('format.description');
  return format.schema;
}
