/**
 * From the items of an engine's output to events, whether they come in pieces, whole, or both: what was said in pieces
 * is not said again. Engines differ in ids and indexes, and some have neither. Never throws.
 */
import type { FinishReason, OnAnswerEvent, TokenLogprob } from '../ir/answer.ts';
import { isObject, objectsOf, textOf } from '../ir/fields.ts';
import type { JsonObject } from '../ir/request.ts';
import { readTokens } from '../openai/logprobs.ts';
import { onceEach } from '../repairs.ts';
import type { OnRepair } from '../repairs.ts';
import { dialectName } from './name.ts';

/** How an event of a stream says which item it means. */
export interface ItemReference {
  readonly id: unknown;
  readonly index: unknown;
}

interface SeenItem {
  readonly type: string;
  /** Characters emitted of its text, thoughts or arguments. */
  chars: number;
  refusalChars: number;
  /** Of a call: its number; undefined = it was not announced yet. */
  call?: number;
  /** Thoughts themselves came, so that their summary is not wanted. */
  hasThoughts: boolean;
  summaryIndex: number;
  isDone: boolean;
}

export class OutputReader {
  readonly #onEvent: OnAnswerEvent;
  readonly #onRepair: OnRepair;
  readonly #items = new Map<string, SeenItem>();
  #last: SeenItem | undefined;
  #calls = 0;

  constructor(onEvent: OnAnswerEvent, onRepair?: OnRepair) {
    this.#onEvent = onEvent;
    this.#onRepair = onceEach(onRepair);
  }

  get isEmpty(): boolean {
    return this.#last === undefined;
  }

  added(item: JsonObject, reference: ItemReference): void {
    const seen = this.#see(textOf(item['type']), reference);
    if (isCall(seen.type)) this.#announce(seen, item);
  }

  text(delta: string, reference: ItemReference, logprobs?: unknown): void {
    const seen = this.#find('message', reference);
    seen.chars += delta.length;
    this.#say(delta, readTokens(logprobs));
  }

  refusal(delta: string, reference: ItemReference): void {
    this.#find('message', reference).refusalChars += delta.length;
    this.#refuse(delta);
  }

  thought(delta: string, reference: ItemReference): void {
    const seen = this.#find('reasoning', reference);
    seen.hasThoughts = true;
    seen.chars += delta.length;
    this.#think(delta);
  }

  summary(delta: string, reference: ItemReference, index: unknown): void {
    const seen = this.#find('reasoning', reference);
    if (seen.hasThoughts) return;
    const isNext = typeof index === 'number' && index > seen.summaryIndex && seen.chars > 0;
    if (typeof index === 'number') seen.summaryIndex = index;
    const text = isNext ? `${summaryGap}${delta}` : delta;
    seen.chars += text.length;
    this.#think(text);
  }

  /** `isWhole`: it is all of the arguments, not their next piece. */
  args(text: string, reference: ItemReference, { isWhole }: { readonly isWhole: boolean }): void {
    const seen = this.#find('function_call', reference);
    if (seen.call === undefined) return;
    const rest = isWhole ? text.slice(seen.chars) : text;
    seen.chars += rest.length;
    if (rest !== '') this.#onEvent({ kind: 'toolArguments', choice: 0, call: seen.call, text: rest });
  }

