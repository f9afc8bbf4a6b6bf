/** Gives clients with custom tools their free text back where an engine knew the tools as functions. */
import { FreeTextReader } from '../custom-tools.ts';
import type { AnswerEvent } from '../ir/answer.ts';
import type { ToolCallPart } from '../ir/parts.ts';
import type { ModelRequest } from '../ir/request.ts';

type CallEvent = Extract<AnswerEvent, { kind: 'toolCall' }>;
type ArgumentsEvent = Extract<AnswerEvent, { kind: 'toolArguments' }>;

/** Follows the calls of one streamed answer. */
export class CustomCalls {
  readonly #names: ReadonlySet<string>;
  /** Calls whose arguments are free text; with a reader, text inside of JSON. */
  readonly #calls = new Map<string, FreeTextReader | undefined>();

  constructor(request: ModelRequest) {
    this.#names = customNames(request);
  }

  /** The call as the client knows its tool. */
  begin(event: CallEvent): CallEvent {
    const isWrapped = event.custom !== true && this.#names.has(event.name);
    if (event.custom !== true && !isWrapped) return event;
    this.#calls.set(keyOf(event), isWrapped ? new FreeTextReader() : undefined);
    return { ...event, custom: true };
  }

  isCustom(event: ArgumentsEvent): boolean {
    return this.#calls.has(keyOf(event));
  }

  /** The next piece for the client; '' = none yet. */
  textOf(event: ArgumentsEvent): string {
    const reader = this.#calls.get(keyOf(event));
    return reader === undefined ? event.text : reader.push(event.text);
  }

  /** What was held back of the calls of the choice, which is over. */
  end(choice: number): readonly { readonly call: number; readonly text: string }[] {
    return [...this.#calls].flatMap(([key, reader]) => {
      const [ofChoice, call] = key.split('.').map(Number);
      const text = ofChoice === choice ? (reader?.end() ?? '') : '';
      return text === '' || call === undefined ? [] : [{ call, text }];
    });
  }
}

/** The same for a call of a whole answer. */
export function restoreCustomCall(part: ToolCallPart, request: ModelRequest): ToolCallPart {
  if (part.custom === true || !customNames(request).has(part.name)) return part;
  const reader = new FreeTextReader();
  return { ...part, arguments: reader.push(part.arguments) + reader.end(), custom: true };
}

function customNames(request: ModelRequest): ReadonlySet<string> {
  const tools = request.kind === 'chat' ? (request.tools ?? []) : [];
  return new Set(tools.flatMap((tool) => (tool.kind === 'custom' ? [tool.name] : [])));
}

function keyOf({ choice, call }: { readonly choice: number; readonly call: number }): string {
  return `${choice}.${call}`;
}
