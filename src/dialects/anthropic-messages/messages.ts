/**
 * Reads the conversation of a request. A user's message with results of tools becomes one message per result and then
 * the rest of it. Owns the order of blocks and the pairing of calls and results.
 */
import { optionalBoolean, optionalObjects, pathOf, requiredString } from '../ir/fields.ts';
import type { Place } from '../ir/fields.ts';
import type { Message, Part, ReasoningPart, ToolCallPart, ToolResultPart } from '../ir/parts.ts';
import { RequestShapeError } from '../ir/request-shape-error.ts';
import type { Unread } from '../ir/unread.ts';
import { readContent, readContentBlock } from './blocks.ts';
import type { ContentPart } from './blocks.ts';
import { dialectName } from './name.ts';
import { readToolId } from './tool-ids.ts';
import { tryWriteToolInput } from './tool-input.ts';
import { noteUnread } from './unread.ts';

const messageMembers = new Set(['role', 'content']);
const callMembers = new Set(['type', 'id', 'name', 'input']);
const resultMembers = new Set(['type', 'tool_use_id', 'content', 'is_error']);

/** The system prompt as the first message; none where there is no text. @throws RequestShapeError */
export function readSystem(request: Place, unread: Unread): readonly Message[] {
  if ((request.fields['system'] ?? undefined) === undefined) return [];
  const parts: Part[] = [];
  readContent(request, 'system', (block) => {
    const content = block.fields['type'] === 'text' ? readContentBlock(block, unread) : undefined;
    if (content === undefined) throw new RequestShapeError(pathOf(block, 'type'), 'must be "text"');
    parts.push(...content);
  });
  return parts.some((part) => part.kind !== 'text' || part.text !== '') ? [{ role: 'system', parts }] : [];
}

/** @throws RequestShapeError */
export function readMessages(request: Place, unread: Unread): readonly Message[] {
  const places = optionalObjects(request, 'messages');
  if (places === undefined) throw new RequestShapeError('messages', 'is required');
  if (places.length === 0) throw new RequestShapeError('messages', 'must hold at least one message');
  const messages: Message[] = [];
  const calls = new OpenCalls();
  for (const place of places) {
    noteUnread(place, messageMembers, unread);
    const role = requiredString(place, 'role');
    if (role === 'user') messages.push(...readUserMessage(place, calls, unread));
    else if (role === 'assistant') messages.push(readAssistantMessage(place, calls, unread));
    else if (role === 'system') messages.push(...readSystemMessage(place, unread));
    else throw new RequestShapeError(pathOf(place, 'role'), 'must be "user", "assistant" or "system"');
  }
  return messages;
}

/** Calls of the assistant's last turn that have no result yet. Messages of one role in a row are one turn. */
class OpenCalls {
  readonly #ids = new Set<string>();
  #isTurnOver = false;

