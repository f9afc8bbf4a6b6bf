/**
 * Writes a client's stream of the Messages API: one `message_start`, content blocks of which only one is open at a time,
 * `message_delta` with the final counts, `message_stop`. What belongs to a block that may not open yet waits.
 */
import type { AnswerContext, AnswerStreamWriter } from '../dialect.ts';
import type { AnswerEvent, EngineError, FinishReason, Usage } from '../ir/answer.ts';
import { isObject } from '../ir/fields.ts';
import { ContentBlocks } from './content-blocks.ts';
import { writeError } from './errors.ts';
import { dialectName } from './name.ts';
import { messageIdOf } from './response.ts';
import { writeStopReason, writeUsage } from './usage.ts';

type Beginning = Extract<AnswerEvent, { kind: 'started' | 'progress' }>;
type Continuation = Exclude<AnswerEvent, Beginning | { kind: 'failed' }>;

export class MessagesStreamWriter implements AnswerStreamWriter {
  readonly #context: AnswerContext;
  readonly #blocks = new ContentBlocks();
  #isStarted = false;
  #isOver = false;
  #reason: FinishReason = { kind: 'stop' };
  #id: string | undefined;
  #usage: Usage | undefined;

  constructor(context: AnswerContext) {
    this.#context = context;
  }

  write(event: AnswerEvent): string {
    if (this.#isOver) return '';
    if (event.kind === 'failed') return this.#fail(event.error);
    if (event.kind === 'started' || event.kind === 'progress') {
      this.#prepare(event);
      return '';
    }
    return this.#guarded(this.#start() + this.#writeEvent(event));
  }

  /** Notes what the start of the message is to tell. */
  #prepare(event: Beginning): void {
    if (event.kind === 'progress') this.#usage ??= { inputTokens: event.total, outputTokens: 0 };
    else {
      this.#id = event.id;
      this.#usage = event.usage;
    }
  }

  #guarded(frames: string): string {
    if (!this.#blocks.isTooMuch) return frames;
    return frames + this.#fail({ message: 'The engine mixes blocks that are too large', status: 502 });
  }

  #writeEvent(event: Continuation): string {
    // The API has one answer to a request.
    if ('choice' in event && event.choice !== 0) return '';
    switch (event.kind) {
      case 'text':
      case 'refusal':
        return this.#blocks.addText('text', event.text);
      case 'reasoning':
        return this.#blocks.addText('thinking', event.text);
      case 'reasoningProof':
        return this.#blocks.addProof(event);
      case 'toolCall':
        return this.#blocks.beginCall(event);
      case 'toolArguments':
        return this.#blocks.addArguments(event.call, event.text);
      case 'finished':
        this.#reason = event.reason;
        return this.#blocks.finish();
      case 'usage':
        this.#usage = event.usage;
        return '';
      case 'opaque':
        return this.#writeOpaque(event);
      case 'ended':
        return this.#end();
      case 'timings':
        return '';
    }
  }

  /** As late as can be: some clients take the length of the prompt from nowhere else. */
  #start(): string {
    if (this.#isStarted) return '';
    this.#isStarted = true;
    const message = {
      id: messageIdOf(this.#id, this.#context),
      type: 'message',
      role: 'assistant',
      model: this.#context.model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      stop_details: null,
      container: null,
      usage: writeUsage(this.#usage),
    };
    return frame('message_start', JSON.stringify({ type: 'message_start', message }));
  }

  #end(): string {
    this.#isOver = true;
    const { stop_reason, stop_sequence } = writeStopReason(this.#reason, this.#blocks.hasCalls);
    const delta = { stop_reason, stop_sequence, stop_details: null, container: null };
    const end = { type: 'message_delta', delta, usage: writeUsage(this.#usage) };
    return (
      this.#blocks.finish() +
      frame('message_delta', JSON.stringify(end)) +
      frame('message_stop', '{"type":"message_stop"}')
    );
  }

  #fail(error: EngineError): string {
    this.#isOver = true;
    return frame('error', JSON.stringify(writeError(error, error.status ?? 500)));
  }

  #writeOpaque({ dialect, value }: Extract<AnswerEvent, { kind: 'opaque' }>): string {
    if (dialect !== dialectName || !isObject(value)) return '';
    if (isObject(value['content_block'])) return this.#blocks.addWhole(value['content_block']);
    return isObject(value['delta']) ? this.#blocks.addTextDelta(value['delta']) : '';
  }
}

function frame(event: string, data: string): string {
  return `event: ${event}\ndata: ${data}\n\n`;
}
