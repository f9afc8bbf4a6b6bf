/** `/completion` and `/infill`: llama.cpp's own API. Its streams have no end mark but `"stop":true`. */
import { generationParams } from '../generation-params.ts';
import { tokenId } from '../tokens.ts';
import { frame, timings, type AnswerContext, type AnswerFormat, type Choice } from './format.ts';

export function createNativeFormat(context: AnswerContext): AnswerFormat {
  function last(choice: Choice, content: string): object {
    const predicted = choice.run?.predictedN ?? 0;
    return {
      index: choice.index,
      content,
      tokens: [],
      id_slot: choice.run?.slot ?? -1,
      stop: true,
      model: context.model,
      tokens_predicted: predicted,
      tokens_evaluated: choice.promptTokens,
      generation_settings: generationParams({ request: context.request, full: true, chat: false }),
      prompt: choice.prompt,
      has_new_line: choice.text.includes('\n'),
      truncated: false,
      stop_type: stopType(choice),
      stopping_word: choice.stoppedBy,
      tokens_cached: choice.promptTokens + predicted - 1,
      timings: timings(choice.run),
    };
  }

  return {
    begin: () => '',
    piece: (choice, { text }) =>
      frame({
        index: choice.index,
        content: text,
        tokens: [tokenId(text) ?? 0],
        stop: false,
        id_slot: -1,
        tokens_predicted: choice.run?.predictedN ?? 0,
        tokens_evaluated: choice.promptTokens,
      }),
    end: (choice) => frame(last(choice, '')),
    close: () => '',
    whole() {
      const answers = context.choices.map((choice) => last(choice, choice.text));
      return answers.length === 1 ? answers[0] : answers;
    },
  };
}

function stopType({ finish, stoppedBy }: Choice): string {
  if (stoppedBy !== '') return 'word';
  return finish === 'length' ? 'limit' : 'eos';
}
