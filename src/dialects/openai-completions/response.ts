/** Whole text completions, both directions. Thoughts and tool calls have no place in them. */
import type { AnswerContext } from '../dialect.ts';
import type { OnAnswerEvent } from '../ir/answer.ts';
import type { JsonObject } from '../ir/request.ts';
import type { AnswerChoice, WholeAnswer } from '../ir/whole-answer.ts';
import { answerHead } from '../openai/answer-head.ts';
import { AnswerReader } from '../openai/answer-reader.ts';
import { writeUsage } from '../openai/usage.ts';
import type { OnRepair } from '../repairs.ts';
import { createTextChoice } from './answer-choice.ts';
import { writeTextReason } from './finish-reason.ts';
import { writeLogprobs } from './logprobs.ts';

export function readAnswer(body: JsonObject, onEvent: OnAnswerEvent, onRepair?: OnRepair): void {
  const answer = new AnswerReader({ onEvent, onRepair, createChoice: createTextChoice });
  answer.read(body);
  answer.done();
}

export function writeAnswer(answer: WholeAnswer, context: AnswerContext): JsonObject {
  const { choices, usage, timings } = answer;
  return {
    ...answerHead(answer, context, { prefix: 'cmpl-', object: 'text_completion' }),
    choices: choices.map(writeChoice),
    ...(usage !== undefined && { usage: writeUsage(usage) }),
    ...(timings?.own !== undefined && { timings: timings.own }),
  };
}

function writeChoice({ index, parts, reason, logprobs }: AnswerChoice): JsonObject {
  const texts = parts.flatMap((part) => (part.kind === 'text' || part.kind === 'refusal' ? [part.text] : []));
  return {
    text: texts.join(''),
    index,
    logprobs: logprobs === undefined ? null : writeLogprobs(logprobs, 0),
    finish_reason: writeTextReason(reason),
  };
}
