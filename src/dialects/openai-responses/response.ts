/** Whole answers, both directions: the same events as a stream, all at once. */
import type { AnswerContext } from '../dialect.ts';
import type { AnswerEvent, OnAnswerEvent } from '../ir/answer.ts';
import { isObject, objectsOf } from '../ir/fields.ts';
import type { AnswerChoice, AnswerPart, WholeAnswer } from '../ir/whole-answer.ts';
import type { JsonObject } from '../ir/request.ts';
import type { OnRepair } from '../repairs.ts';
import { readFailure } from './errors.ts';
import { OutputReader } from './output-reader.ts';
import { start } from './read-stream.ts';
import { emitTimings, emitUsage } from './usage.ts';
import { ResponsesStreamWriter } from './write-stream.ts';

export function readAnswer(body: JsonObject, onEvent: OnAnswerEvent, onRepair?: OnRepair): void {
  start(body, onEvent);
  if (isObject(body['error']) || body['status'] === 'failed' || !Array.isArray(body['output'])) {
    const isError = body['error'] !== undefined && body['error'] !== null;
    onEvent({
      kind: 'failed',
      error: isError ? readFailure(body) : { message: 'The engine sent something that is no response' },
    });
    return;
  }
  const output = new OutputReader(onEvent, onRepair);
  for (const [index, item] of objectsOf(body['output']).entries())
    output.done(item, { id: item['id'], index });
  onEvent({ kind: 'finished', choice: 0, reason: output.reason(body) });
  emitUsage(body['usage'], onEvent);
  emitTimings(body['timings'], onEvent);
  onEvent({ kind: 'ended' });
}

/** The response that a stream of the same answer ends with. */
export function writeAnswer(answer: WholeAnswer, context: AnswerContext): JsonObject {
  const writer = new ResponsesStreamWriter(context);
  for (const event of eventsOf(answer)) writer.write(event);
  return writer.response;
}

function* eventsOf({ createdS, choices, opaque, usage }: WholeAnswer): Generator<AnswerEvent> {
  yield { kind: 'started', ...(createdS !== undefined && { createdS }) };
  yield* opaque;
  const choice = choices.find(({ index }) => index === 0);
  if (choice !== undefined) yield* choiceEvents(choice);
  if (usage !== undefined) yield { kind: 'usage', usage };
  yield { kind: 'ended' };
}

function* choiceEvents({ parts, logprobs, reason }: AnswerChoice): Generator<AnswerEvent> {
  // They are of the whole answer; its first text has them.
  let rest = logprobs;
  for (const [call, part] of parts.entries()) {
    if (part.kind === 'text' && rest !== undefined) {
      yield { kind: 'text', choice: 0, text: part.text, logprobs: rest };
      rest = undefined;
    } else yield* partEvents(part, call);
  }
  yield { kind: 'finished', choice: 0, reason };
}

/** `call`: any number that is its own. */
function* partEvents(part: AnswerPart, call: number): Generator<AnswerEvent> {
  switch (part.kind) {
    case 'text':
    case 'refusal':
      yield { kind: part.kind, choice: 0, text: part.text };
      return;
    case 'reasoning': {
      const { text, signature, encrypted } = part;
      yield { kind: 'reasoning', choice: 0, text };
      if (signature !== undefined || encrypted !== undefined) {
        yield {
          kind: 'reasoningProof',
          choice: 0,
          ...(signature !== undefined && { signature }),
          ...(encrypted !== undefined && { encrypted }),
        };
      }
      return;
    }
    case 'toolCall': {
      const { id, name, arguments: text, custom } = part;
      yield { kind: 'toolCall', choice: 0, call, id, name, ...(custom !== undefined && { custom }) };
      yield { kind: 'toolArguments', choice: 0, call, text };
    }
  }
}
