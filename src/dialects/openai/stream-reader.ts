/** Takes the stream of a chat or text completion apart into its chunks. Never throws. */
import { parseExactJson } from '../../base/exact-json.ts';
import { SseReader } from '../../base/sse-reader.ts';
import type { AnswerStreamReader } from '../dialect.ts';
import { isObject } from '../ir/fields.ts';
import type { AnswerReader } from './answer-reader.ts';

export function createChunkStream(answer: AnswerReader): AnswerStreamReader {
  const events = new SseReader({ onEvent: ({ data }) => readData(answer, data) });
  return {
    push(chunk) {
      if (answer.isOver) return;
      try {
        events.push(chunk);
      } catch (error) {
        answer.fail({ message: `The stream of the engine cannot be read: ${(error as Error).message}` });
      }
    },
    end: () => answer.cut(),
  };
}

function readData(answer: AnswerReader, data: string): void {
  if (answer.isOver) return;
  if (data === '[DONE]') {
    answer.done();
    return;
  }
  let value: unknown;
  try {
    value = parseExactJson(data);
  } catch {
    // Blanks around the end mark are not worth a look at every chunk.
    if (data.trim() === '[DONE]') answer.done();
    else answer.fail({ message: 'The stream of the engine cannot be read: an event is no JSON' });
    return;
  }
  // llama-server begins the stream of several prompts with `null`.
  if (isObject(value)) answer.read(value);
}
