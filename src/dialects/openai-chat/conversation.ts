/**
 * Writes a conversation as the messages of a chat completion, in the forms that chat templates of engines can take: see
 * the comments at each rule.
 */
import { toFunctionCall } from '../custom-tools.ts';
import type { WriteTarget } from '../dialect.ts';
import type { Message, Part, TextPart, ToolResultPart } from '../ir/parts.ts';
import type { JsonObject } from '../ir/request.ts';
import { writePart } from './content.ts';
import { writeCall } from './messages.ts';

export function writeMessages(messages: readonly Message[], target: WriteTarget): readonly JsonObject[] {
  const written: JsonObject[] = [];
  /** Images and files that tools gave: only a user's message can hold them, and it must follow all results. */
  let held: JsonObject[] = [];
  for (const message of usesTemplate(target) ? mergeSystem(messages) : messages) {
    const [result] = message.parts;
    if (result?.kind === 'toolResult') {
      const { text, media } = splitResult(result, target);
      written.push(text);
      held.push(...media);
      continue;
    }
    if (held.length > 0) written.push({ role: 'user', content: held });
    held = [];
    written.push(writeMessage(message, target));
  }
  if (held.length > 0) written.push({ role: 'user', content: held });
  return written;
}

/** True for engines that turn messages into a prompt with the model's own template. */
export function usesTemplate({ habits }: WriteTarget): boolean {
  return !habits.takesDeveloperRole;
}

/**
 * Templates refuse a second system message (Qwen 3.5: "System message must be at the beginning"), so those at the
 * beginning become one. A later one stays where it is: moved, it would mean something else.
 */
function mergeSystem(messages: readonly Message[]): readonly Message[] {
  const end = messages.findIndex(({ role }) => role !== 'system' && role !== 'developer');
  const count = end === -1 ? messages.length : end;
  if (count < 2) return messages;
  const parts = messages.slice(0, count).flatMap((message) => message.parts);
  return [{ role: 'system', parts }, ...messages.slice(count)];
}

function writeMessage({ role, parts, name }: Message, target: WriteTarget): JsonObject {
  const named = name !== undefined && { name };
  if (role === 'assistant') return { role, ...assistantMembers(parts, target), ...named };
  const isRenamed = role === 'developer' && usesTemplate(target);
  return { role: isRenamed ? 'system' : role, content: writeContent(parts, target) ?? '', ...named };
}

/** Text where text is enough; undefined = nothing is left of it. */
function writeContent(
  parts: readonly Part[],
  target: WriteTarget,
): string | readonly JsonObject[] | undefined {
  const [first] = parts;
  if (parts.length === 1 && first?.kind === 'text') return first.text;
  // Not every template takes lists, and engines that join the texts themselves do it like this.
  if (usesTemplate(target) && parts.length > 0 && parts.every(isText)) return joinTexts(parts);
  const written = parts.map((part) => writePart(part, target)).filter((part) => part !== undefined);
  return written.length === 0 ? undefined : written;
}

function assistantMembers(parts: readonly Part[], target: WriteTarget): JsonObject {
  const isTemplate = usesTemplate(target);
  const spoken = parts.filter(({ kind }) => kind !== 'reasoning' && kind !== 'toolCall').filter(isNoAudio);
  // A template shows nothing of refusals, and the model would not know that it refused.
  const content = writeContent(isTemplate ? spoken.map(refusalAsText) : spoken, target);
  const calls = parts.filter((part) => part.kind === 'toolCall');
  const audio = parts.find((part) => !isNoAudio(part));
  return {
    content: content ?? (calls.length > 0 ? null : ''),
    ...reasoningMember(parts, target),
    ...(audio?.kind === 'opaque' && { audio: audio.value }),
    ...(calls.length > 0 && {
      tool_calls: calls.map((call) =>
        writeCall(isTemplate && call.custom === true ? toFunctionCall(call) : call),
      ),
    }),
  };
}

function reasoningMember(parts: readonly Part[], { habits, onDropped }: WriteTarget): JsonObject {
  const thoughts = parts.filter((part) => part.kind === 'reasoning');
  if (thoughts.some(({ signature }) => signature !== undefined)) onDropped('messages[].content[].signature');
  if (thoughts.some(({ encrypted }) => encrypted !== undefined)) {
    onDropped('messages[].content[].encrypted_content');
  }
  const texts = thoughts.map(({ text }) => text).filter((text) => text !== '');
  return texts.length === 0 ? {} : { [habits.reasoningMember]: texts.join('\n') };
}

function splitResult(
  { callId, name, parts, isError }: ToolResultPart,
  target: WriteTarget,
): { readonly text: JsonObject; readonly media: readonly JsonObject[] } {
  if (isError === true) target.onDropped('messages[].content[].is_error');
  const texts: TextPart[] = [];
  const media: JsonObject[] = [];
  for (const part of parts) {
    const written = writePart(part, target);
    if (part.kind === 'text') texts.push(part);
    else if (written?.['type'] === 'text') texts.push({ kind: 'text', text: String(written['text']) });
    else if (written !== undefined) media.push(written);
  }
  return {
    text: {
      role: 'tool',
      tool_call_id: callId,
      ...(name !== undefined && { name }),
      content: writeContent(texts, target) ?? '',
    },
    media,
  };
}

function isText(part: Part): part is TextPart {
  return part.kind === 'text';
}

function joinTexts(parts: readonly TextPart[]): string {
  return parts.map(({ text }) => text).join('\n');
}

function refusalAsText(part: Part): Part {
  return part.kind === 'refusal' ? { kind: 'text', text: part.text } : part;
}

/** An answer of the model in sound is no part of the content but a member of the message. */
function isNoAudio(part: Part): boolean {
  return !(part.kind === 'opaque' && part.dialect === 'openai-chat' && part.type === 'audio');
}
