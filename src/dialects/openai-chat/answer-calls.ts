/**
 * Reads tool calls of a choice, whole or in pieces, also from engines that do not say which call a piece belongs to. The
 * rules stand at `AnswerCalls`.
 */
import { isObject, objectsOf, textOf } from '../ir/fields.ts';
import type { JsonObject } from '../ir/request.ts';
import type { ChoiceContext } from '../openai/answer-reader.ts';
import { tryStringify } from '../openai/try-stringify.ts';
import { JsonExtent } from './json-extent.ts';

interface Call {
  /** Index in the events; undefined = its name has not come, so nobody knows of it. */
  number: number | undefined;
  readonly id: string;
  /** The engine numbers it; else only its id tells it from others. */
  readonly hasIndex: boolean;
  name: string;
  custom: boolean;
  /** Arguments that came before the name. */
  held: string;
  readonly extent: JsonExtent;
}

interface Piece {
  readonly index: number | undefined;
  readonly id: string;
  readonly name: string;
  readonly custom: boolean;
  readonly text: string;
}

/** Characters of arguments that wait for their name. */
const heldLengthMax = 1_048_576;

/**
 * A piece with an index belongs to the call of that index; one without to the call of its id, else to the last call. A
 * piece without a name always goes on with its call. One with a name begins a new call, unless
 * - the arguments of its call have begun and are not whole: some engines repeat id and name in every piece;
 * - its call is whole and it says the same again: some engines repeat whole calls in their last chunk;
 * - its call has the same id or, at the same index, the same name, and no arguments yet.
 *
 * A new id without an index begins a new call whatever came of the last one.
 */
export class AnswerCalls {
  readonly #context: ChoiceContext;
  readonly #byIndex = new Map<number, Call>();
  readonly #byId = new Map<string, Call>();
  readonly #calls: Call[] = [];
  /** As the events tell them. */
  readonly #usedIds = new Set<string>();
  #begun = 0;

  constructor(context: ChoiceContext) {
    this.#context = context;
  }

  /** True when a call has begun. */
  get any(): boolean {
    return this.#begun > 0;
  }

  /** `tool_calls` of a delta. */
  readPieces(value: unknown): void {
    for (const entry of objectsOf(value)) this.#take(this.#pieceOf(entry));
  }

  /** `tool_calls` of a message, where the place in the list is the index. */
  readWhole(value: unknown): void {
    for (const [index, entry] of objectsOf(value).entries()) this.#take({ ...this.#pieceOf(entry), index });
  }

  /** The older `function_call`: one call, without id or index. */
  readFunctionCall(value: unknown): void {
    if (isObject(value)) this.#take({ ...this.#pieceOf({ function: value }), index: 0 });
  }

  /** The answer is complete. `isCut`: it ran out of tokens, so a call may be without its end. */
  end(isCut: boolean): void {
    for (const call of this.#calls) {
      if (call.number === undefined) this.#context.onRepair('toolNameMissing');
      else if (call.extent.isEmpty && !call.custom && !isCut) {
        this.#context.onRepair('argumentsMissing');
        this.#emitText(call.number, '{}');
      }
    }
  }

  #pieceOf(entry: JsonObject): Piece {
    const { index } = entry;
    const custom = isObject(entry['custom']) ? entry['custom'] : undefined;
    const body = custom ?? (isObject(entry['function']) ? entry['function'] : entry);
    return {
      index: typeof index === 'number' && Number.isInteger(index) ? index : undefined,
      id: textOf(entry['id']),
      name: textOf(body['name']),
      custom: custom !== undefined,
      text: this.#textOf(custom === undefined ? body['arguments'] : body['input']),
    };
  }

  #textOf(value: unknown): string {
    if (typeof value === 'string') return value;
    if (typeof value !== 'object' || value === null) return '';
    this.#context.onRepair('argumentsAsObject');
    return tryStringify(value) ?? '';
  }

  #take(piece: Piece): void {
    const call = this.#callFor(piece);
    if (call === undefined) return;
    if (call.number === undefined && piece.name !== '') this.#begin(call, piece);
    if (piece.text === '') return;
    if (call.number === undefined) {
      if (call.held.length < heldLengthMax) call.held += piece.text;
      return;
    }
    call.extent.push(piece.text);
    this.#emitText(call.number, piece.text);
  }

  /** undefined = the piece says again what was said. */
  #callFor(piece: Piece): Call | undefined {
    const known = this.#knownFor(piece);
    if (known === undefined) return this.#open(piece);
    if (piece.name === '' || known.number === undefined) return known;
    const isSameId = piece.id !== '' && piece.id === known.id;
    const isOtherId = piece.id !== '' && known.id !== '' && !isSameId;
    const hasIndex = piece.index !== undefined;
    if (known.extent.isWhole) {
      if (isSameId || (!isOtherId && hasIndex && known.extent.equals(piece.text))) {
        this.#context.onRepair('toolCallRepeated');
        return undefined;
      }
      return this.#open(piece);
    }
    if (!hasIndex && piece.id !== '' && !isSameId) return this.#open(piece);
    if (!known.extent.isEmpty || isSameId) return known;
    return hasIndex && !isOtherId && piece.name === known.name ? known : this.#open(piece);
  }

  #knownFor({ index, id }: Piece): Call | undefined {
    const ofId = this.#byId.get(id);
    if (index !== undefined) return this.#byIndex.get(index) ?? (ofId?.hasIndex === false ? ofId : undefined);
    this.#context.onRepair('toolIndexMissing');
    return ofId ?? this.#calls.at(-1);
  }

  #open({ index, id, custom }: Piece): Call {
    const call: Call = {
      number: undefined,
      id,
      hasIndex: index !== undefined,
      name: '',
      custom,
      held: '',
      extent: new JsonExtent(),
    };
    this.#calls.push(call);
    if (id !== '') this.#byId.set(id, call);
    if (index !== undefined) {
      if (this.#byIndex.has(index)) this.#context.onRepair('toolIndexRepeated');
      this.#byIndex.set(index, call);
    }
    return call;
  }

  #begin(call: Call, piece: Piece): void {
    const { index: choice, onEvent } = this.#context;
    call.number = this.#begun;
    this.#begun += 1;
    call.name = piece.name;
    call.custom ||= piece.custom;
    const id = this.#usableId(call.id || piece.id, call.number);
    this.#usedIds.add(id);
    onEvent({
      kind: 'toolCall',
      choice,
      call: call.number,
      id,
      name: call.name,
      ...(call.custom && { custom: true }),
    });
    if (call.held === '') return;
    call.extent.push(call.held);
    this.#emitText(call.number, call.held);
    call.held = '';
  }

  #emitText(call: number, text: string): void {
    this.#context.onEvent({ kind: 'toolArguments', choice: this.#context.index, call, text });
  }

  #usableId(id: string, call: number): string {
    if (id !== '' && !this.#usedIds.has(id)) return id;
    this.#context.onRepair(id === '' ? 'toolIdMissing' : 'toolIdRepeated');
    return this.#ownId(call);
  }

  /** Unique in a conversation, as far as the engine's ids of answers are; of letters that every API takes. */
  #ownId(call: number): string {
    const answer = this.#context.answerId().replaceAll(/[^\w-]/g, '_');
    return `call_${answer === '' ? '' : `${answer}_`}${this.#context.index}_${call}`;
  }
}
