/** Streams of text completions, both directions. */
import type { AnswerContext, AnswerStreamReader, AnswerStreamWriter } from '../dialect.ts';
import type { AnswerEvent, OnAnswerEvent } from '../ir/answer.ts';
import { AnswerReader } from '../openai/answer-reader.ts';
import { ChunkWriter } from '../openai/chunk-writer.ts';
import { createChunkStream } from '../openai/stream-reader.ts';
import type { OnRepair } from '../repairs.ts';
import { createTextChoice } from './answer-choice.ts';
import { writeTextReason } from './finish-reason.ts';
import { writeLogprobs } from './logprobs.ts';

export function createStreamReader(onEvent: OnAnswerEvent, onRepair?: OnRepair): AnswerStreamReader {
  return createChunkStream(new AnswerReader({ onEvent, onRepair, createChoice: createTextChoice }));
}

/** Thoughts and tool calls are left out: a text completion has no place for them. */
export function createStreamWriter(context: AnswerContext): AnswerStreamWriter {
  const chunks = new ChunkWriter(context, { prefix: 'cmpl-', object: 'text_completion' });
  /** Characters so far, by choice. */
  const lengths = new Map<number, number>();

  function textChunk({ choice, text, ...event }: Extract<AnswerEvent, { kind: 'text' | 'refusal' }>): string {
    const offset = lengths.get(choice) ?? 0;
    lengths.set(choice, offset + text.length);
    const tokens = 'logprobs' in event ? event.logprobs : undefined;
    const logprobs = tokens === undefined ? 'null' : JSON.stringify(writeLogprobs(tokens, offset));
    return chunks.chunk(choiceText(choice, { text: JSON.stringify(text), logprobs }));
  }

  return {
    write(event) {
      switch (event.kind) {
        case 'text':
        case 'refusal':
          return textChunk(event);
        case 'finished':
          chunks.hold(choiceText(event.choice, { reason: JSON.stringify(writeTextReason(event.reason)) }));
          return '';
        case 'started':
        case 'usage':
        case 'timings':
        case 'ended':
        case 'failed':
          return chunks.frame(event);
        case 'progress':
        case 'opaque':
        case 'reasoning':
        case 'reasoningProof':
        case 'toolCall':
        case 'toolArguments':
          return '';
      }
    },
  };
}

/** All members are JSON text. */
function choiceText(
  choice: number,
  {
    text = '""',
    logprobs = 'null',
    reason = 'null',
  }: { readonly text?: string; readonly logprobs?: string; readonly reason?: string },
): string {
  return `{"text":${text},"index":${choice},"logprobs":${logprobs},"finish_reason":${reason}}`;
}
