/**
 * Writes a conversation as the Messages API wants it: the system prompt apart, results of tools and the user's words after
 * them in one message, no empty blocks. Other messages in a row stay apart: the service joins those of one role itself.
 */
import type { WriteTarget } from '../dialect.ts';
import { isObject } from '../ir/fields.ts';
import type { Message, OpaquePart, Part, ReasoningPart, ToolResultPart } from '../ir/parts.ts';
import type { JsonObject } from '../ir/request.ts';
import { writeContentPart } from './blocks.ts';
import { dialectName } from './name.ts';
import { writeToolId } from './tool-ids.ts';
import { toolInputOf } from './tool-input.ts';

type Blocks = JsonObject[];

export interface WrittenMessages {
  readonly system?: string | Blocks;
  readonly messages: readonly JsonObject[];
}

/** A message with results of tools, to which the user's next words belong. */
interface Results {
  readonly role: 'user';
  readonly content: Blocks;
}

export function writeMessages(messages: readonly Message[], target: WriteTarget): WrittenMessages {
  const first = messages.findIndex(({ role }) => role !== 'system' && role !== 'developer');
  const leading = first === -1 ? messages : messages.slice(0, first);
  const system = leading.flatMap((message) => writeParts(message, target));
  const written: JsonObject[] = [];
  let results: Results | undefined;
  for (const message of messages.slice(leading.length)) {
    const blocks = writeParts(message, target);
    if (blocks.length === 0) continue;
    if (message.role === 'tool') {
      if (results === undefined) written.push((results = { role: 'user', content: [] }));
      results.content.push(...blocks);
    } else if (message.role === 'user' && results !== undefined) {
      results.content.push(...blocks);
      results = undefined;
    } else {
      results = undefined;
      written.push({ role: roleOf(message), content: shortest(blocks) });
    }
  }
  return { ...(system.length > 0 && { system: shortest(system) }), messages: written };
}

/** Instructions in the middle stay where they are (beta): moved to the front they would change what is cached. */
function roleOf({ role }: Message): string {
  return role === 'assistant' || role === 'user' ? role : 'system';
}

/** A single text needs no block. */
function shortest(blocks: Blocks): string | Blocks {
  const [only, second] = blocks;
  const text = second === undefined && only?.['type'] === 'text' ? only['text'] : undefined;
  return typeof text === 'string' ? text : blocks;
}

function writeParts(message: Message, target: WriteTarget): Blocks {
  if (message.name !== undefined) target.onDropped('messages[].name');
  return message.parts.flatMap((part) => writePart(part, target));
}

function writePart(part: Part, target: WriteTarget): readonly JsonObject[] {
  switch (part.kind) {
    case 'text':
    case 'image':
    case 'document': {
      const block = writeContentPart(part, target);
      return block === undefined ? [] : [block];
    }
    case 'refusal':
      return part.text === '' ? [] : [{ type: 'text', text: part.text }];
    case 'reasoning':
      return writeReasoning(part);
    case 'toolCall': {
      const input = toolInputOf(part.arguments, part.custom);
      return [{ type: 'tool_use', id: writeToolId(part.id), name: part.name, input }];
    }
    case 'toolResult':
      return [writeResult(part, target)];
    case 'audio':
      target.onDropped('messages[].content[].audio');
      return [];
    case 'opaque':
      return writeOpaque(part, target);
  }
}

/** Engines make no signatures and check none, so that an empty one passes; the member itself is required. */
export function writeReasoning({ text, signature, encrypted }: ReasoningPart): readonly JsonObject[] {
  const blocks: JsonObject[] = [];
  if (text !== '' || signature !== undefined) {
    blocks.push({ type: 'thinking', thinking: text, signature: signature ?? '' });
  }
  if (encrypted !== undefined) blocks.push({ type: 'redacted_thinking', data: encrypted });
  return blocks;
}

function writeResult(part: ToolResultPart, target: WriteTarget): JsonObject {
  const blocks = part.parts.flatMap((inner) => writePart(inner, target));
  return {
    type: 'tool_result',
    tool_use_id: writeToolId(part.callId),
    ...(blocks.length > 0 && { content: shortest(blocks) }),
    ...(part.isError !== undefined && { is_error: part.isError }),
  };
}

function writeOpaque({ dialect, type, value }: OpaquePart, target: WriteTarget): readonly JsonObject[] {
  if (dialect === dialectName && isObject(value)) return [value];
  target.onDropped(`messages[].content[].${type}`);
  return [];
}
