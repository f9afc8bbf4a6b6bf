/** Takes the tools out of a request, for models that cannot call any. What was called before is told in words. */
import type { Message, Part, ToolCallPart, ToolResultPart } from '../ir/parts.ts';
import type { ChatRequest } from '../ir/request.ts';

/**
 * Neither tools nor calls nor results remain: templates without tools would show nothing of them, or fail. A call becomes
 * text of the assistant, its result text of the user, because templates want the two to take turns. undefined = there is
 * nothing of it.
 */
export function withoutTools(request: ChatRequest): ChatRequest | undefined {
  const { tools, toolChoice: _choice, parallelToolCalls: _parallel, ...rest } = request;
  const isUsed = request.messages.some(({ parts }) => parts.some(isOfTool));
  if (tools === undefined && !isUsed) return undefined;
  return isUsed ? { ...rest, messages: inWords(request.messages) } : rest;
}

function isOfTool({ kind }: Part): boolean {
  return kind === 'toolCall' || kind === 'toolResult';
}

function inWords(messages: readonly Message[]): readonly Message[] {
  const told: Message[] = [];
  const names = new Map<string, string>();
  /** Results since the last message of another role. */
  let results: Part[] = [];
  const tellResults = (): void => {
    if (results.length > 0) told.push({ role: 'user', parts: results });
    results = [];
  };
  for (const message of messages) {
    for (const part of message.parts) if (part.kind === 'toolCall') names.set(part.id, part.name);
    if (message.role === 'tool') {
      results.push(...message.parts.flatMap((part) => (isResult(part) ? resultInWords(part, names) : part)));
    } else if (message.role === 'user') {
      told.push({ ...message, parts: [...results, ...message.parts] });
      results = [];
    } else {
      tellResults();
      told.push({
        ...message,
        parts: message.parts.map((part) => (isCall(part) ? callInWords(part) : part)),
      });
    }
  }
  tellResults();
  return told;
}

function isCall(part: Part): part is ToolCallPart {
  return part.kind === 'toolCall';
}

function isResult(part: Part): part is ToolResultPart {
  return part.kind === 'toolResult';
}

function callInWords({ name, arguments: text }: ToolCallPart): Part {
  return { kind: 'text', text: `[called ${name} with ${text}]` };
}

function resultInWords(
  { callId, name, parts, isError }: ToolResultPart,
  names: ReadonlyMap<string, string>,
): readonly Part[] {
  const what = isError === true ? 'error' : 'result';
  return [{ kind: 'text', text: `[${what} of ${name ?? names.get(callId) ?? 'a tool'}:]` }, ...parts];
}
