/** Reads an engine's stream of the Responses API: its own events as OpenAI sends them, or llama.cpp's, vLLM's, LM Studio's. */
import { SseOverflow, SseReader } from '../../base/sse-reader.ts';
import type { AnswerStreamReader } from '../dialect.ts';
import type { EngineError, OnAnswerEvent } from '../ir/answer.ts';
import { countOf, isObject, objectsOf, textOf } from '../ir/fields.ts';
import type { JsonObject } from '../ir/request.ts';
import type { OnRepair } from '../repairs.ts';
import { readFailure } from './errors.ts';
import { OutputReader } from './output-reader.ts';
import { emitTimings, emitUsage } from './usage.ts';

export class ResponsesStreamReader implements AnswerStreamReader {
  readonly #onEvent: OnAnswerEvent;
  readonly #output: OutputReader;
  readonly #sse = new SseReader({ onEvent: ({ event, data }) => this.#read(event, data) });
  #hasStarted = false;
  #isOver = false;

  constructor(onEvent: OnAnswerEvent, onRepair?: OnRepair) {
    this.#onEvent = onEvent;
    this.#output = new OutputReader(onEvent, onRepair);
  }

  push(chunk: Buffer): void {
    if (this.#isOver) return;
    try {
      this.#sse.push(chunk);
    } catch (error) {
      if (!(error instanceof SseOverflow)) throw error;
      this.#fail({ message: error.message });
    }
  }

  end(): void {
    this.#fail({ message: 'The stream of the engine ended before its end' });
  }

  #read(name: string | undefined, data: string): void {
    if (this.#isOver || data === '[DONE]') return;
    const event = tryParse(data);
    if (!isObject(event)) {
      this.#fail({ message: 'The engine sent an event that is no JSON object' });
      return;
    }
    const type = textOf(event['type']) || (name ?? '');
    // llama.cpp sends its error without a type.
    if (type === 'error' || (type === '' && event['error'] !== undefined)) {
      this.#fail(readFailure(event));
      return;
    }
    const response = event['response'];
    if (isObject(response)) this.#readResponse(type, event, response);
    else this.#readPiece(type, event);
  }

  #readResponse(type: string, event: JsonObject, response: JsonObject): void {
    this.#start(response);
    switch (type) {
      case 'response.failed':
        this.#fail(readFailure(response));
        return;
      case 'response.completed':
      case 'response.incomplete':
        this.#finish(type === 'response.incomplete' ? { status: 'incomplete', ...response } : response);
        emitUsage(response['usage'], this.#onEvent);
        emitTimings(event['timings'], this.#onEvent);
        this.#isOver = true;
        this.#onEvent({ kind: 'ended' });
    }
  }

  #finish(response: JsonObject): void {
    // Ids of a last state need not be those of the pieces: it counts only where there were none.
    if (this.#output.isEmpty) {
      for (const [index, item] of objectsOf(response['output']).entries()) {
        this.#output.done(item, { id: item['id'], index });
      }
    }
    this.#onEvent({ kind: 'finished', choice: 0, reason: this.#output.reason(response) });
  }

  #readPiece(type: string, event: JsonObject): void {
    this.#start({});
    const output = this.#output;
    const reference = { id: event['item_id'], index: event['output_index'] };
    const delta = textOf(event['delta']);
    switch (type) {
      case 'response.output_text.delta':
        output.text(delta, reference, event['logprobs']);
        return;
      case 'response.function_call_arguments.delta':
      case 'response.custom_tool_call_input.delta':
        output.args(delta, reference, { isWhole: false });
        return;
      case 'response.reasoning_text.delta':
        output.thought(delta, reference);
        return;
      case 'response.reasoning_summary_text.delta':
        output.summary(delta, reference, event['summary_index']);
        return;
      case 'response.refusal.delta':
        output.refusal(delta, reference);
        return;
      case 'response.function_call_arguments.done':
        output.args(textOf(event['arguments']), reference, { isWhole: true });
        return;
      case 'response.custom_tool_call_input.done':
        output.args(textOf(event['input']), reference, { isWhole: true });
        return;
      case 'response.output_item.added':
      case 'response.output_item.done':
        this.#readItem(type, event);
    }
  }

  #readItem(type: string, { item, output_index: index }: JsonObject): void {
    if (!isObject(item)) return;
    const reference = { id: item['id'], index };
    if (type === 'response.output_item.added') this.#output.added(item, reference);
    else this.#output.done(item, reference);
  }

  #start(response: JsonObject): void {
    if (this.#hasStarted) return;
    this.#hasStarted = true;
    start(response, this.#onEvent);
  }

  #fail(error: EngineError): void {
    if (this.#isOver) return;
    this.#start({});
    this.#isOver = true;
    this.#onEvent({ kind: 'failed', error });
  }
}

/** What a response says of itself. */
export function start(response: JsonObject, onEvent: OnAnswerEvent): void {
  const id = textOf(response['id']);
  const model = textOf(response['model']);
  const createdS = countOf(response['created_at']);
  onEvent({
    kind: 'started',
    ...(id !== '' && { id }),
    ...(model !== '' && { model }),
    ...(createdS !== undefined && { createdS }),
  });
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
