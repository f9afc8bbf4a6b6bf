/**
 * Token counts and reasons to stop, both directions. The API counts the prompt without what came from a cache; the common
 * record counts all of it.
 */
import type { FinishReason, Usage } from '../ir/answer.ts';
import { countOf, isObject } from '../ir/fields.ts';
import type { JsonObject } from '../ir/request.ts';

/** Counts as the engine tells them, bit by bit; each is the newest total. */
export class UsageReader {
  #isTold = false;
  #input = 0;
  #cacheRead: number | undefined;
  #cacheWrite: number | undefined;
  #output = 0;
  #thinking: number | undefined;

  add(usage: unknown): void {
    if (!isObject(usage)) return;
    const details = usage['output_tokens_details'];
    this.#isTold = true;
    this.#input = countOf(usage['input_tokens']) ?? this.#input;
    this.#output = countOf(usage['output_tokens']) ?? this.#output;
    this.#cacheRead = countOf(usage['cache_read_input_tokens']) ?? this.#cacheRead;
    this.#cacheWrite = countOf(usage['cache_creation_input_tokens']) ?? this.#cacheWrite;
    if (isObject(details)) this.#thinking = countOf(details['thinking_tokens']) ?? this.#thinking;
  }

  /** undefined = the engine told none. */
  get usage(): Usage | undefined {
    if (!this.#isTold) return undefined;
    return {
      inputTokens: this.#input + (this.#cacheRead ?? 0) + (this.#cacheWrite ?? 0),
      outputTokens: this.#output,
      ...(this.#cacheRead !== undefined && { cachedTokens: this.#cacheRead }),
      ...(this.#cacheWrite !== undefined && { cacheWriteTokens: this.#cacheWrite }),
      ...(this.#thinking !== undefined && { reasoningTokens: this.#thinking }),
    };
  }
}

/** Zeros where the engine told nothing: the API has no answers without counts. */
export function writeUsage(usage: Usage | undefined): JsonObject {
  const { inputTokens = 0, outputTokens = 0, cachedTokens = 0, cacheWriteTokens = 0 } = usage ?? {};
  return {
    input_tokens: Math.max(0, inputTokens - cachedTokens - cacheWriteTokens),
    cache_creation_input_tokens: cacheWriteTokens,
    cache_read_input_tokens: cachedTokens,
    output_tokens: outputTokens,
    ...(usage?.reasoningTokens !== undefined && {
      output_tokens_details: { thinking_tokens: usage.reasoningTokens },
    }),
  };
}

/** llama.cpp says `end_turn` with the stop sequence beside it. */
export function readStopReason(reason: unknown, sequence: unknown): FinishReason {
  switch (reason) {
    case 'end_turn':
    case 'stop_sequence':
      return typeof sequence === 'string' ? { kind: 'stop', stopText: sequence } : { kind: 'stop' };
    case 'max_tokens':
    case 'model_context_window_exceeded':
      return { kind: 'length' };
    case 'tool_use':
      return { kind: 'toolCalls' };
    case 'pause_turn':
      return { kind: 'paused' };
    case 'refusal':
      return { kind: 'refused' };
    default:
      return { kind: 'other', reason: typeof reason === 'string' ? reason : 'none' };
  }
}

export interface WrittenStop {
  readonly stop_reason: string;
  readonly stop_sequence: string | null;
}

/** `hasCalls`: tools were called. Some engines say "stop" then, and agents would take the turn for over. */
export function writeStopReason(reason: FinishReason, hasCalls: boolean): WrittenStop {
  if (reason.kind === 'stop' && reason.stopText !== undefined) {
    return { stop_reason: 'stop_sequence', stop_sequence: reason.stopText };
  }
  return { stop_reason: reasonNameOf(reason, hasCalls), stop_sequence: null };
}

function reasonNameOf(reason: FinishReason, hasCalls: boolean): string {
  switch (reason.kind) {
    case 'stop':
      return hasCalls ? 'tool_use' : 'end_turn';
    case 'length':
      return 'max_tokens';
    case 'toolCalls':
      return 'tool_use';
    case 'filtered':
    case 'refused':
      return 'refusal';
    case 'paused':
      return 'pause_turn';
    case 'other':
      return reason.reason === 'compaction' ? 'compaction' : 'end_turn';
  }
}
