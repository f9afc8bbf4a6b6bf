/** From messages to the items of a request's `input`. Says what they cannot carry; knows no other members of a request. */
import type { WriteTarget } from '../dialect.ts';
import type { Message, Part, ReasoningPart, RefusalPart, TextPart, ToolResultPart } from '../ir/parts.ts';
import type { JsonObject } from '../ir/request.ts';
import { writeInputPart, writeSpokenPart } from './content.ts';
import { dialectName } from './name.ts';

export function writeItems(messages: readonly Message[], target: WriteTarget): readonly JsonObject[] {
  const writer = new ItemWriter(target);
  for (const message of messages) writer.write(message);
  return writer.items;
}

class ItemWriter {
  readonly items: JsonObject[] = [];
  readonly #onDropped: (field: string) => void;
  readonly #customCalls = new Set<string>();
  #thoughts = 0;

  constructor({ onDropped }: WriteTarget) {
    this.#onDropped = onDropped;
  }

  write(message: Message): void {
    if (message.name !== undefined) this.#onDropped('messages[].name');
    if (message.role === 'assistant') this.#writeAssistant(message);
    else if (message.role === 'tool') for (const part of message.parts) this.#writeResult(part);
    else {
      const content = message.parts.flatMap((part) => this.#writeInput(part));
      if (content.length > 0) this.items.push({ type: 'message', role: message.role, content });
    }
  }

  /** In the order of the parts; texts in a row are one item. */
  #writeAssistant({ parts }: Message): void {
    let spoken: (TextPart | RefusalPart)[] = [];
    const speak = () => {
      if (spoken.length > 0) this.items.push(writeSpoken(spoken));
      spoken = [];
    };
    for (const part of parts) {
      if (part.kind === 'text' || part.kind === 'refusal') spoken.push(part);
      else {
        speak();
        this.#writeOther(part);
      }
    }
    speak();
  }

  #writeOther(part: Exclude<Part, TextPart | RefusalPart>): void {
    switch (part.kind) {
      case 'reasoning':
        this.items.push(this.#writeReasoning(part));
        return;
      case 'toolCall': {
        const { id, name, arguments: text, custom = false } = part;
        if (custom) this.#customCalls.add(id);
        const call = { call_id: id, name };
        this.items.push(
          custom
            ? { type: 'custom_tool_call', ...call, input: text }
            : { type: 'function_call', ...call, arguments: text },
        );
        return;
      }
      case 'opaque':
        if (part.dialect === dialectName) this.items.push(part.value as JsonObject);
        else this.#onDropped(`messages[].content[].${part.type}`);
        return;
      case 'image':
      case 'audio':
      case 'document':
      case 'toolResult':
        this.#onDropped(`messages[].content[].${part.kind}`);
    }
  }

  /** The service wants an id and a list of summaries, even where there are none. */
  #writeReasoning({ text, signature, encrypted }: ReasoningPart): JsonObject {
    if (signature !== undefined) this.#onDropped('messages[].content[].signature');
    this.#thoughts += 1;
    return {
      type: 'reasoning',
      id: `rs_${this.#thoughts}`,
      summary: [],
      ...(text !== '' && { content: [{ type: 'reasoning_text', text }] }),
      ...(encrypted !== undefined && { encrypted_content: encrypted }),
    };
  }

  #writeResult(part: Part): void {
    if (part.kind !== 'toolResult') return;
    if (part.isError === true) this.#onDropped('messages[].content[].is_error');
    const isCustom = this.#customCalls.has(part.callId);
    this.items.push({
      type: isCustom ? 'custom_tool_call_output' : 'function_call_output',
      call_id: part.callId,
      output: this.#writeOutput(part),
    });
  }

  #writeOutput({ parts }: ToolResultPart): unknown {
    const [first] = parts;
    if (parts.length === 1 && first?.kind === 'text') return first.text;
    return parts.flatMap((part) => this.#writeInput(part));
  }

  #writeInput(part: Part): readonly JsonObject[] {
    const written = writeInputPart(part);
    if (written !== undefined) return [written];
    this.#onDropped(`messages[].content[].${part.kind === 'opaque' ? part.type : part.kind}`);
    return [];
  }
}

function writeSpoken(parts: readonly (TextPart | RefusalPart)[]): JsonObject {
  return { type: 'message', role: 'assistant', status: 'completed', content: parts.map(writeSpokenPart) };
}
