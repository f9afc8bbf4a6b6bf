/**
 * Puts a chat completion together. One thing is not in a stream: the text of a tool call that `max_tokens` cut before its
 * name was complete; llama-server's whole answer shows it as content, here the content is empty.
 */
import { Envelope } from './envelope.ts';
import { inOrder, isFields, toFieldsList, toIndex, toText } from './fields.ts';
import type { AnswerParts, Fields } from './fields.ts';

interface ToolCall {
  type: unknown;
  id: unknown;
  name: string;
  arguments: string;
}

interface Choice {
  readonly index: number;
  role: unknown;
  content: string;
  reasoning: string | undefined;
  finishReason: unknown;
  readonly toolCalls: Map<number, ToolCall>;
}

export function createChatParts(): AnswerParts {
  const envelope = new Envelope();
  const choices = new Map<number, Choice>();
  return {
    add(event) {
      envelope.add(event);
      for (const part of toFieldsList(event['choices'])) {
        const index = toIndex(part['index']);
        const choice = choices.get(index) ?? {
          index,
          role: 'assistant',
          content: '',
          reasoning: undefined,
          finishReason: undefined,
          toolCalls: new Map<number, ToolCall>(),
        };
        choices.set(index, choice);
        if (isFields(part['delta'])) addDelta(choice, part['delta']);
        choice.finishReason = part['finish_reason'] ?? choice.finishReason;
      }
    },
    finish() {
      const whole = inOrder(choices);
      if (whole.length === 0 || whole.some((choice) => choice.finishReason === undefined)) return undefined;
      return envelope.wrap('chat.completion', whole.map(toChoice));
    },
  };
}

function addDelta(choice: Choice, delta: Fields): void {
  choice.role = delta['role'] ?? choice.role;
  choice.content += toText(delta['content']);
  if (typeof delta['reasoning_content'] === 'string') {
    choice.reasoning = (choice.reasoning ?? '') + delta['reasoning_content'];
  }
  for (const part of toFieldsList(delta['tool_calls'])) {
    const index = toIndex(part['index']);
    const call = choice.toolCalls.get(index) ?? { type: 'function', id: '', name: '', arguments: '' };
    choice.toolCalls.set(index, call);
    call.type = part['type'] ?? call.type;
    call.id = part['id'] ?? call.id;
    if (!isFields(part['function'])) continue;
    call.name += toText(part['function']['name']);
    call.arguments += toText(part['function']['arguments']);
  }
}

function toChoice(choice: Choice): Fields {
  const toolCalls = inOrder(choice.toolCalls).map((call) => ({
    type: call.type,
    function: { name: call.name, arguments: call.arguments },
    id: call.id,
  }));
  return {
    finish_reason: choice.finishReason,
    index: choice.index,
    message: {
      role: choice.role,
      content: choice.content,
      ...(choice.reasoning === undefined ? {} : { reasoning_content: choice.reasoning }),
      ...(toolCalls.length === 0 ? {} : { tool_calls: toolCalls }),
    },
  };
}
