/**
 * From the items of a request's `input` to messages: neighbouring items of one turn of the assistant become one message,
 * outputs of tools come right after the calls they belong to. Knows no other members of a request.
 */
import { optionalString, optionalObjects, pathOf, requiredString, textOf } from '../ir/fields.ts';
import type { Place } from '../ir/fields.ts';
import type { Message, Part, ReasoningPart, Role } from '../ir/parts.ts';
import { RequestShapeError } from '../ir/request-shape-error.ts';
import type { Unread } from '../ir/unread.ts';
import { readContent, readOutput } from './content.ts';
import { dialectName } from './name.ts';
import { nameOfTool } from './tools.ts';
import { noteUnread } from './unread.ts';

/** One message of the assistant, and the outputs of its tools. */
interface Turn {
  readonly parts: Part[];
  readonly results: Message[];
  hasText: boolean;
  hasCalls: boolean;
}

interface PendingCall {
  readonly turn: Turn;
  readonly path: string;
  readonly isCustom: boolean;
}

export interface InputItems {
  readonly messages: readonly Message[];
  /** Tools that came as an item. */
  readonly tools: readonly Place[];
}

/** @throws RequestShapeError */
export function readInput(request: Place, unread: Unread): InputItems {
  const input = request.fields['input'] ?? undefined;
  if (input === undefined) throw new RequestShapeError('input', 'is required');
  if (typeof input === 'string') {
    return { messages: [{ role: 'user', parts: [{ kind: 'text', text: input }] }], tools: [] };
  }
  if (!Array.isArray(input)) throw new RequestShapeError('input', 'must be a string or a list');
  const reader = new ItemReader(unread);
  for (const item of optionalObjects(request, 'input') ?? []) reader.read(item);
  return reader.finish();
}

/** By type of the item; of those that are not taken apart there are none. */
const membersOf: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['message', new Set(['type', 'id', 'status', 'role', 'content'])],
  ['reasoning', new Set(['type', 'id', 'status', 'summary', 'content', 'encrypted_content'])],
  ['function_call', new Set(['type', 'id', 'status', 'call_id', 'name', 'namespace', 'arguments'])],
  ['custom_tool_call', new Set(['type', 'id', 'status', 'call_id', 'name', 'namespace', 'input'])],
  ['function_call_output', new Set(['type', 'id', 'status', 'call_id', 'name', 'namespace', 'output'])],
  ['custom_tool_call_output', new Set(['type', 'id', 'status', 'call_id', 'output'])],
]);

class ItemReader {
  readonly #entries: (Message | Turn)[] = [];
  readonly #tools: Place[] = [];
  /** By id of the call; without those that have their output. */
  readonly #pending = new Map<string, PendingCall>();
  /** The turn that the next item of the assistant may belong to. */
  #open: Turn | undefined;
  readonly #unread: Unread;

  constructor(unread: Unread) {
    this.#unread = unread;
  }

