/** Streams of chat completions, both directions. */
import type { AnswerContext, AnswerStreamReader, AnswerStreamWriter } from '../dialect.ts';
import type { AnswerEvent, OnAnswerEvent } from '../ir/answer.ts';
import { AnswerReader } from '../openai/answer-reader.ts';
import { ChunkWriter } from '../openai/chunk-writer.ts';
import { createChunkStream } from '../openai/stream-reader.ts';
import type { OnRepair } from '../repairs.ts';
import { createChatChoice } from './answer-choice.ts';
import { createCallDeltas } from './call-deltas.ts';
import { writeChatReason } from './finish-reason.ts';
import { writeLogprobs } from './logprobs.ts';

export function createStreamReader(onEvent: OnAnswerEvent, onRepair?: OnRepair): AnswerStreamReader {
  return createChunkStream(new AnswerReader({ onEvent, onRepair, createChoice: createChatChoice }));
}

export function createStreamWriter(context: AnswerContext): AnswerStreamWriter {
  const chunks = new ChunkWriter(context, { prefix: 'chatcmpl-', object: 'chat.completion.chunk' });
  /** Choices whose first chunk, the one with the role, was written. */
  const begun = new Set<number>();
  const calls = createCallDeltas(context.request);

  function begin(choice: number, content: '' | null): string {
    if (begun.has(choice)) return '';
    begun.add(choice);
    return chunks.chunk(choiceText(choice, JSON.stringify({ role: 'assistant', content, refusal: null })));
  }

  /** `delta`: '' = there is none. */
  function deltaChunk(choice: number, delta: string): string {
    return delta === '' ? '' : chunks.chunk(choiceText(choice, delta));
  }

  return {
    write(event) {
      switch (event.kind) {
        case 'text':
        case 'reasoning':
        case 'refusal':
          return begin(event.choice, '') + chunks.chunk(sayingText(event));
        case 'toolCall': {
          const delta = calls.begin(event);
          return delta === '' ? '' : begin(event.choice, null) + deltaChunk(event.choice, delta);
        }
        case 'toolArguments':
          return deltaChunk(event.choice, calls.piece(event));
        case 'finished': {
          const rest = calls.end(event.choice).map((delta) => deltaChunk(event.choice, delta));
          const first = begin(event.choice, '');
          const reason = writeChatReason(event.reason, context.request);
          chunks.hold(choiceText(event.choice, '{}', { reason }));
          return first + rest.join('');
        }
        case 'started':
        case 'usage':
        case 'timings':
        case 'ended':
        case 'failed':
          return chunks.frame(event);
        case 'progress':
        case 'opaque':
        case 'reasoningProof':
          return '';
      }
    },
  };
}

/** `delta`: JSON text of an object. */
function choiceText(
  choice: number,
  delta: string,
  { logprobs = 'null', reason }: { readonly logprobs?: string; readonly reason?: string } = {},
): string {
  const end = reason === undefined ? 'null' : JSON.stringify(reason);
  return `{"index":${choice},"delta":${delta},"logprobs":${logprobs},"finish_reason":${end}}`;
}

const members = { text: 'content', reasoning: 'reasoning_content', refusal: 'refusal' } as const;

function sayingText(event: Extract<AnswerEvent, { kind: keyof typeof members }>): string {
  const delta = `{"${members[event.kind]}":${JSON.stringify(event.text)}}`;
  if (event.kind !== 'text' || event.logprobs === undefined) return choiceText(event.choice, delta);
  return choiceText(event.choice, delta, { logprobs: JSON.stringify(writeLogprobs(event.logprobs)) });
}
