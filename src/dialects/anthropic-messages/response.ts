/** Whole answers of the Messages API, both directions. */
import type { AnswerContext } from '../dialect.ts';
import type { OnAnswerEvent } from '../ir/answer.ts';
import { isObject, objectsOf, textOf } from '../ir/fields.ts';
import type { JsonObject } from '../ir/request.ts';
import type { AnswerPart, WholeAnswer } from '../ir/whole-answer.ts';
import { onceEach } from '../repairs.ts';
import type { OnRepair } from '../repairs.ts';
import { readErrorObject } from './errors.ts';
import { dialectName } from './name.ts';
import { readToolId, writeToolId } from './tool-ids.ts';
import { toolInputOf, tryWriteToolInput } from './tool-input.ts';
import { readStopReason, UsageReader, writeStopReason, writeUsage } from './usage.ts';
import { writeReasoning } from './write-messages.ts';

/** An engine's whole answer as events. */
export function readAnswer(body: JsonObject, onEvent: OnAnswerEvent, onRepair?: OnRepair): void {
  const repair = onceEach(onRepair);
  if (!Array.isArray(body['content'])) {
    const isError = body['type'] === 'error' || 'error' in body;
    const error = isError
      ? readErrorObject(body)
      : { message: 'The answer of the engine is not a message', status: 502 };
    onEvent({ kind: 'failed', error });
    return;
  }
  const { id, model } = body;
  onEvent({
    kind: 'started',
    ...(typeof id === 'string' && id !== '' && { id }),
    ...(typeof model === 'string' && model !== '' && { model }),
  });
  let calls = 0;
  for (const block of objectsOf(body['content'])) {
    if (block['type'] === 'tool_use') readCall(block, calls++, onEvent, repair);
    else readBlock(block, onEvent);
  }
  const reason = body['stop_reason'] ?? missingReason(calls, repair);
  onEvent({ kind: 'finished', choice: 0, reason: readStopReason(reason, body['stop_sequence']) });
  const counts = new UsageReader();
  counts.add(body['usage']);
  if (counts.usage !== undefined) onEvent({ kind: 'usage', usage: counts.usage });
  onEvent({ kind: 'ended' });
}

/** The first of several choices: the API has no more. */
export function writeAnswer(answer: WholeAnswer, context: AnswerContext): JsonObject {
  const choice = answer.choices[0];
  const parts = choice?.parts ?? [];
  const opaque = answer.opaque.flatMap(({ dialect, value }) =>
    dialect === dialectName && isObject(value) && isObject(value['content_block'])
      ? [value['content_block']]
      : [],
  );
  const hasCalls = parts.some(({ kind }) => kind === 'toolCall');
  return {
    id: messageIdOf(answer.id, context),
    type: 'message',
    role: 'assistant',
    model: context.model,
    content: [...opaque, ...parts.flatMap(writePart)],
    ...writeStopReason(choice?.reason ?? { kind: 'stop' }, hasCalls),
    stop_details: null,
    container: null,
    usage: writeUsage(answer.usage),
  };
}

const idCharsMax = 64;

/** `msg_…`: the engine's own id where it looks like that, else one made from the request's. */
export function messageIdOf(id: string | undefined, { requestId }: AnswerContext): string {
  if (id?.startsWith('msg_') === true) return id;
  return `msg_${requestId.slice(0, idCharsMax).replaceAll(/[^a-zA-Z0-9]/g, '')}`;
}

function readBlock(block: JsonObject, onEvent: OnAnswerEvent): void {
  switch (block['type']) {
    case 'text': {
      const text = textOf(block['text']);
      if (text !== '') onEvent({ kind: 'text', choice: 0, text });
      return;
    }
    case 'thinking': {
      const text = textOf(block['thinking']);
      const signature = textOf(block['signature']);
      if (text !== '') onEvent({ kind: 'reasoning', choice: 0, text });
      if (signature !== '') onEvent({ kind: 'reasoningProof', choice: 0, signature });
      return;
    }
    case 'redacted_thinking':
      onEvent({ kind: 'reasoningProof', choice: 0, encrypted: textOf(block['data']) });
      return;
    default:
      onEvent({
        kind: 'opaque',
        dialect: dialectName,
        type: textOf(block['type']),
        value: { content_block: block },
      });
  }
}

function readCall(block: JsonObject, call: number, onEvent: OnAnswerEvent, repair: OnRepair): void {
  onEvent({ kind: 'toolCall', choice: 0, call, ...callNameOf(block, call, repair) });
  onEvent({ kind: 'toolArguments', choice: 0, call, text: wholeInputOf(block, repair) });
}

/** Id and name of a call, never empty. */
export function callNameOf(block: JsonObject, call: number, repair: OnRepair): { id: string; name: string } {
  const id = textOf(block['id']);
  if (id === '') repair('toolIdMissing');
  return { id: id === '' ? `toolu_${call}` : readToolId(id), name: textOf(block['name']) || 'unnamed' };
}

/** JSON text of the input that a block has. */
export function wholeInputOf(block: JsonObject, repair: OnRepair): string {
  const { input } = block;
  if (isObject(input)) return tryWriteToolInput(input) ?? '{}';
  if (typeof input === 'string' && input !== '') return input;
  repair('argumentsMissing');
  return '{}';
}

/** What an engine meant that gave no reason. */
export function missingReason(calls: number, repair: OnRepair): string {
  repair('finishReasonMissing');
  return calls > 0 ? 'tool_use' : 'end_turn';
}

function writePart(part: AnswerPart): readonly JsonObject[] {
  switch (part.kind) {
    case 'text':
    case 'refusal':
      return part.text === '' ? [] : [{ type: 'text', text: part.text }];
    case 'reasoning':
      return writeReasoning(part);
    case 'toolCall': {
      const input = toolInputOf(part.arguments, part.custom);
      return [{ type: 'tool_use', id: writeToolId(part.id), name: part.name, input }];
    }
  }
}
