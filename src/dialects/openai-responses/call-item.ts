/** Writes the item of one call of a tool: JSON for a function, free text for a custom tool. */
import { FreeTextReader } from '../custom-tools.ts';
import { placeMembers, writeAdded, writeDone } from './frames.ts';
import type { ItemPlace, ItemStatus, OutputItem } from './frames.ts';

export interface CallFacts {
  readonly callId: string;
  readonly name: string;
  /** Group of the tool, where the client has one. */
  readonly namespace?: string;
  /**
   * json: a function's arguments. text: a custom tool's input. wrapped: the same from an engine that knows functions
   * only, as JSON.
   */
  readonly input: 'json' | 'text' | 'wrapped';
}

/** What a call without arguments has for them. */
const noArguments = '{}';

export class CallItem implements OutputItem {
  readonly index: number;
  readonly #place: ItemPlace;
  readonly #facts: CallFacts;
  readonly #unwrap: FreeTextReader | undefined;
  readonly #delta: string;
  readonly #members: string;
  #text = '';

  constructor(place: ItemPlace, facts: CallFacts) {
    this.#place = place;
    this.index = place.index;
    this.#facts = facts;
    this.#unwrap = facts.input === 'wrapped' ? new FreeTextReader() : undefined;
    this.#delta =
      facts.input === 'json' ? 'response.function_call_arguments' : 'response.custom_tool_call_input';
    this.#members = placeMembers(place);
  }

  /** Nothing more can come for it. Asked when another item begins. */
  get isWhole(): boolean {
    if (this.#unwrap !== undefined) return this.#unwrap.isWhole;
    return this.#facts.input === 'json' && isJson(this.#text);
  }

  begin(): string {
    return writeAdded(this.#place, this.toJson('in_progress'));
  }

  args(piece: string): string {
    return this.#write(this.#unwrap === undefined ? piece : this.#unwrap.push(piece));
  }

  end(status: ItemStatus): string {
    const isEmpty = this.#facts.input === 'json' && this.#text === '' && status === 'completed';
    const rest = this.#write(isEmpty ? noArguments : (this.#unwrap?.end() ?? ''));
    const name = this.#facts.input === 'json' ? 'arguments' : 'input';
    const text = `${this.#members},"${name}":${JSON.stringify(this.#text)}`;
    const whole = this.#place.frames.write(`${this.#delta}.done`, text);
    return rest + whole + writeDone(this.#place, this.toJson(status));
  }

  toJson(status: ItemStatus): object {
    const { callId, name, namespace, input } = this.#facts;
    const isFunction = input === 'json';
    return {
      id: this.#place.id,
      type: isFunction ? 'function_call' : 'custom_tool_call',
      status,
      [isFunction ? 'arguments' : 'input']: this.#text,
      call_id: callId,
      name,
      ...(namespace !== undefined && { namespace }),
    };
  }

  #write(text: string): string {
    if (text === '') return '';
    this.#text += text;
    return this.#place.frames.write(
      `${this.#delta}.delta`,
      `${this.#members},"delta":${JSON.stringify(text)}`,
    );
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
