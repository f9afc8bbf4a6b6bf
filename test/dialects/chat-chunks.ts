/** Chunks of chat completions as engines send them, read in tests. */
import type { AnswerEvent } from '../../src/dialects/ir/answer.ts';
import type { JsonObject } from '../../src/dialects/ir/request.ts';
import { AnswerFold, isEngineError } from '../../src/dialects/ir/whole-answer.ts';
import { openaiChat } from '../../src/dialects/openai-chat/index.ts';
import { readStream, sse } from './answers.ts';
import type { ReadAnswer } from './answers.ts';

/** The events of a stream of these deltas, without its beginning. */
export function eventsOf(...deltas: readonly JsonObject[]): ReadAnswer {
  return readChunks(
    ...deltas.map((delta) => ({ choices: [{ index: 0, delta }] })),
    { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
    '[DONE]',
  );
}

export function readChunks(...chunks: readonly (JsonObject | string)[]): ReadAnswer {
  const { events, repairs } = readStream(openaiChat, [sse(...chunks)]);
  return { events: events.filter(({ kind }) => kind !== 'started'), repairs };
}

/** Calls of an answer as text: `name id arguments`. */
export function callsOf(events: readonly AnswerEvent[]): readonly string[] {
  const fold = new AnswerFold();
  for (const event of [{ kind: 'started' } as const, ...events]) fold.add(event);
  const answer = fold.finish();
  if (isEngineError(answer)) throw new Error(answer.message);
  return answer.choices.flatMap(({ parts }) =>
    parts.flatMap((part) => (part.kind === 'toolCall' ? [`${part.name} ${part.id} ${part.arguments}`] : [])),
  );
}
