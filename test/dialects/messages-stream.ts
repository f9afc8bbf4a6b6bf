/** Streams of the Messages API for tests: their frames, and events in few words. */
import { readFileSync } from 'node:fs';
import { anthropicMessages } from '../../src/dialects/anthropic-messages/index.ts';
import type { AnswerContext } from '../../src/dialects/dialect.ts';
import type { AnswerEvent } from '../../src/dialects/ir/answer.ts';
import type { JsonObject } from '../../src/dialects/ir/request.ts';

const request = anthropicMessages.readRequest({
  model: 'tiny',
  max_tokens: 9,
  messages: [{ role: 'user', content: 'Hi' }],
});
export const context: AnswerContext = {
  request,
  model: 'tiny',
  requestId: 'req-7',
  arrivedMs: 0,
  nowMs: () => 0,
};

export function eventsOf(chunks: readonly Buffer[]): readonly AnswerEvent[] {
  const events: AnswerEvent[] = [];
  const reader = anthropicMessages.createStreamReader((event) => events.push(event));
  for (const chunk of chunks) reader.push(chunk);
  reader.end();
  return events;
}

export function streamOf(events: readonly AnswerEvent[]): string {
  const writer = anthropicMessages.createStreamWriter(context);
  return events.map((event) => writer.write(event)).join('');
}

export function sse(...events: readonly JsonObject[]): Buffer {
  return Buffer.from(
    events.map((event) => `event: ${String(event['type'])}\ndata: ${JSON.stringify(event)}\n\n`).join(''),
  );
}

/** Data of the frames of a stream, in order. */
export function framesOf(stream: string): readonly JsonObject[] {
  return stream
    .split('\n\n')
    .slice(0, -1)
    .map((frame) => {
      const [name, data = ''] = frame.split('\n');
      const fields = JSON.parse(data.slice('data: '.length)) as JsonObject;
      if (name !== `event: ${String(fields['type'])}`) throw new Error(`${name} goes with ${data}`);
      return fields;
    });
}

interface Frame {
  readonly type: string;
  readonly index: number;
  readonly content_block: { readonly type: string };
  readonly delta: Readonly<Record<string, string>>;
}

/** What the frames say in few words. */
export function outline(stream: string): readonly string[] {
  return (framesOf(stream) as unknown as readonly Frame[]).map((frame) => {
    const { type, index, content_block: block, delta } = frame;
    if (type === 'content_block_start') return `${index} ${block.type}`;
    if (type === 'content_block_stop') return `${index} stop`;
    if (type !== 'content_block_delta') return type;
    const [, [key, value] = []] = Object.entries(delta);
    return `${index} ${key}=${value}`;
  });
}

export const fixture = (name: string) => readFileSync(`test/fixtures/streams/${name}`);
export const start = {
  type: 'message_start',
  message: { id: 'msg_1', model: 'm', usage: { input_tokens: 5, output_tokens: 1 } },
};
export const stop = { type: 'message_stop' };
export const ends = { kind: 'ended' as const };
export const text = (value: string): AnswerEvent => ({ kind: 'text', choice: 0, text: value });
export const thought = (value: string): AnswerEvent => ({ kind: 'reasoning', choice: 0, text: value });
export const callTool = (call: number, name = 'look'): AnswerEvent => ({
  kind: 'toolCall',
  choice: 0,
  call,
  id: `call_${call}`,
  name,
});
export const pass = (call: number, value: string): AnswerEvent => ({
  kind: 'toolArguments',
  choice: 0,
  call,
  text: value,
});
export const finish = (kind: 'stop' | 'toolCalls' | 'length'): AnswerEvent => ({
  kind: 'finished',
  choice: 0,
  reason: { kind },
});
