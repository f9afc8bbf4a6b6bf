/** Messages for Ollama's chat, written: text in one string, images and tool calls beside it. */
import type { Message, Part, Role, ToolResultPart } from '../ir/parts.ts';
import type { JsonObject } from '../ir/request.ts';
import { writeToolCall } from './tools.ts';

type OnDropped = (field: string) => void;

/** What one message of Ollama's holds, in the making. */
interface Draft {
  readonly texts: string[];
  readonly thoughts: string[];
  readonly images: string[];
  readonly calls: JsonObject[];
}

export function writeMessages(messages: readonly Message[], onDropped: OnDropped): readonly JsonObject[] {
  const names = new Map<string, string>();
  return messages.map(({ role, parts, name }) => {
    if (name !== undefined) onDropped('messages[].name');
    for (const part of parts) if (part.kind === 'toolCall') names.set(part.id, part.name);
    const [first] = parts;
    if (role === 'tool' && first?.kind === 'toolResult') {
      return writeResult(first, first.name ?? names.get(first.callId), onDropped);
    }
    return { role: roleOf(role), ...writeParts(parts, onDropped) };
  });
}

/** Templates know no developers. */
function roleOf(role: Role): string {
  return role === 'developer' ? 'system' : role;
}

function writeResult(result: ToolResultPart, name: string | undefined, onDropped: OnDropped): JsonObject {
  if (result.isError === true) onDropped('messages[].content[].toolResult.isError');
  return {
    role: 'tool',
    ...writeParts(result.parts, onDropped),
    ...(name !== undefined && { tool_name: name }),
    tool_call_id: result.callId,
  };
}

function writeParts(parts: readonly Part[], onDropped: OnDropped): JsonObject {
  const draft: Draft = { texts: [], thoughts: [], images: [], calls: [] };
  for (const part of parts) addPart(draft, part, onDropped);
  const { texts, thoughts, images, calls } = draft;
  return {
    content: texts.join('\n'),
    ...(thoughts.length > 0 && { thinking: thoughts.join('\n') }),
    ...(images.length > 0 && { images }),
    ...(calls.length > 0 && { tool_calls: calls }),
  };
}

function addPart(draft: Draft, part: Part, onDropped: OnDropped): void {
  switch (part.kind) {
    case 'text':
    case 'refusal':
      draft.texts.push(part.text);
      return;
    case 'reasoning':
      if (part.text !== '') draft.thoughts.push(part.text);
      if (part.signature !== undefined) onDropped('messages[].content[].reasoning.signature');
      if (part.encrypted !== undefined) onDropped('messages[].content[].reasoning.encrypted');
      return;
    case 'image': {
      const data = writeImage(part, 'messages[].content[]', onDropped);
      if (data !== undefined) draft.images.push(data);
      return;
    }
    case 'document':
      if (part.source.kind === 'text') draft.texts.push(textOfDocument(part.title, part.source.text));
      else onDropped('messages[].content[].document');
      return;
    case 'toolCall':
      draft.calls.push(writeToolCall(part));
      return;
    case 'audio':
      onDropped('messages[].content[].audio');
      return;
    case 'opaque':
      onDropped(`messages[].content[].${part.type}`);
      return;
    case 'toolResult':
      // A message of its own in every API that has been read properly.
      onDropped('messages[].content[].toolResult');
  }
}

/** The base64 data; undefined for what Ollama cannot get at: it fetches nothing. */
export function writeImage(
  { source, detail }: Extract<Part, { kind: 'image' }>,
  path: string,
  onDropped: OnDropped,
): string | undefined {
  if (source.kind !== 'base64') {
    onDropped(`${path}.image.${source.kind}`);
    return undefined;
  }
  if (detail !== undefined) onDropped(`${path}.image.detail`);
  return source.data;
}

function textOfDocument(title: string | undefined, text: string): string {
  return title === undefined ? text : `${title}\n\n${text}`;
}
