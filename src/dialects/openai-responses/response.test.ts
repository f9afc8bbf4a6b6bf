import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arbitraryAnswer, joinPieces } from '../../../test/dialects/arbitrary-answer.ts';
import { contextOf, framesOf, read, responseOf, write } from '../../../test/dialects/responses-streams.ts';
import type { AnswerEvent } from '../ir/answer.ts';
import type { JsonObject } from '../ir/request.ts';
import { AnswerFold, isEngineError } from '../ir/whole-answer.ts';
import { openaiResponses } from './index.ts';

describe('an answer', () => {
  const shape = {
    reasoningProofs: ['encrypted'],
    reasons: ['stop', 'length', 'filtered'],
    stopTexts: false,
    timings: false,
    progress: false,
    usageMissing: false,
  } as const;

  test('is the same after it was written and read again', () => {
    const order = { ...shape, order: 'normal', endings: ['ended'] } as const;
    fc.assert(
      fc.property(arbitraryAnswer(order), (events) => {
        const again = read(write(events));
        expect(comparable(again)).toEqual(comparable(events));
      }),
    );
  });

  test('is the same as a whole and at the end of its stream', () => {
    fc.assert(
      fc.property(
        arbitraryAnswer({ ...shape, order: 'normal', endings: ['ended'], logprobs: false }),
        (events) => {
          const fold = new AnswerFold();
          for (const event of events) fold.add(event);
          const answer = fold.finish();
          if (isEngineError(answer)) throw new Error(answer.message);
          const whole = openaiResponses.writeAnswer(answer, contextOf());
          expect(JSON.parse(JSON.stringify(whole))).toEqual(responseOf(write(events)));
          const again: AnswerEvent[] = [];
          openaiResponses.readAnswer(whole, (event) => again.push(event));
          expect(comparable(again)).toEqual(comparable(events));
        },
      ),
    );
  });

  test('in any order keeps its grammar: items begin in order, each is done once', () => {
    fc.assert(
      fc.property(arbitraryAnswer({ choicesMax: 2 }), (events) => {
        const frames = framesOf(write(events));
        const indexes = (type: string) =>
          frames.filter((frame) => frame['type'] === type).map((frame) => frame['output_index']);
        const added = indexes('response.output_item.added');
        expect(added).toEqual(added.map((_value, index) => index));
        const done = indexes('response.output_item.done');
        expect(new Set(done).size).toBe(done.length);
        const last = frames.at(-1) ?? {};
        if (last['type'] !== 'response.failed') expect(done).toHaveLength(added.length);
        expect((last['response'] as JsonObject)['output']).toHaveLength(added.length);
      }),
    );
  });

  test('that is none fails', () => {
    for (const body of [
      {},
      { output: 5 },
      { error: { message: 'broken' } },
      { status: 'failed', output: [] },
    ]) {
      const events: AnswerEvent[] = [];
      openaiResponses.readAnswer(body, (event) => events.push(event));
      expect(events.map(({ kind }) => kind)).toEqual(['started', 'failed']);
    }
  });
});

/** Without what the API has no room for: ids of the engine, empty arguments, the model that the client called otherwise. */
function comparable(events: readonly AnswerEvent[]): readonly unknown[] {
  const joined = joinPieces(events.filter((event) => !('text' in event) || event.text !== ''));
  return joined.flatMap((event): readonly unknown[] => {
    if (event.kind === 'started') return [];
    if (event.kind === 'usage') {
      const { cachedTokens = 0, cacheWriteTokens = 0, reasoningTokens = 0, ...usage } = event.usage;
      return [{ ...event, usage: { ...usage, cachedTokens, cacheWriteTokens, reasoningTokens } }];
    }
    if (event.kind === 'text') return [{ ...event, logprobs: undefined }];
    return [event];
  });
}
