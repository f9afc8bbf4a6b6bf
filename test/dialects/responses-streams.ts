/** Streams of the Responses API for its tests: what the writer makes of events, the reader of bytes, and their frames. */
import { expect } from 'vitest';
import type { AnswerContext } from '../../src/dialects/dialect.ts';
import type { AnswerEvent } from '../../src/dialects/ir/answer.ts';
import type { JsonObject } from '../../src/dialects/ir/request.ts';
import { openaiResponses } from '../../src/dialects/openai-responses/index.ts';

const nowMs = 1_700_000_005_000;

export function contextOf(members: JsonObject = {}): AnswerContext {
  return {
    request: openaiResponses.readRequest({ model: 'tiny', input: 'Hi', ...members }),
    model: 'tiny',
    requestId: 'ab-12',
    arrivedMs: 1_700_000_000_500,
    nowMs: () => nowMs,
  };
}

export function write(events: readonly AnswerEvent[], context = contextOf()): string {
  const writer = openaiResponses.createStreamWriter(context);
  return events.map((event) => writer.write(event)).join('');
}

export function read(...chunks: readonly (Buffer | string)[]): readonly AnswerEvent[] {
  const events: AnswerEvent[] = [];
  const reader = openaiResponses.createStreamReader((event) => events.push(event));
  for (const chunk of chunks) reader.push(Buffer.from(chunk));
  reader.end();
  return events;
}

/** The events of a stream, in order; their numbers and names are checked. */
export function framesOf(stream: string): readonly JsonObject[] {
  return stream
    .split('\n\n')
    .slice(0, -1)
    .map((frame, index) => {
      const [name, data = ''] = frame.split('\n');
      const fields = JSON.parse(data.slice('data: '.length)) as JsonObject;
      expect(name).toBe(`event: ${String(fields['type'])}`);
      expect(fields['sequence_number']).toBe(index);
      return fields;
    });
}

export function typesOf(stream: string): readonly string[] {
  return framesOf(stream).map(({ type }) => String(type).replace('response.', ''));
}

export function responseOf(stream: string): JsonObject {
  return framesOf(stream).at(-1)?.['response'] as JsonObject;
}

export function sse(...events: readonly JsonObject[]): string {
  return events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('');
}

export const started: AnswerEvent = { kind: 'started', createdS: 1_700_000_001 };
export const ended: AnswerEvent = { kind: 'ended' };
export const text = (value: string): AnswerEvent => ({ kind: 'text', choice: 0, text: value });
export const reasoning = (value: string): AnswerEvent => ({ kind: 'reasoning', choice: 0, text: value });
export const toolCall = (call: number, name: string): AnswerEvent => ({
  kind: 'toolCall',
  choice: 0,
  call,
  id: `call_${call}`,
  name,
});
export const args = (call: number, value: string): AnswerEvent => ({
  kind: 'toolArguments',
  choice: 0,
  call,
  text: value,
});
export const finished = (kind: 'stop' | 'length' | 'toolCalls' | 'filtered'): AnswerEvent => ({
  kind: 'finished',
  choice: 0,
  reason: { kind },
});
