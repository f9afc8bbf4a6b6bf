/** Reads the messages of a chat completion, and writes single ones; `conversation.ts` decides on their order. */
import {
  isObject,
  optionalObjects,
  optionalString,
  pathOf,
  requiredObject,
  requiredString,
} from '../ir/fields.ts';
import type { Place } from '../ir/fields.ts';
import type { Message, Part, ToolCallPart, ToolResultPart } from '../ir/parts.ts';
import { RequestShapeError } from '../ir/request-shape-error.ts';
import type { JsonObject } from '../ir/request.ts';
import { tryStringify } from '../openai/try-stringify.ts';
import { readPart } from './content.ts';

/** Every message of the conversation. @throws RequestShapeError */
export function readMessages(places: readonly Place[]): readonly Message[] {
  const calls = new CallsSoFar();
  return places.map((place) => readMessage(place, calls));
}

/** What a tool result may answer. */
class CallsSoFar {
  readonly #ids = new Set<string>();
  /** Ids of calls in the older form, which has none, by the name of their function. */
  readonly #legacyIds = new Map<string, string>();

  add(call: ToolCallPart): ToolCallPart {
    this.#ids.add(call.id);
    return call;
  }

  addLegacy(name: string, text: string): ToolCallPart {
    const id = `call_${this.#ids.size}`;
    this.#legacyIds.set(name, id);
    return this.add({ kind: 'toolCall', id, name, arguments: text });
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  legacyId(name: string): string | undefined {
    return this.#legacyIds.get(name);
  }
}

function readMessage(place: Place, calls: CallsSoFar): Message {
  const role = requiredString(place, 'role');
  const name = optionalString(place, 'name');
  const named = name !== undefined && { name };
  switch (role) {
    case 'system':
    case 'developer':
    case 'user':
      if ((place.fields['content'] ?? undefined) === undefined) {
        throw new RequestShapeError(pathOf(place, 'content'), 'is required');
      }
      return { role, parts: readContent(place, partsOfRole[role]), ...named };
    case 'assistant':
      return { role, parts: readAssistant(place, calls), ...named };
    case 'tool':
      return { role, parts: [readResult(place, calls)] };
    case 'function':
      return { role: 'tool', parts: [readLegacyResult(place, calls)] };
    default:
      throw new RequestShapeError(
        pathOf(place, 'role'),
        'must be system, developer, user, assistant or tool',
      );
  }
}

type PartKinds = ReadonlySet<Part['kind']>;

const partsOfRole = {
  system: new Set(['text']),
  developer: new Set(['text']),
  user: new Set(['text', 'image', 'audio', 'document', 'opaque']),
  assistant: new Set(['text', 'refusal', 'reasoning']),
  // Texts only, by the API; engines take images as well.
  tool: new Set(['text', 'image', 'document']),
} as const satisfies Readonly<Record<string, PartKinds>>;

function readContent(place: Place, allowed: PartKinds): readonly Part[] {
  const content = place.fields['content'] ?? undefined;
  if (content === undefined || content === '') return [];
  if (typeof content === 'string') return [{ kind: 'text', text: content }];
  if (!Array.isArray(content)) {
    throw new RequestShapeError(pathOf(place, 'content'), 'must be a string or a list of parts');
  }
  return (optionalObjects(place, 'content') ?? []).map((part) => {
    const read = readPart(part);
    if (allowed.has(read.kind)) return read;
    throw new RequestShapeError(pathOf(part, 'type'), 'cannot be in a message of this role');
  });
}

function readAssistant(place: Place, calls: CallsSoFar): readonly Part[] {
  const parts: Part[] = [];
  const reasoning = optionalString(place, 'reasoning_content') ?? optionalString(place, 'reasoning');
  if (reasoning !== undefined && reasoning !== '') parts.push({ kind: 'reasoning', text: reasoning });
  parts.push(...readContent(place, partsOfRole.assistant));
  const refusal = optionalString(place, 'refusal');
  if (refusal !== undefined && refusal !== '') parts.push({ kind: 'refusal', text: refusal });
  const { audio } = place.fields;
  if (isObject(audio)) parts.push({ kind: 'opaque', dialect: 'openai-chat', type: 'audio', value: audio });
  for (const call of optionalObjects(place, 'tool_calls') ?? []) parts.push(calls.add(readCall(call)));
  const legacy = place.fields['function_call'];
  if (isObject(legacy)) {
    const call = { fields: legacy, path: pathOf(place, 'function_call') };
    parts.push(calls.addLegacy(requiredString(call, 'name'), readArguments(call)));
  }
  return parts;
}

function readCall(place: Place): ToolCallPart {
  const id = requiredString(place, 'id');
  if (id === '') throw new RequestShapeError(pathOf(place, 'id'), 'must not be empty');
  const type = optionalString(place, 'type') ?? 'function';
  if (type === 'custom') {
    const custom = requiredObject(place, 'custom');
    const text = requiredString(custom, 'input');
    return { kind: 'toolCall', id, name: requiredString(custom, 'name'), arguments: text, custom: true };
  }
  if (type !== 'function') throw new RequestShapeError(pathOf(place, 'type'), 'must be function or custom');
  const body = requiredObject(place, 'function');
  return { kind: 'toolCall', id, name: requiredString(body, 'name'), arguments: readArguments(body) };
}

/** Text that should hold JSON. Some clients leave it empty or send the object itself. */
function readArguments(place: Place): string {
  const value = place.fields['arguments'];
  if (!isObject(value)) return optionalString(place, 'arguments') || '{}';
  const text = tryStringify(value);
  if (text === undefined) throw new RequestShapeError(pathOf(place, 'arguments'), 'nests too deeply');
  return text;
}

function readResult(place: Place, calls: CallsSoFar): ToolResultPart {
  const callId = requiredString(place, 'tool_call_id');
  if (!calls.has(callId)) {
    throw new RequestShapeError(pathOf(place, 'tool_call_id'), 'answers no tool call of the messages before');
  }
  return toolResult(place, callId, optionalString(place, 'name'));
}

function readLegacyResult(place: Place, calls: CallsSoFar): ToolResultPart {
  const name = requiredString(place, 'name');
  const callId = calls.legacyId(name);
  if (callId === undefined) {
    throw new RequestShapeError(pathOf(place, 'name'), 'answers no function call of the messages before');
  }
  return toolResult(place, callId, name);
}

function toolResult(place: Place, callId: string, name: string | undefined): ToolResultPart {
  const parts = readContent(place, partsOfRole.tool) as ToolResultPart['parts'];
  return { kind: 'toolResult', callId, parts, ...(name !== undefined && { name }) };
}

/** An entry of `tool_calls`, of a request or of an answer. */
export function writeCall({ id, name, arguments: text, custom }: ToolCallPart): JsonObject {
  return custom === true
    ? { id, type: 'custom', custom: { name, input: text } }
    : { id, type: 'function', function: { name, arguments: text } };
}
