/** Why a choice ended, in the words of OpenAI's completions and of engines like them. */
import type { FinishReason } from '../ir/answer.ts';

const kinds: Readonly<Record<string, Exclude<FinishReason['kind'], 'other' | 'stop'>>> = {
  length: 'length',
  max_tokens: 'length',
  tool_calls: 'toolCalls',
  function_call: 'toolCalls',
  content_filter: 'filtered',
  refusal: 'refused',
};

/** text-generation-inference says the last two. */
const stops: ReadonlySet<string> = new Set(['stop', 'eos', 'eos_token', 'stop_sequence']);

/** `stopText`: the text that it met, where the engine tells. */
export function readFinishReason(reason: string, stopText: string | undefined): FinishReason {
  if (stops.has(reason)) return { kind: 'stop', ...(stopText !== undefined && { stopText }) };
  const kind = kinds[reason];
  return kind === undefined ? { kind: 'other', reason } : { kind };
}

const names: Readonly<Record<Exclude<FinishReason['kind'], 'other'>, string>> = {
  stop: 'stop',
  length: 'length',
  toolCalls: 'tool_calls',
  filtered: 'content_filter',
  refused: 'content_filter',
  paused: 'stop',
};

export function writeFinishReason(reason: FinishReason): string {
  return reason.kind === 'other' ? reason.reason : names[reason.kind];
}
