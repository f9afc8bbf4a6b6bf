/**
 * Writes a stream of the Responses API: every item with its `added` and `done`, one after the other, and a last event that
 * holds all of it. Its last response is also what a client gets that wants no stream.
 */
import type { AnswerContext, AnswerStreamWriter } from '../dialect.ts';
import type { AnswerEvent, EngineError, FinishReason, Usage } from '../ir/answer.ts';
import type { JsonObject } from '../ir/request.ts';
import { CallItem } from './call-item.ts';
import { writeFailure } from './errors.ts';
import { Frames, writeAdded, writeDone } from './frames.ts';
import type { ItemPlace, ItemStatus, OutputItem } from './frames.ts';
import { MessageItem } from './message-item.ts';
import { dialectName } from './name.ts';
import { ReasoningItem } from './reasoning-item.ts';
import { itemIdOf, responseObject } from './response-object.ts';
import type { ResponseState } from './response-object.ts';
import { groupedNames } from './tools.ts';
import type { NameInGroup } from './tools.ts';
import { writeUsage } from './usage.ts';

type ToolCall = Extract<AnswerEvent, { kind: 'toolCall' }>;

export class ResponsesStreamWriter implements AnswerStreamWriter {
  readonly #context: AnswerContext;
  readonly #frames = new Frames();
  readonly #asSummary: boolean;
  readonly #customNames: ReadonlySet<string>;
  readonly #groups: ReadonlyMap<string, NameInGroup>;
  /** By their index: items that are done, and those of engines that are passed on whole. */
  readonly #output: object[] = [];
  #items = 0;
  #speech: MessageItem | ReasoningItem | undefined;
  readonly #calls = new Map<number, CallItem>();
  #createdS: number | undefined;
  #usage: Usage | undefined;
  #reason: FinishReason = { kind: 'stop' };
  #last: JsonObject = {};

  constructor(context: AnswerContext) {
    this.#context = context;
    const { request } = context;
    const { summary = 'none' } = request.reasoning ?? {};
    this.#asSummary = summary !== 'none';
    const tools = request.kind === 'chat' ? (request.tools ?? []) : [];
    this.#customNames = new Set(tools.flatMap((tool) => (tool.kind === 'custom' ? [tool.name] : [])));
    this.#groups = groupedNames(request.mirrored?.['tools']);
  }

  /** The response as the last event had it. */
  get response(): JsonObject {
    return this.#last;
  }

  write(event: AnswerEvent): string {
    // There is one answer in this API, whatever was asked for.
    if ('choice' in event && event.choice !== 0) return '';
    switch (event.kind) {
      case 'started':
        this.#usage = event.usage;
        return this.#start(event.createdS);
      case 'text':
        if (event.text === '' && event.logprobs === undefined) return '';
        return this.#speak(({ item, begun }) => begun + item.text(event.text, event.logprobs));
      case 'refusal':
        return event.text === '' ? '' : this.#speak(({ item, begun }) => begun + item.refusal(event.text));
      case 'reasoning':
        return event.text === '' ? '' : this.#think(event.text);
      case 'reasoningProof':
        return this.#prove(event.encrypted);
      case 'toolCall':
        return this.#call(event);
      case 'toolArguments':
        return this.#calls.get(event.call)?.args(event.text) ?? '';
      case 'opaque':
        return event.dialect === dialectName ? this.#pass(event.value as JsonObject) : '';
      case 'finished':
        this.#reason = event.reason;
        return this.#closeAll(isCut(event.reason) ? 'incomplete' : 'completed');
      case 'usage':
        this.#usage = event.usage;
        return '';
      case 'ended':
        return this.#end();
      case 'failed':
        return this.#fail(event.error);
      case 'progress':
      case 'timings':
        return '';
    }
  }

