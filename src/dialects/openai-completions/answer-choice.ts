/** Reads what a choice of a text completion says: of a whole answer or of a chunk, which look the same. */
import type { FinishReason } from '../ir/answer.ts';
import { textOf } from '../ir/fields.ts';
import type { ChoiceContext, ChoiceReader } from '../openai/answer-reader.ts';
import { readLogprobs } from './logprobs.ts';

export function createTextChoice({ index, onEvent }: ChoiceContext): ChoiceReader {
  return {
    read(choice) {
      const text = textOf(choice['text']);
      const logprobs = readLogprobs(choice['logprobs']);
      if (text === '' && logprobs === undefined) return;
      onEvent({ kind: 'text', choice: index, text, ...(logprobs !== undefined && { logprobs }) });
    },
    end: (reason): FinishReason => reason ?? { kind: 'stop' },
  };
}
