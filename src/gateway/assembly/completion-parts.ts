/** Puts a text completion together. Requests for token probabilities are not asked for as streams, so there are none. */
import { Envelope } from './envelope.ts';
import { inOrder, toFieldsList, toIndex, toText } from './fields.ts';
import type { AnswerParts } from './fields.ts';

interface Choice {
  readonly index: number;
  text: string;
  finishReason: unknown;
}

export function createCompletionParts(): AnswerParts {
  const envelope = new Envelope();
  const choices = new Map<number, Choice>();
  return {
    add(event) {
      envelope.add(event);
      for (const part of toFieldsList(event['choices'])) {
        const index = toIndex(part['index']);
        const choice = choices.get(index) ?? {
          index,
          text: '',
          finishReason: undefined,
        };
        choices.set(index, choice);
        choice.text += toText(part['text']);
        choice.finishReason = part['finish_reason'] ?? choice.finishReason;
      }
    },
    finish() {
      const whole = inOrder(choices);
      if (whole.length === 0 || whole.some((choice) => choice.finishReason === undefined)) return undefined;
      return envelope.wrap(
        'text_completion',
        whole.map(({ text, index, finishReason }) => ({
          text,
          index,
          logprobs: null,
          finish_reason: finishReason,
        })),
      );
    },
  };
}