  beginAssistant(): void {
    if (this.#isTurnOver) this.#ids.clear();
    this.#isTurnOver = false;
  }

  beginUser(): void {
    this.#isTurnOver = true;
  }

  open(id: string): void {
    this.#ids.add(id);
  }

  /** False for a call that there was not, or that has its result. */
  close(id: string): boolean {
    return this.#ids.delete(id);
  }
}

/** Results come first, whatever stood before them: every chat template wants them right after their calls. */
function readUserMessage(place: Place, calls: OpenCalls, unread: Unread): readonly Message[] {
  const results: Message[] = [];
  const parts: Part[] = [];
  calls.beginUser();
  readContent(place, 'content', (block) => {
    const type = block.fields['type'];
    if (type === 'tool_result') {
      results.push({ role: 'tool', parts: [readResult(block, calls, unread)] });
    } else if (type === 'tool_use' || type === 'thinking' || type === 'redacted_thinking') {
      throw new RequestShapeError(pathOf(block, 'type'), `"${type}" belongs into messages of the assistant`);
    } else parts.push(...(readContentBlock(block, unread) ?? [opaque(block)]));
  });
  return parts.length === 0 && results.length > 0 ? results : [...results, { role: 'user', parts }];
}

function readAssistantMessage(place: Place, calls: OpenCalls, unread: Unread): Message {
  const parts: Part[] = [];
  calls.beginAssistant();
  readContent(place, 'content', (block) => {
    switch (block.fields['type']) {
      case 'tool_use': {
        const call = readCall(block, unread);
        calls.open(call.id);
        parts.push(call);
        return;
      }
      case 'thinking':
        parts.push(readThought(block));
        return;
      case 'redacted_thinking':
        parts.push({ kind: 'reasoning', text: '', encrypted: requiredString(block, 'data') });
        return;
      case 'tool_result':
        throw new RequestShapeError(pathOf(block, 'type'), '"tool_result" belongs into messages of the user');
      default:
        parts.push(...(readContentBlock(block, unread) ?? [opaque(block)]));
    }
  });
  return { role: 'assistant', parts };
}

/** Instructions in the middle of a conversation (beta). They may be nothing but settings. */
function readSystemMessage(place: Place, unread: Unread): readonly Message[] {
  if ((place.fields['content'] ?? undefined) === undefined) return [];
  const parts: Part[] = [];
  readContent(place, 'content', (block) => {
    const content = block.fields['type'] === 'text' ? readContentBlock(block, unread) : undefined;
    parts.push(...(content ?? [opaque(block)]));
  });
  return [{ role: 'system', parts }];
}

function readThought(block: Place): ReasoningPart {
  const text = requiredString(block, 'thinking');
  const signature = block.fields['signature'] ?? '';
  if (typeof signature !== 'string') {
    throw new RequestShapeError(pathOf(block, 'signature'), 'must be a string');
  }
  return { kind: 'reasoning', text, ...(signature !== '' && { signature }) };
}

function readCall(block: Place, unread: Unread): ToolCallPart {
  noteUnread(block, callMembers, unread);
  const input = block.fields['input'] ?? {};
  if (typeof input !== 'object' || Array.isArray(input)) {
    throw new RequestShapeError(pathOf(block, 'input'), 'must be an object');
  }
  const text = tryWriteToolInput(input);
  if (text === undefined) throw new RequestShapeError(pathOf(block, 'input'), 'nests too deep');
  return {
    kind: 'toolCall',
    id: readToolId(filledString(block, 'id')),
    name: filledString(block, 'name'),
    arguments: text,
  };
}

function readResult(block: Place, calls: OpenCalls, unread: Unread): ToolResultPart {
  noteUnread(block, resultMembers, unread);
  const callId = readToolId(filledString(block, 'tool_use_id'));
  if (!calls.close(callId)) {
    throw new RequestShapeError(
      pathOf(block, 'tool_use_id'),
      'must be the id of a tool_use block of the previous message that has no other tool_result',
    );
  }
  const parts: ContentPart[] = [];
  if ((block.fields['content'] ?? '') !== '') {
    readContent(block, 'content', (inner) => {
      parts.push(...(readContentBlock(inner, unread) ?? [asText(inner, unread)]));
    });
  }
  const isError = optionalBoolean(block, 'is_error');
  return { kind: 'toolResult', callId, parts, ...(isError !== undefined && { isError }) };
}

/** References to tools, states of browsers: the model is to see them, and text is all that other APIs have for it. */
function asText(block: Place, unread: Unread): ContentPart {
  const type = requiredString(block, 'type');
  noteUnread({ fields: { [type]: true }, path: block.path }, new Set(), unread);
  const text = tryWriteToolInput(block.fields);
  if (text === undefined) throw new RequestShapeError(block.path, 'nests too deep');
  return { kind: 'text', text };
}

function filledString(place: Place, key: string): string {
  const value = requiredString(place, key);
  if (value === '') throw new RequestShapeError(pathOf(place, key), 'must not be empty');
  return value;
}

function opaque(block: Place): Part {
  return {
    kind: 'opaque',
    dialect: dialectName,
    type: requiredString(block, 'type'),
    value: block.fields,
  };
}
