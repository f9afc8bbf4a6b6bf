/**
 * Reads an engine's stream of the Messages API. Takes llama.cpp's as well, which opens a block before the one before is
 * stopped, stops all of them at the end, and sends errors without an envelope.
 */
import { parseExactJson } from '../../base/exact-json.ts';
import { SseOverflow, SseReader } from '../../base/sse-reader.ts';
import type { SseEvent } from '../../base/sse-reader.ts';
import type { AnswerStreamReader } from '../dialect.ts';
import type { AnswerEvent, EngineError, OnAnswerEvent } from '../ir/answer.ts';
import { isObject, textOf } from '../ir/fields.ts';
import type { JsonObject } from '../ir/request.ts';
import { onceEach } from '../repairs.ts';
import type { OnRepair } from '../repairs.ts';
import { readErrorObject } from './errors.ts';
import { dialectName } from './name.ts';
import { callNameOf, missingReason, wholeInputOf } from './response.ts';
import { readStopReason, UsageReader } from './usage.ts';

/** A tool call, or a block of the service's own whose pieces are put together. */
interface OpenBlock {
  readonly start: JsonObject;
  /** Index of the tool call; undefined for blocks of the service's own. */
  readonly call: number | undefined;
  /** Pieces of its JSON have come. */
  hasInput: boolean;
  /** JSON of a block of the service's own. */
  input: string;
}

/** Blocks of one answer. */
const openBlocksMax = 10_000;

export class MessagesStreamReader implements AnswerStreamReader {
  readonly #sse = new SseReader({ onEvent: (event) => this.#read(event) });
  readonly #onEvent: OnAnswerEvent;
  readonly #repair: OnRepair;
  readonly #counts = new UsageReader();
  readonly #blocks = new Map<unknown, OpenBlock>();
  #calls = 0;
  #isStarted = false;
  #isFinished = false;
  #isOver = false;

  constructor(onEvent: OnAnswerEvent, onRepair?: OnRepair) {
    this.#onEvent = onEvent;
    this.#repair = onceEach(onRepair);
  }

  push(chunk: Buffer): void {
    if (this.#isOver) return;
    try {
      this.#sse.push(chunk);
    } catch (error) {
      if (!(error instanceof SseOverflow)) throw error;
      this.#fail({ message: 'An event of the engine is too large', status: 502 });
    }
  }

  end(): void {
    this.#fail({ message: 'The stream of the engine ended before its end', status: 502 });
  }

  #read({ event, data }: SseEvent): void {
    if (this.#isOver || data === '[DONE]') return;
    const fields = tryParse(data);
    if (fields === undefined) {
      this.#fail({ message: 'The engine sent an event that is not a JSON object', status: 502 });
      return;
    }
    const type = fields['type'];
    if (event === 'error' || type === 'error' || isObject(fields['error'])) {
      this.#fail(readErrorObject(fields));
    } else this.#readEvent(type, fields);
  }

  #readEvent(type: unknown, fields: JsonObject): void {
    switch (type) {
      case 'message_start':
        this.#start(isObject(fields['message']) ? fields['message'] : {});
        return;
      case 'content_block_start':
        if (isObject(fields['content_block'])) this.#startBlock(fields['index'], fields['content_block']);
        return;
      case 'content_block_delta':
        if (isObject(fields['delta'])) this.#addToBlock(fields['index'], fields['delta']);
        return;
      case 'content_block_stop':
        this.#stopBlock(fields['index']);
        return;
      case 'message_delta':
        this.#counts.add(fields['usage']);
        if (isObject(fields['delta'])) this.#finish(fields['delta']);
        return;
      case 'message_stop':
        this.#end();
        return;
      default:
      // Pings, and events that are yet to be invented.
    }
  }

