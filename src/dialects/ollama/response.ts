/** Whole answers of Ollama, both directions. */
import type { AnswerContext } from '../dialect.ts';
import type { OnAnswerEvent } from '../ir/answer.ts';
import type { JsonObject } from '../ir/request.ts';
import type { AnswerPart, WholeAnswer } from '../ir/whole-answer.ts';
import type { OnRepair } from '../repairs.ts';
import { writeCalls } from './answer-calls.ts';
import { writeDoneReason } from './done-reason.ts';
import { writeLogprobs } from './logprobs.ts';
import { writeMetrics } from './metrics.ts';
import { AnswerLines } from './read-lines.ts';
import type { SaidMembers } from './stream.ts';
import { timestamp } from './timestamps.ts';

export function readAnswer(body: JsonObject, onEvent: OnAnswerEvent, onRepair?: OnRepair): void {
  const answer = new AnswerLines(onEvent, onRepair);
  answer.read(body);
  answer.end();
}

export function writeAnswer(members: SaidMembers, answer: WholeAnswer, context: AnswerContext): JsonObject {
  const [choice] = answer.choices;
  const parts = choice?.parts ?? [];
  const thinking = textOf(parts, 'reasoning');
  const { calls, text } = writeCalls(
    parts.filter((part) => part.kind === 'toolCall').map((part) => ({ ...part, custom: part.custom })),
  );
  const endedMs = context.nowMs();
  const measured = { arrivedMs: context.arrivedMs, firstMs: undefined, endedMs };
  return {
    model: context.model,
    created_at: timestamp(endedMs),
    ...members({
      text: textOf(parts, 'text', 'refusal') + text,
      ...(thinking !== '' && { thinking }),
      ...(calls.length > 0 && { calls }),
    }),
    done: true,
    done_reason: writeDoneReason(choice?.reason ?? { kind: 'stop' }),
    ...writeMetrics(answer.usage, answer.timings, measured),
    ...(choice?.logprobs !== undefined && { logprobs: writeLogprobs(choice.logprobs) }),
  };
}

function textOf(parts: readonly AnswerPart[], ...kinds: AnswerPart['kind'][]): string {
  return parts.map((part) => (kinds.includes(part.kind) && 'text' in part ? part.text : '')).join('');
}