  #start(createdS: number | undefined): string {
    this.#createdS = createdS ?? Math.floor(this.#context.arrivedMs / 1000);
    const state = { status: 'in_progress', output: [] } as const;
    return (
      this.#writeResponse('response.created', state) + this.#writeResponse('response.in_progress', state)
    );
  }

  #speak(write: (speech: { readonly item: MessageItem; readonly begun: string }) => string): string {
    if (this.#speech instanceof MessageItem) return write({ item: this.#speech, begun: '' });
    const closed = this.#closeForNext();
    const item = new MessageItem(this.#place('msg'));
    this.#speech = item;
    const begun = item.begin();
    return closed + write({ item, begun });
  }

  #think(text: string): string {
    if (this.#speech instanceof ReasoningItem) return this.#speech.text(text);
    const [item, begun] = this.#beginReasoning();
    return begun + item.text(text);
  }

  #beginReasoning(): readonly [item: ReasoningItem, frames: string] {
    const closed = this.#closeForNext();
    const item = new ReasoningItem(this.#place('rs'), { asSummary: this.#asSummary });
    this.#speech = item;
    return [item, closed + item.begin()];
  }

  #prove(encrypted: string | undefined): string {
    const known = this.#speech instanceof ReasoningItem ? this.#speech : undefined;
    // A signature has no place here, but ends the thought as well.
    if (encrypted === undefined) return known === undefined ? '' : this.#closeSpeech('completed');
    const [item, begun] = known === undefined ? this.#beginReasoning() : [known, ''];
    item.prove(encrypted);
    // What follows is another thought.
    return begun + this.#closeSpeech('completed');
  }

  #call({ call, id, name: full, custom = false }: ToolCall): string {
    const closed = this.#closeForNext();
    const isWrapped = !custom && this.#customNames.has(full);
    const { namespace, name } = this.#groups.get(full) ?? { namespace: undefined, name: full };
    const item = new CallItem(this.#place(custom || isWrapped ? 'ctc' : 'fc'), {
      callId: id,
      name,
      ...(namespace !== undefined && { namespace }),
      input: isWrapped ? 'wrapped' : custom ? 'text' : 'json',
    });
    this.#calls.set(call, item);
    return closed + item.begin();
  }

  /** An item that only this API has, from an engine that speaks it. */
  #pass(item: JsonObject): string {
    const closed = this.#closeForNext();
    const place = this.#place('msg');
    this.#output[place.index] = item;
    return closed + writeAdded(place, item) + writeDone(place, item);
  }

  #place(prefix: 'msg' | 'rs' | 'fc' | 'ctc'): ItemPlace {
    const index = this.#items;
    this.#items += 1;
    return { frames: this.#frames, index, id: itemIdOf(prefix, this.#context.requestId, index) };
  }

  /** Before another item begins. Calls whose arguments still come stay open: engines mix the pieces of several. */
  #closeForNext(): string {
    let frames = this.#closeSpeech('completed');
    for (const [call, item] of this.#calls) {
      if (!item.isWhole) continue;
      this.#calls.delete(call);
      frames += this.#close(item, 'completed');
    }
    return frames;
  }

  #closeSpeech(status: ItemStatus): string {
    if (this.#speech === undefined) return '';
    const frames = this.#close(this.#speech, status);
    this.#speech = undefined;
    return frames;
  }

  #closeAll(status: ItemStatus): string {
    let frames = '';
    for (const item of this.#openItems()) frames += this.#close(item, status);
    this.#speech = undefined;
    this.#calls.clear();
    return frames;
  }

  #openItems(): readonly OutputItem[] {
    const items = [...this.#calls.values(), ...(this.#speech === undefined ? [] : [this.#speech])];
    return items.toSorted((one, other) => one.index - other.index);
  }

  #close(item: OutputItem, status: ItemStatus): string {
    const frames = item.end(status);
    this.#output[item.index] = item.toJson(status);
    return frames;
  }

  #end(): string {
    const closed = this.#closeAll('completed');
    const usage = this.#usage && writeUsage(this.#usage);
    const state = { output: this.#output, usage };
    if (!isCut(this.#reason)) {
      return closed + this.#writeResponse('response.completed', { status: 'completed', ...state });
    }
    const incompleteReason = this.#reason.kind === 'length' ? 'max_output_tokens' : 'content_filter';
    return (
      closed +
      this.#writeResponse('response.incomplete', { status: 'incomplete', ...state, incompleteReason })
    );
  }

  /** Items that were not done stay so. */
  #fail(error: EngineError): string {
    const started = this.#createdS === undefined ? this.#start(undefined) : '';
    for (const item of this.#openItems()) this.#output[item.index] = item.toJson('incomplete');
    const state: ResponseState = {
      status: 'failed',
      output: this.#output,
      usage: this.#usage && writeUsage(this.#usage),
      error: writeFailure(error),
    };
    return started + this.#writeResponse('response.failed', state);
  }

  #writeResponse(type: string, state: ResponseState): string {
    const createdS = this.#createdS ?? 0;
    this.#last = responseObject({ context: this.#context, createdS }, state);
    return this.#frames.write(type, `"response":${JSON.stringify(this.#last)}`);
  }
}

function isCut({ kind }: FinishReason): boolean {
  return kind === 'length' || kind === 'filtered';
}