  #start(message: JsonObject): void {
    if (this.#isStarted) return;
    const { id, model } = message;
    this.#counts.add(message['usage']);
    const { usage } = this.#counts;
    this.#isStarted = true;
    this.#onEvent({
      kind: 'started',
      ...(typeof id === 'string' && id !== '' && { id }),
      ...(typeof model === 'string' && model !== '' && { model }),
      ...(usage !== undefined && { usage }),
    });
  }

  #emit(event: AnswerEvent): void {
    if (!this.#isStarted) this.#start({});
    this.#onEvent(event);
  }

  #startBlock(index: unknown, start: JsonObject): void {
    switch (start['type']) {
      case 'text':
        this.#say('text', textOf(start['text']));
        return;
      case 'thinking':
        this.#say('reasoning', textOf(start['thinking']));
        this.#prove(textOf(start['signature']));
        return;
      case 'redacted_thinking':
        this.#emit({ kind: 'reasoningProof', choice: 0, encrypted: textOf(start['data']) });
        return;
      default:
        this.#openBlock(index, start);
    }
  }

  #openBlock(index: unknown, start: JsonObject): void {
    this.#stopBlock(index);
    if (this.#blocks.size >= openBlocksMax) {
      this.#fail({ message: 'The engine opened too many blocks', status: 502 });
      return;
    }
    const call = start['type'] === 'tool_use' ? this.#calls++ : undefined;
    this.#blocks.set(index, { start, call, hasInput: false, input: '' });
    if (call !== undefined)
      this.#emit({ kind: 'toolCall', choice: 0, call, ...callNameOf(start, call, this.#repair) });
  }

  #addToBlock(index: unknown, delta: JsonObject): void {
    switch (delta['type']) {
      case 'text_delta':
        this.#say('text', textOf(delta['text']));
        return;
      case 'thinking_delta':
        this.#say('reasoning', textOf(delta['thinking']));
        return;
      case 'signature_delta':
        this.#prove(textOf(delta['signature']));
        return;
      case 'input_json_delta':
        this.#addInput(index, textOf(delta['partial_json']));
        return;
      default:
        this.#pass(textOf(delta['type']), { delta });
    }
  }

  #say(kind: 'text' | 'reasoning', text: string): void {
    if (text !== '') this.#emit({ kind, choice: 0, text });
  }

  #prove(signature: string): void {
    if (signature !== '') this.#emit({ kind: 'reasoningProof', choice: 0, signature });
  }

  #pass(type: string, value: JsonObject): void {
    this.#emit({ kind: 'opaque', dialect: dialectName, type, value });
  }

  #addInput(index: unknown, text: string): void {
    const block = this.#blocks.get(index);
    if (block === undefined || text === '') return;
    block.hasInput = true;
    if (block.call === undefined) block.input += text;
    else this.#emit({ kind: 'toolArguments', choice: 0, call: block.call, text });
  }

  /** Input that came with the start of its block, or never. */
  #stopBlock(index: unknown): void {
    const block = this.#blocks.get(index);
    if (block === undefined) return;
    this.#blocks.delete(index);
    const { start, call, hasInput, input } = block;
    if (call === undefined) {
      const whole = hasInput ? { ...start, input: tryParse(input) ?? {} } : start;
      this.#pass(textOf(start['type']), { content_block: whole });
    } else if (!hasInput) {
      this.#emit({ kind: 'toolArguments', choice: 0, call, text: wholeInputOf(start, this.#repair) });
    }
  }

  #finish(delta: JsonObject): void {
    const reason = delta['stop_reason'] ?? undefined;
    if (reason === undefined || this.#isFinished) return;
    for (const index of this.#blocks.keys()) this.#stopBlock(index);
    this.#isFinished = true;
    this.#emit({ kind: 'finished', choice: 0, reason: readStopReason(reason, delta['stop_sequence']) });
  }

  #end(): void {
    if (!this.#isFinished) this.#finish({ stop_reason: missingReason(this.#calls, this.#repair) });
    const { usage } = this.#counts;
    if (usage !== undefined) this.#emit({ kind: 'usage', usage });
    this.#isOver = true;
    this.#emit({ kind: 'ended' });
  }

  #fail(error: EngineError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#onEvent({ kind: 'failed', error });
  }
}

function tryParse(text: string): JsonObject | undefined {
  try {
    const value = parseExactJson(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
