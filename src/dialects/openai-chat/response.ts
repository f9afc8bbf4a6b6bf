/** Whole chat completions, both directions. */
import type { AnswerContext } from '../dialect.ts';
import type { OnAnswerEvent } from '../ir/answer.ts';
import type { ToolCallPart } from '../ir/parts.ts';
import type { JsonObject, ModelRequest } from '../ir/request.ts';
import type { AnswerChoice, AnswerPart, WholeAnswer } from '../ir/whole-answer.ts';
import { answerHead } from '../openai/answer-head.ts';
import { AnswerReader } from '../openai/answer-reader.ts';
import { writeUsage } from '../openai/usage.ts';
import type { OnRepair } from '../repairs.ts';
import { createChatChoice } from './answer-choice.ts';
import { wantsFunctionCall } from './call-deltas.ts';
import { restoreCustomCall } from './custom-calls.ts';
import { writeChatReason } from './finish-reason.ts';
import { writeLogprobs } from './logprobs.ts';
import { writeCall } from './messages.ts';

export function readAnswer(body: JsonObject, onEvent: OnAnswerEvent, onRepair?: OnRepair): void {
  const answer = new AnswerReader({ onEvent, onRepair, createChoice: createChatChoice });
  answer.read(body);
  answer.done();
}

export function writeAnswer(answer: WholeAnswer, context: AnswerContext): JsonObject {
  const { choices, usage, timings } = answer;
  return {
    ...answerHead(answer, context, { prefix: 'chatcmpl-', object: 'chat.completion' }),
    choices: choices.map((choice) => writeChoice(choice, context)),
    ...(usage !== undefined && { usage: writeUsage(usage) }),
    ...(timings?.own !== undefined && { timings: timings.own }),
  };
}

function writeChoice(
  { index, parts, reason, logprobs }: AnswerChoice,
  { request }: AnswerContext,
): JsonObject {
  const calls = parts.filter((part) => part.kind === 'toolCall');
  const reasoning = joinedText(parts, 'reasoning');
  return {
    index,
    message: {
      role: 'assistant',
      content: joinedText(parts, 'text') ?? (calls.length > 0 ? null : ''),
      refusal: joinedText(parts, 'refusal') ?? null,
      ...(reasoning !== undefined && { reasoning_content: reasoning }),
      ...writeCalls(calls, request),
    },
    logprobs: logprobs === undefined ? null : writeLogprobs(logprobs),
    finish_reason: writeChatReason(reason, request),
  };
}

function writeCalls(calls: readonly ToolCallPart[], request: ModelRequest): JsonObject {
  const [first] = calls;
  if (first === undefined) return {};
  if (!wantsFunctionCall(request)) {
    return { tool_calls: calls.map((call) => writeCall(restoreCustomCall(call, request))) };
  }
  return { function_call: { name: first.name, arguments: first.arguments } };
}

/** undefined = there is no such part. */
function joinedText(
  parts: readonly AnswerPart[],
  kind: 'text' | 'reasoning' | 'refusal',
): string | undefined {
  const texts = parts.flatMap((part) => (part.kind === kind && part.text !== '' ? [part.text] : []));
  return texts.length === 0 ? undefined : texts.join('');
}
