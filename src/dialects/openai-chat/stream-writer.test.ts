import { describe, expect, test } from 'vitest';
import { answerContext, readStream, writeStream } from '../../../test/dialects/answers.ts';
import { callsOf } from '../../../test/dialects/chat-chunks.ts';
import type { AnswerEvent } from '../ir/answer.ts';
import { AnswerFold, isEngineError } from '../ir/whole-answer.ts';
import { openaiChat } from './index.ts';

describe('a client’s stream', () => {
  const started: AnswerEvent = { kind: 'started', id: 'chatcmpl-x', createdS: 5, fingerprint: 'fp' };
  const head =
    '"id":"chatcmpl-x","object":"chat.completion.chunk","created":5,"model":"client-model","system_fingerprint":"fp"';
  const said: AnswerEvent = { kind: 'text', choice: 0, text: 'a' };
  const finished: AnswerEvent = { kind: 'finished', choice: 0, reason: { kind: 'stop' } };
  const usage: AnswerEvent = { kind: 'usage', usage: { inputTokens: 3, outputTokens: 1, cachedTokens: 2 } };
  const timings: AnswerEvent = { kind: 'timings', timings: { own: { predicted_n: 1 } } };
  const role =
    '{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}';
  const text = '{"index":0,"delta":{"content":"a"},"logprobs":null,"finish_reason":null}';
  const last = '{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}';

  test('has the role first and the reason last', () => {
    expect(writeStream(openaiChat, [started, said, finished, usage, timings, { kind: 'ended' }])).toBe(
      [
        `data: {${head},"choices":[${role}]}\n\n`,
        `data: {${head},"choices":[${text}]}\n\n`,
        `data: {${head},"choices":[${last}],"timings":{"predicted_n":1}}\n\n`,
        'data: [DONE]\n\n',
      ].join(''),
    );
  });

  test('has usage in a chunk of its own where the client wants it', () => {
    const context = answerContext({ usageInStream: true });
    expect(
      writeStream(openaiChat, [started, said, finished, usage, timings, { kind: 'ended' }], context),
    ).toBe(
      [
        `data: {${head},"choices":[${role}],"usage":null}\n\n`,
        `data: {${head},"choices":[${text}],"usage":null}\n\n`,
        `data: {${head},"choices":[${last}],"usage":null}\n\n`,
        `data: {${head},"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4,"prompt_tokens_details":{"cached_tokens":2}},"timings":{"predicted_n":1}}\n\n`,
        'data: [DONE]\n\n',
      ].join(''),
    );
  });

  test('says nothing before the answer does', () => {
    const progress: AnswerEvent = { kind: 'progress', done: 1, total: 2 };
    expect(writeStream(openaiChat, [started, progress])).toBe('');
  });

  test('has ids and times of its own where the engine has none', () => {
    const text1 = writeStream(openaiChat, [{ kind: 'started', id: 'msg_1' }, said]);
    expect(text1).toContain(
      '"id":"chatcmpl-req1","object":"chat.completion.chunk","created":1800000001,"model":"client-model",',
    );
  });

  test('that fails ends with the error and no end mark', () => {
    const failed: AnswerEvent = { kind: 'failed', error: { message: 'gone', status: 502 } };
    expect(writeStream(openaiChat, [started, said, failed])).toMatch(
      /\ndata: \{"error":\{"message":"gone","type":"server_error","param":null,"code":null\}\}\n\n$/,
    );
  });
});

describe('a call of a custom tool', () => {
  const context = answerContext({ tools: [{ kind: 'custom', name: 'patch' }] });
  const events: readonly AnswerEvent[] = [
    { kind: 'started' },
    { kind: 'toolCall', choice: 0, call: 0, id: 'a', name: 'patch' },
    { kind: 'toolArguments', choice: 0, call: 0, text: '{"input":"+ o' },
    { kind: 'toolArguments', choice: 0, call: 0, text: 'ne\\n"}' },
    { kind: 'toolCall', choice: 0, call: 1, id: 'b', name: 'patch' },
    { kind: 'toolArguments', choice: 0, call: 1, text: '{"text":"two"}' },
    { kind: 'finished', choice: 0, reason: { kind: 'toolCalls' } },
    { kind: 'ended' },
  ];

  test('is free text for the client where the engine knew a function', () => {
    const { events: read } = readStream(openaiChat, [writeStream(openaiChat, events, context)]);
    expect(callsOf(read)).toEqual(['patch a + one\n', 'patch b two']);
    expect(read).toContainEqual({
      kind: 'toolCall',
      choice: 0,
      call: 0,
      id: 'a',
      name: 'patch',
      custom: true,
    });
  });

  test('is so in a whole answer, too', () => {
    const fold = new AnswerFold();
    for (const event of events) fold.add(event);
    const answer = fold.finish();
    if (isEngineError(answer)) throw new Error(answer.message);
    expect(openaiChat.writeAnswer(answer, context)).toMatchObject({
      choices: [
        {
          message: {
            tool_calls: [
              { id: 'a', type: 'custom', custom: { name: 'patch', input: '+ one\n' } },
              { id: 'b', type: 'custom', custom: { name: 'patch', input: 'two' } },
            ],
          },
        },
      ],
    });
  });
});
