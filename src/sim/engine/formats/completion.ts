/** `/v1/completions`: OpenAI text completion. The last frame carries usage and timings whether asked for or not. */
import { fingerprint } from '../options.ts';
import { frame, timings, usage, type AnswerContext, type AnswerFormat, type Choice } from './format.ts';

export function createCompletionFormat(context: AnswerContext): AnswerFormat {
  const { createdS: created, model } = context;
  const [first] = context.choices;
  const id = `chatcmpl-${context.id}`;
  const shared = { created, model, system_fingerprint: fingerprint, object: 'text_completion' };

  function entry(choice: Choice, text: string): object {
    return { text, index: choice.index, logprobs: null, finish_reason: choice.finish ?? null };
  }

  return {
    begin: () => '',
    piece: (choice, piece) => frame({ choices: [entry(choice, piece.text)], ...shared, id }),
    end: (choice) =>
      frame({
        choices: [entry(choice, '')],
        ...shared,
        usage: usage(choice),
        id,
        timings: timings(choice.run),
      }),
    close: () => 'data: [DONE]\n\n',
    whole: () => ({
      choices: context.choices.map((choice) => entry(choice, choice.text)),
      ...shared,
      usage: usage(first),
      id,
      timings: timings(first.run),
    }),
  };
}
