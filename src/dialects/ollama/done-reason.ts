/** Ollama's `done_reason` and why an answer ended elsewhere. */
import type { FinishReason } from '../ir/answer.ts';

/** Ollama itself says no more than stop, length, load and unload; tool calls end with stop. */
const written: Readonly<Record<Exclude<FinishReason['kind'], 'other'>, string>> = {
  stop: 'stop',
  toolCalls: 'stop',
  length: 'length',
  filtered: 'content_filter',
  refused: 'refusal',
  paused: 'pause',
};

export function writeDoneReason(reason: FinishReason): string {
  return reason.kind === 'other' ? reason.reason : written[reason.kind];
}

/** `hasCalls`: the answer holds tool calls. */
export function readDoneReason(text: string, hasCalls: boolean): FinishReason {
  switch (text) {
    // Ollamas of old say nothing.
    case '':
    case 'stop':
      return { kind: hasCalls ? 'toolCalls' : 'stop' };
    case 'length':
      return { kind: 'length' };
    case 'content_filter':
      return { kind: 'filtered' };
    case 'refusal':
      return { kind: 'refused' };
    case 'pause':
      return { kind: 'paused' };
    default:
      return { kind: 'other', reason: text };
  }
}