  /** The item is complete: what was not said of it is said now. */
  done(item: JsonObject, reference: ItemReference): void {
    const type = textOf(item['type']);
    const seen = this.#findDone(type, reference);
    if (seen.isDone) return;
    seen.isDone = true;
    if (type === 'message') this.#finishMessage(seen, item);
    else if (type === 'reasoning') this.#finishReasoning(seen, item);
    else if (isCall(type)) {
      this.#announce(seen, item);
      this.args(this.#argumentsOf(item), reference, { isWhole: true });
    } else if (type !== '') this.#onEvent({ kind: 'opaque', dialect: dialectName, type, value: item });
  }

  /** `response`: the last state that the engine tells of it. */
  reason(response: JsonObject): FinishReason {
    if (response['status'] === 'incomplete') {
      const details = response['incomplete_details'];
      const why = isObject(details) ? textOf(details['reason']) : '';
      if (why === 'content_filter') return { kind: 'filtered' };
      return why === 'max_output_tokens' || why === '' ? { kind: 'length' } : { kind: 'other', reason: why };
    }
    return { kind: this.#calls > 0 ? 'toolCalls' : 'stop' };
  }

  #see(type: string, { id, index }: ItemReference): SeenItem {
    const seen: SeenItem = {
      type,
      chars: 0,
      refusalChars: 0,
      hasThoughts: false,
      summaryIndex: 0,
      isDone: false,
    };
    if (typeof id === 'string' && id !== '') this.#items.set(id, seen);
    if (typeof index === 'number') this.#items.set(`#${index}`, seen);
    this.#last = seen;
    return seen;
  }

  #known({ id, index }: ItemReference): SeenItem | undefined {
    return (
      (typeof id === 'string' ? this.#items.get(id) : undefined) ??
      (typeof index === 'number' ? this.#items.get(`#${index}`) : undefined)
    );
  }

  /** The item of a piece. An engine that does not say which means the last one. */
  #find(type: string, reference: ItemReference): SeenItem {
    const known = this.#known(reference);
    if (known !== undefined) return known;
    return this.#last?.type === type && !this.#last.isDone ? this.#last : this.#see(type, reference);
  }

  /** vLLM gives some items another id at their end. */
  #findDone(type: string, reference: ItemReference): SeenItem {
    const known = this.#known(reference);
    if (known?.type === type) return known;
    return this.#last?.type === type && !this.#last.isDone ? this.#last : this.#see(type, reference);
  }

  #announce(seen: SeenItem, item: JsonObject): void {
    const name = textOf(item['name']);
    if (seen.call !== undefined || name === '') return;
    const call = this.#calls;
    this.#calls += 1;
    seen.call = call;
    const callId = textOf(item['call_id']);
    if (callId === '') this.#onRepair('toolIdMissing');
    const id = callId || textOf(item['id']) || `call_${call}`;
    const isCustom = seen.type === 'custom_tool_call';
    this.#onEvent({ kind: 'toolCall', choice: 0, call, id, name, ...(isCustom && { custom: true }) });
  }

  #argumentsOf(item: JsonObject): string {
    const value = item['type'] === 'custom_tool_call' ? item['input'] : item['arguments'];
    if (!isObject(value)) return textOf(value);
    this.#onRepair('argumentsAsObject');
    return JSON.stringify(value);
  }

  #finishMessage(seen: SeenItem, item: JsonObject): void {
    let textSkip = seen.chars;
    let refusalSkip = seen.refusalChars;
    for (const part of objectsOf(item['content'])) {
      const text = textOf(part['text']);
      const refusal = textOf(part['refusal']);
      if (text.length > textSkip) {
        this.#say(text.slice(textSkip), textSkip === 0 ? readTokens(part['logprobs']) : undefined);
      }
      if (refusal.length > refusalSkip) this.#refuse(refusal.slice(refusalSkip));
      textSkip = Math.max(0, textSkip - text.length);
      refusalSkip = Math.max(0, refusalSkip - refusal.length);
    }
  }

  #finishReasoning(seen: SeenItem, item: JsonObject): void {
    const thoughts = textsOf(item['content']).join('');
    const isSummary = thoughts === '' && !seen.hasThoughts;
    const text = isSummary ? textsOf(item['summary']).join(summaryGap) : thoughts;
    if (text.length > seen.chars) this.#think(text.slice(seen.chars));
    const encrypted = textOf(item['encrypted_content']);
    if (encrypted !== '') this.#onEvent({ kind: 'reasoningProof', choice: 0, encrypted });
  }

  #say(text: string, logprobs: readonly TokenLogprob[] | undefined): void {
    if (text === '' && logprobs === undefined) return;
    this.#onEvent({ kind: 'text', choice: 0, text, ...(logprobs !== undefined && { logprobs }) });
  }

  #refuse(text: string): void {
    this.#onEvent({ kind: 'refusal', choice: 0, text });
  }

  #think(text: string): void {
    if (text !== '') this.#onEvent({ kind: 'reasoning', choice: 0, text });
  }
}

/** Between the parts of a summary, where they become one text. */
const summaryGap = '\n\n';

function isCall(type: string): boolean {
  return type === 'function_call' || type === 'custom_tool_call';
}

function textsOf(parts: unknown): readonly string[] {
  return objectsOf(parts).map((part) => textOf(part['text']));
}
