/** Messages of Ollama's chat, read: one content string, thoughts, images and tool calls beside it. */
import {
  isObject,
  objectsOf,
  optionalObjects,
  optionalString,
  pathOf,
  requiredString,
} from '../ir/fields.ts';
import type { Place } from '../ir/fields.ts';
import type { Message, Part, Role, TextPart, ToolResultPart } from '../ir/parts.ts';
import { RequestShapeError } from '../ir/request-shape-error.ts';
import { readImages } from './images.ts';
import { readToolCall } from './tools.ts';

const roles: ReadonlySet<string> = new Set<Role>(['system', 'developer', 'user', 'assistant', 'tool']);

function isRole(text: string): text is Role {
  return roles.has(text);
}

/** @throws RequestShapeError */
export function readMessages(request: Place): readonly Message[] {
  const places = optionalObjects(request, 'messages') ?? [];
  const calls = new CallBook(places);
  return places.map((place) => readMessage(place, calls));
}

function readMessage(place: Place, calls: CallBook): Message {
  // Ollama takes roles in capitals too.
  const role = requiredString(place, 'role').toLowerCase();
  if (!isRole(role)) {
    throw new RequestShapeError(pathOf(place, 'role'), 'must be system, user, assistant or tool');
  }
  if (role !== 'assistant') refuseAssistantMembers(place);
  const said: (TextPart | ReturnType<typeof readImages>[number])[] = [...readImages(place)];
  const content = optionalString(place, 'content') ?? '';
  if (content !== '') said.push({ kind: 'text', text: content });
  if (role === 'tool') return { role, parts: [readResult(place, said, calls)] };
  const parts: Part[] = [...said];
  const thinking = optionalString(place, 'thinking') ?? '';
  if (thinking !== '') parts.unshift({ kind: 'reasoning', text: thinking });
  for (const call of optionalObjects(place, 'tool_calls') ?? []) {
    const part = readToolCall(call, calls.idFor(optionalString(call, 'id')));
    calls.open(part.id, part.name);
    parts.push(part);
  }
  return { role, parts };
}

function refuseAssistantMembers(place: Place): void {
  const { tool_calls: calls, thinking } = place.fields;
  const hasCalls = Array.isArray(calls) ? calls.length > 0 : calls !== undefined && calls !== null;
  if (hasCalls) throw new RequestShapeError(pathOf(place, 'tool_calls'), 'belongs to the assistant alone');
  if (thinking !== undefined && thinking !== null && thinking !== '') {
    throw new RequestShapeError(pathOf(place, 'thinking'), 'belongs to the assistant alone');
  }
}

function readResult(place: Place, parts: ToolResultPart['parts'], calls: CallBook): ToolResultPart {
  const said = optionalString(place, 'tool_name') ?? optionalString(place, 'name');
  const { id, name = said } = calls.close(optionalString(place, 'tool_call_id'), said);
  return { kind: 'toolResult', callId: id, ...(name !== undefined && { name }), parts };
}

/**
 * Gives calls without an id one that is the same in each turn of a conversation, and results without an id that of the
 * call they answer: the oldest unanswered one of that name.
 */
class CallBook {
  readonly #given: ReadonlySet<string>;
  #unanswered: { readonly id: string; readonly name: string }[] = [];
  #next = 0;

  constructor(messages: readonly Place[]) {
    const ids = messages.flatMap(({ fields }) => [
      fields['tool_call_id'],
      ...objectsOf(fields['tool_calls']).map((call) => (isObject(call) ? call['id'] : undefined)),
    ]);
    this.#given = new Set(ids.filter((id) => typeof id === 'string'));
  }

  idFor(given: string | undefined): string {
    if (given !== undefined && given !== '') return given;
    let id: string;
    do {
      id = `call_${this.#next}`;
      this.#next += 1;
    } while (this.#given.has(id));
    return id;
  }

  open(id: string, name: string): void {
    this.#unanswered.push({ id, name });
  }

  /** The call that a result belongs to; a new id for a result that nobody asked for, which Ollama allows. */
  close(
    given: string | undefined,
    name: string | undefined,
  ): { readonly id: string; readonly name?: string } {
    const hasId = given !== undefined && given !== '';
    const at = this.#unanswered.findIndex((call) =>
      hasId ? call.id === given : name === undefined || call.name === name,
    );
    const [found] = at === -1 ? [] : this.#unanswered.splice(at, 1);
    return found ?? { id: this.idFor(given) };
  }
}
