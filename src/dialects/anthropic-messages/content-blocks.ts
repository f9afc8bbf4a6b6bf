/**
 * Content blocks of a streamed message, as frames. One is open at a time: while a tool call lacks the end of its JSON, all
 * that comes after it waits in order. Knows blocks, not messages.
 */
import type { AnswerEvent } from '../ir/answer.ts';
import type { JsonObject } from '../ir/request.ts';
import { JsonEnd } from '../../base/json-end.ts';
import { writeToolId } from './tool-ids.ts';
import { freeTextMember } from './tool-input.ts';

interface Block {
  readonly kind: 'text' | 'thinking' | 'call' | 'whole';
  /** JSON of the block as it starts. */
  readonly start: string;
  /** Of a tool call. */
  readonly call: number;
  /** Undefined for tools that take free text, whose end nothing tells. */
  readonly end: JsonEnd | undefined;
  readonly isFreeText: boolean;
  /** What came while it had to wait. */
  waiting: string;
  signature: string;
}

type Proof = Extract<AnswerEvent, { kind: 'reasoningProof' }>;
type Call = Extract<AnswerEvent, { kind: 'toolCall' }>;

/** Of all that waits. */
const waitingCharsMax = 16 * 1024 * 1024;
const waitingBlocksMax = 10_000;

export class ContentBlocks {
  #index = -1;
  #open: Block | undefined;
  readonly #queue: Block[] = [];
  #waitingChars = 0;
  #hasCalls = false;

  /** More waits than may. */
  get isTooMuch(): boolean {
    return this.#waitingChars > waitingCharsMax || this.#queue.length > waitingBlocksMax;
  }

  get hasCalls(): boolean {
    return this.#hasCalls;
  }

  addText(kind: 'text' | 'thinking', text: string): string {
    if (text === '') return '';
    const last = this.#last();
    if (last?.kind === kind && last.signature === '') return this.#add(last, text);
    const block = newBlock(kind, kind === 'text' ? textStart : thinkingStart);
    return this.#begin(block) + this.#add(block, text);
  }

  /** A signature belongs to the thoughts before it; thoughts that nobody may read are a block of their own. */
  addProof({ signature = '', encrypted }: Proof): string {
    let frames = '';
    if (signature !== '') {
      let last = this.#last();
      if (last?.kind !== 'thinking' || last.signature !== '') {
        last = newBlock('thinking', thinkingStart);
        frames += this.#begin(last);
      }
      last.signature = signature;
    }
    if (encrypted === undefined) return frames;
    return frames + this.addWhole({ type: 'redacted_thinking', data: encrypted });
  }

  beginCall({ call, id, name, custom = false }: Call): string {
    this.#hasCalls = true;
    const start = JSON.stringify({ type: 'tool_use', id: writeToolId(id), name, input: {} });
    return this.#begin({
      ...newBlock('call', start),
      call,
      end: custom ? undefined : new JsonEnd(),
      isFreeText: custom,
    });
  }

  addArguments(call: number, text: string): string {
    const isOf = (block: Block | undefined) => block?.kind === 'call' && block.call === call;
    const block = isOf(this.#open) ? this.#open : this.#queue.find(isOf);
    return block === undefined || text === '' ? '' : this.#add(block, text) + this.#advance();
  }

  /** A block that has no pieces. */
  addWhole(block: JsonObject): string {
    return this.#begin(newBlock('whole', JSON.stringify(block)));
  }

  /** A delta of a kind that only this API has; it goes with the text before it. */
  addTextDelta(delta: JsonObject): string {
    return this.#open?.kind === 'text' && this.#queue.length === 0 ? this.#delta(JSON.stringify(delta)) : '';
  }

  /** Opens and closes all that waits. Nothing is open afterwards. */
  finish(): string {
    let frames = '';
    for (;;) {
      frames += this.#close();
      const next = this.#queue.shift();
      if (next === undefined) return frames;
      frames += this.#openBlock(next);
    }
  }

  #last(): Block | undefined {
    return this.#queue.at(-1) ?? this.#open;
  }

  #begin(block: Block): string {
    this.#queue.push(block);
    return this.#advance();
  }

  /** Opens as many of those that wait as may be open. */
  #advance(): string {
    let frames = '';
    while (this.#queue.length > 0 && (this.#open === undefined || isComplete(this.#open))) {
      const next = this.#queue.shift();
      if (next !== undefined) frames += this.#close() + this.#openBlock(next);
    }
    return frames;
  }

  #add(block: Block, text: string): string {
    block.end?.add(text);
    if (block === this.#open) return this.#piece(block, text);
    block.waiting += text;
    this.#waitingChars += text.length;
    return '';
  }

  #openBlock(block: Block): string {
    this.#index += 1;
    this.#open = block;
    this.#waitingChars -= block.waiting.length;
    const start = `event: content_block_start\ndata: {"type":"content_block_start","index":${this.#index},"content_block":${block.start}}\n\n`;
    // The service begins the input of every tool with an empty piece.
    const first =
      block.kind === 'call'
        ? this.#delta(`{"type":"input_json_delta","partial_json":${block.isFreeText ? freeTextStart : '""'}}`)
        : '';
    const waiting = block.waiting === '' ? '' : this.#piece(block, block.waiting);
    block.waiting = '';
    return start + first + waiting;
  }

  #close(): string {
    const block = this.#open;
    if (block === undefined) return '';
    let last = '';
    if (block.kind === 'thinking') {
      last = this.#delta(`{"type":"signature_delta","signature":${JSON.stringify(block.signature)}}`);
    } else if (block.isFreeText) last = this.#delta(freeTextEnd);
    this.#open = undefined;
    return `${last}event: content_block_stop\ndata: {"type":"content_block_stop","index":${this.#index}}\n\n`;
  }

  #piece({ kind, isFreeText }: Block, text: string): string {
    const json = JSON.stringify(text);
    if (kind === 'text') return this.#delta(`{"type":"text_delta","text":${json}}`);
    if (kind === 'thinking') return this.#delta(`{"type":"thinking_delta","thinking":${json}}`);
    const piece = isFreeText ? JSON.stringify(json.slice(1, -1)) : json;
    return this.#delta(`{"type":"input_json_delta","partial_json":${piece}}`);
  }

  #delta(delta: string): string {
    return `event: content_block_delta\ndata: {"type":"content_block_delta","index":${this.#index},"delta":${delta}}\n\n`;
  }
}

const textStart = '{"type":"text","text":""}';
const thinkingStart = '{"type":"thinking","thinking":"","signature":""}';
const freeTextStart = JSON.stringify(`{"${freeTextMember}":"`);
const freeTextEnd = JSON.stringify({ type: 'input_json_delta', partial_json: '"}' });

function newBlock(kind: Block['kind'], start: string): Block {
  return { kind, start, call: -1, end: undefined, isFreeText: false, waiting: '', signature: '' };
}

function isComplete({ kind, end }: Block): boolean {
  return kind !== 'call' || end?.isReached === true;
}
