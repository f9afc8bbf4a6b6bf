import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arbitraryAnswer, splitAnywhere } from '../../../test/dialects/arbitrary-answer.ts';
import { answerContext, readStream, readWhole, sse, writeStream } from '../../../test/dialects/answers.ts';
import type { AnswerEvent } from '../ir/answer.ts';
import type { JsonObject } from '../ir/request.ts';
import { AnswerFold, isEngineError } from '../ir/whole-answer.ts';
import type { WholeAnswer } from '../ir/whole-answer.ts';
import { openaiCompletions } from './index.ts';

function fixture(name: string): Buffer {
  return readFileSync(new URL(`../../../test/fixtures/assembly/${name}`, import.meta.url));
}

function foldOf(events: readonly AnswerEvent[]): WholeAnswer {
  const fold = new AnswerFold();
  for (const event of events) fold.add(event);
  const answer = fold.finish();
  if (isEngineError(answer)) throw new Error(answer.message);
  return answer;
}

describe('a recorded stream of llama-server', () => {
  test.each(['completions-length', 'completions-prompts'])('is the answer without a stream: %s', (name) => {
    const stream = foldOf(readStream(openaiCompletions, [fixture(`${name}.sse`)]).events);
    const body = JSON.parse(fixture(`${name}.answer.json`).toString()) as JsonObject;
    const whole = foldOf(readWhole(openaiCompletions, body).events);
    expect(stream.choices).toEqual(whole.choices);
    expect(stream.usage?.outputTokens).toBe(whole.usage?.outputTokens);
  });

  test('gives a client the same text in any split', () => {
    const bytes = fixture('completions-prompts.sse');
    const whole = writeStream(openaiCompletions, readStream(openaiCompletions, [bytes]).events);
    fc.assert(
      fc.property(splitAnywhere(bytes), (pieces) => {
        expect(writeStream(openaiCompletions, readStream(openaiCompletions, pieces).events)).toBe(whole);
      }),
      { numRuns: 30 },
    );
  });
});

test('an answer of texts is the same after writing and reading it, streamed and whole', () => {
  const answers = arbitraryAnswer({
    choicesMax: 2,
    parts: ['text'],
    order: 'normal',
    logprobs: false,
    reasons: ['stop', 'length', 'filtered'],
    stopTexts: false,
    endings: ['ended'],
    timings: false,
  });
  fc.assert(
    fc.property(answers, (events) => {
      const context = answerContext({ usageInStream: true });
      const answer = foldOf(events);
      const stream = readStream(openaiCompletions, [writeStream(openaiCompletions, events, context)]);
      const body = openaiCompletions.writeAnswer(answer, context);
      const whole = readWhole(openaiCompletions, JSON.parse(JSON.stringify(body)) as JsonObject);
      for (const read of [stream, whole]) {
        expect(foldOf(read.events)).toMatchObject({ choices: answer.choices, usage: answer.usage });
      }
    }),
  );
});

describe('log probabilities', () => {
  const logprobs = {
    tokens: ['He', 'llo'],
    token_logprobs: [-0.1, -0.2],
    top_logprobs: [{ He: -0.1, Hi: -2 }, null],
    text_offset: [0, 2],
  };
  const tokens = [
    {
      token: 'He',
      logprob: -0.1,
      top: [
        { token: 'He', logprob: -0.1 },
        { token: 'Hi', logprob: -2 },
      ],
    },
    { token: 'llo', logprob: -0.2, top: [] },
  ];
  const choice = { text: 'Hello', index: 0, logprobs, finish_reason: 'stop' };

  test('are four lists', () => {
    const { events } = readWhole(openaiCompletions, { choices: [choice] });
    expect(events[1]).toEqual({ kind: 'text', choice: 0, text: 'Hello', logprobs: tokens });
    expect(openaiCompletions.writeAnswer(foldOf(events), answerContext())['choices']).toEqual([choice]);
  });

  test('have offsets that go on through a stream', () => {
    const text = writeStream(openaiCompletions, [
      { kind: 'started' },
      { kind: 'text', choice: 0, text: 'Hello', logprobs: tokens },
      { kind: 'text', choice: 0, text: 'He', logprobs: tokens.slice(0, 1) },
    ]);
    expect(text).toContain('"text_offset":[0,2]');
    expect(text).toContain('"text_offset":[5]');
  });

  test('are read in the form of chat completions, too', () => {
    const content = [{ token: 'He', logprob: -0.1, bytes: [72, 101], top_logprobs: [] }];
    const { events } = readStream(openaiCompletions, [
      sse({ choices: [{ text: 'He', index: 0, logprobs: { content }, finish_reason: 'stop' }] }, '[DONE]'),
    ]);
    expect(events[1]).toMatchObject({
      logprobs: [{ token: 'He', logprob: -0.1, bytes: [72, 101], top: [] }],
    });
  });
});

describe('a client’s stream', () => {
  test('is as OpenAI writes it', () => {
    const events: AnswerEvent[] = [
      { kind: 'started', createdS: 5 },
      { kind: 'reasoning', choice: 0, text: 'hm' },
      { kind: 'text', choice: 0, text: 'a' },
      { kind: 'finished', choice: 0, reason: { kind: 'toolCalls' } },
      { kind: 'usage', usage: { inputTokens: 3, outputTokens: 1 } },
      { kind: 'ended' },
    ];
    const head = 'data: {"id":"cmpl-req1","object":"text_completion","created":5,"model":"client-model"';
    expect(writeStream(openaiCompletions, events, answerContext({ usageInStream: true }))).toBe(
      [
        `${head},"choices":[{"text":"a","index":0,"logprobs":null,"finish_reason":null}],"usage":null}\n\n`,
        `${head},"choices":[{"text":"","index":0,"logprobs":null,"finish_reason":"stop"}],"usage":null}\n\n`,
        `${head},"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}\n\n`,
        'data: [DONE]\n\n',
      ].join(''),
    );
  });

  test('that fails ends with the error', () => {
    expect(writeStream(openaiCompletions, [{ kind: 'failed', error: { message: 'gone' } }])).toBe(
      'data: {"error":{"message":"gone","type":"server_error","param":null,"code":null}}\n\n',
    );
  });
});
