import { describe, expect, test } from 'vitest';
import { answerContext, readStream, writeStream } from '../../../test/dialects/answers.ts';
import type { AnswerEvent } from '../ir/answer.ts';
import { AnswerFold, isEngineError } from '../ir/whole-answer.ts';
import { openaiChat } from './index.ts';

const request = openaiChat.readRequest({
  model: 'm',
  messages: [{ role: 'user', content: 'hello' }],
  functions: [{ name: 'look' }, { name: 'listen' }],
});
const context = answerContext({ ...request, usageInStream: false });

const calls: readonly AnswerEvent[] = [
  { kind: 'started', id: 'chatcmpl-x', createdS: 5 },
  { kind: 'toolCall', choice: 0, call: 0, id: 'a', name: 'look' },
  { kind: 'toolArguments', choice: 0, call: 0, text: '{"at":' },
  { kind: 'toolCall', choice: 0, call: 1, id: 'b', name: 'listen' },
  { kind: 'toolArguments', choice: 0, call: 1, text: '{}' },
  { kind: 'toolArguments', choice: 0, call: 0, text: '1}' },
  { kind: 'finished', choice: 0, reason: { kind: 'toolCalls' } },
  { kind: 'ended' },
];

interface Chunk {
  readonly choices: readonly { readonly delta: object; readonly finish_reason: string | null }[];
}

describe('a client that sent functions', () => {
  test('has the first call of a stream as its function call', () => {
    const text = writeStream(openaiChat, calls, context);
    const chunks = text
      .split('\n\n')
      .filter((event) => event.startsWith('data: {'))
      .map((event) => (JSON.parse(event.slice('data: '.length)) as Chunk).choices[0]);
    expect(chunks.map((chunk) => chunk?.delta)).toEqual([
      { role: 'assistant', content: null, refusal: null },
      { function_call: { name: 'look', arguments: '' } },
      { function_call: { arguments: '{"at":' } },
      { function_call: { arguments: '1}' } },
      {},
    ]);
    expect(chunks.at(-1)?.finish_reason).toBe('function_call');
  });

  test('has the first call of a whole answer as its function call', () => {
    const fold = new AnswerFold();
    for (const event of calls) fold.add(event);
    const whole = fold.finish();
    if (isEngineError(whole)) throw new Error(whole.message);
    expect(openaiChat.writeAnswer(whole, context)['choices']).toEqual([
      {
        index: 0,
        message: {
          role: 'assistant',
          content: null,
          refusal: null,
          function_call: { name: 'look', arguments: '{"at":1}' },
        },
        logprobs: null,
        finish_reason: 'function_call',
      },
    ]);
  });

  test('says the same again in its next request', () => {
    const { events } = readStream(openaiChat, [writeStream(openaiChat, calls, context)]);
    expect(events.filter(({ kind }) => kind === 'toolCall')).toMatchObject([{ name: 'look' }]);
    const next = openaiChat.readRequest({
      model: 'm',
      messages: [
        { role: 'user', content: 'hello' },
        { role: 'assistant', content: null, function_call: { name: 'look', arguments: '{"at":1}' } },
        { role: 'function', name: 'look', content: 'a river' },
      ],
    });
    expect(next).toMatchObject({
      messages: [
        {},
        { parts: [{ kind: 'toolCall', id: 'call_0', name: 'look' }] },
        { parts: [{ kind: 'toolResult', callId: 'call_0' }] },
      ],
    });
  });
});