  read(item: Place): void {
    const type =
      optionalString(item, 'type') ?? (item.fields['role'] === undefined ? 'item_reference' : 'message');
    const members = membersOf.get(type);
    if (members !== undefined) noteUnread(item, members, this.#unread);
    switch (type) {
      case 'message':
        this.#readMessage(item);
        return;
      case 'reasoning':
        this.#readReasoning(item);
        return;
      case 'function_call':
        this.#readCall(item, { isCustom: false });
        return;
      case 'custom_tool_call':
        this.#readCall(item, { isCustom: true });
        return;
      case 'function_call_output':
      case 'custom_tool_call_output':
        this.#readResult(item);
        return;
      case 'additional_tools':
        this.#tools.push(...(optionalObjects(item, 'tools') ?? []));
        return;
      case 'item_reference':
        throw new RequestShapeError(pathOf(item, 'id'), itemMissing(requiredString(item, 'id')));
      default:
        this.#turn().parts.push({ kind: 'opaque', dialect: dialectName, type, value: item.fields });
    }
  }

  finish(): InputItems {
    for (const [id, { path, isCustom }] of this.#pending) {
      const kind = isCustom ? 'custom tool call' : 'function call';
      throw new RequestShapeError(path, `No tool output found for ${kind} ${id}.`);
    }
    const messages = this.#entries.flatMap((entry): readonly Message[] =>
      'role' in entry ? [entry] : [{ role: 'assistant', parts: entry.parts }, ...entry.results],
    );
    return { messages, tools: this.#tools };
  }

  #readMessage(item: Place): void {
    const role = roleOf(item);
    const parts = readContent(item, 'content', this.#unread);
    if (role !== 'assistant') {
      const refusal = parts.findIndex(({ kind }) => kind === 'refusal');
      if (refusal !== -1) {
        throw new RequestShapeError(
          `${pathOf(item, 'content')}[${refusal}].type`,
          'belongs to the assistant only',
        );
      }
      this.#open = undefined;
      this.#entries.push({ role, parts });
      return;
    }
    const turn = this.#turn({ isNew: this.#open?.hasText ?? false });
    turn.parts.push(...parts);
    turn.hasText = true;
  }

  #readReasoning(item: Place): void {
    const part = readReasoning(item);
    if (part === undefined) return;
    this.#turn({ isNew: this.#open !== undefined && (this.#open.hasText || this.#open.hasCalls) }).parts.push(
      part,
    );
  }

  #readCall(item: Place, { isCustom }: { readonly isCustom: boolean }): void {
    const id = nonEmpty(item, 'call_id');
    const path = pathOf(item, 'call_id');
    if (this.#pending.has(id)) throw new RequestShapeError(path, `Duplicate call_id ${id}.`);
    const name = nameOfTool(optionalString(item, 'namespace'), nonEmpty(item, 'name'));
    const text = requiredString(item, isCustom ? 'input' : 'arguments');
    const turn = this.#turn();
    turn.parts.push({ kind: 'toolCall', id, name, arguments: text, ...(isCustom && { custom: true }) });
    turn.hasCalls = true;
    this.#pending.set(id, { turn, path, isCustom });
  }

  #readResult(item: Place): void {
    const callId = nonEmpty(item, 'call_id');
    const call = this.#pending.get(callId);
    if (call === undefined) {
      const message = `No tool call found for function call output with call_id ${callId}.`;
      throw new RequestShapeError(pathOf(item, 'call_id'), message);
    }
    this.#pending.delete(callId);
    this.#open = undefined;
    call.turn.results.push({
      role: 'tool',
      parts: [{ kind: 'toolResult', callId, parts: readOutput(item, 'output', this.#unread) }],
    });
  }

  #turn({ isNew = false }: { readonly isNew?: boolean } = {}): Turn {
    if (this.#open !== undefined && !isNew) return this.#open;
    const turn: Turn = { parts: [], results: [], hasText: false, hasCalls: false };
    this.#entries.push(turn);
    this.#open = turn;
    return turn;
  }
}

/** What the real service says of an item that it does not keep. */
export function itemMissing(id: string): string {
  return `Item with id '${id}' not found. Items are not persisted when \`store\` is set to false. Try again with \`store\` set to true, or remove this item from your input.`;
}

const roles: readonly Role[] = ['user', 'assistant', 'system', 'developer'];

function roleOf(item: Place): Role {
  const name = requiredString(item, 'role');
  const role = roles.find((known) => known === name);
  if (role !== undefined) return role;
  throw new RequestShapeError(pathOf(item, 'role'), 'must be user, assistant, system or developer');
}

function nonEmpty(item: Place, key: string): string {
  const value = requiredString(item, key);
  if (value === '') throw new RequestShapeError(pathOf(item, key), 'must not be empty');
  return value;
}

/** The thoughts themselves, else their summary; undefined = there is nothing in it. */
function readReasoning(item: Place): ReasoningPart | undefined {
  const encrypted = optionalString(item, 'encrypted_content') ?? '';
  const text = textsOf(item, 'content').join('') || textsOf(item, 'summary').join('\n\n');
  if (text === '' && encrypted === '') return undefined;
  return { kind: 'reasoning', text, ...(encrypted !== '' && { encrypted }) };
}

function textsOf(item: Place, key: string): readonly string[] {
  return (optionalObjects(item, key) ?? []).map(({ fields }) => textOf(fields['text']));
}
