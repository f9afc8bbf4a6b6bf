import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arbitraryAnswer, joinPieces, splitAnywhere } from '../../../test/dialects/arbitrary-answer.ts';
import { answerContext, readStream, readWhole, writeStream } from '../../../test/dialects/answers.ts';
import { eventsOf, readChunks } from '../../../test/dialects/chat-chunks.ts';
import type { AnswerEvent } from '../ir/answer.ts';
import { AnswerFold, isEngineError } from '../ir/whole-answer.ts';
import type { JsonObject } from '../ir/request.ts';
import { openaiChat } from './index.ts';

const fixtures = new URL('../../../test/fixtures/', import.meta.url);

function fixture(path: string): Buffer {
  return readFileSync(new URL(path, fixtures));
}

const recordings = [
  'chat-choices',
  'chat-length',
  'chat-progress',
  'chat-schema',
  'chat-silent',
  'chat-thinking',
  'chat-thinking-cut',
  'chat-tools',
];

describe('a recorded stream of llama-server', () => {
  test.each(recordings)('is the answer that the server gives without a stream: %s', (name) => {
    const stream = readStream(openaiChat, [fixture(`assembly/${name}.sse`)]);
    const body = JSON.parse(fixture(`assembly/${name}.answer.json`).toString()) as JsonObject;
    const whole = readWhole(openaiChat, body);
    const [one, other] = [stream, whole].map(({ events }) => {
      const fold = new AnswerFold();
      for (const event of events) fold.add(event);
      return fold.finish();
    });
    if (one === undefined || other === undefined || isEngineError(one) || isEngineError(other)) {
      throw new Error('no answer');
    }
    // Ids of tool calls are random.
    const parts = (answer: typeof one): unknown =>
      answer.choices.map((choice) => choice.parts.map((part) => ({ ...part, id: 'any' })));
    expect(parts(one)).toEqual(parts(other));
    expect(one.choices.map(({ reason }) => reason)).toEqual(other.choices.map(({ reason }) => reason));
    expect(one.usage?.outputTokens).toBe(other.usage?.outputTokens);
    expect(one.timings?.predictedTokens).toBe(other.timings?.predictedTokens);
    expect(stream.repairs).toEqual([]);
  });

  test('tells its progress through the prompt', () => {
    const { events } = readStream(openaiChat, [fixture('assembly/chat-progress.sse')]);
    expect(events[1]).toEqual({ kind: 'progress', done: 27, total: 28 });
  });

  test('that breaks off with an error fails with the server’s words', () => {
    const { events } = readStream(openaiChat, [fixture('streams/chat-error.sse')]);
    expect(events.at(-1)).toMatchObject({
      kind: 'failed',
      error: { message: 'Context size has been exceeded.', status: 500, overflow: {} },
    });
    expect(events.filter(({ kind }) => kind === 'ended' || kind === 'failed')).toHaveLength(1);
  });

  test('gives a client the same text in any split', () => {
    const bytes = fixture('assembly/chat-tools.sse');
    const whole = writeStream(openaiChat, readStream(openaiChat, [bytes]).events);
    fc.assert(
      fc.property(splitAnywhere(bytes), (pieces) => {
        expect(writeStream(openaiChat, readStream(openaiChat, pieces).events)).toBe(whole);
      }),
      { numRuns: 30 },
    );
  });
});

describe('an answer', () => {
  const shape = {
    choicesMax: 2,
    reasoningProofs: [],
    reasons: ['stop', 'length', 'filtered', 'other'],
    stopTexts: false,
    timings: false,
    progress: false,
  } as const;

  test('is the same after writing and reading its stream, in any split', () => {
    const split = arbitraryAnswer(shape).chain((events) => {
      const text = writeStream(openaiChat, events, answerContext({ usageInStream: true }));
      return splitAnywhere(Buffer.from(text)).map((pieces) => ({ events, pieces }));
    });
    fc.assert(
      fc.property(split, ({ events, pieces }) => {
        const read = readStream(openaiChat, pieces);
        expect(read.repairs).toEqual([]);
        const last = events.at(-1)?.kind;
        expect(read.events.at(-1)?.kind).toBe(last);
        if (last === 'failed') return;
        expect(normal(read.events)).toEqual(normal(events));
      }),
      { numRuns: 200 },
    );
  });

  test('is the same after writing and reading it whole', () => {
    fc.assert(
      fc.property(arbitraryAnswer({ ...shape, order: 'normal', endings: ['ended'] }), (events) => {
        const fold = new AnswerFold();
        for (const event of events) fold.add(event);
        const answer = fold.finish();
        if (isEngineError(answer)) throw new Error(answer.message);
        const body = JSON.parse(
          JSON.stringify(openaiChat.writeAnswer(answer, answerContext())),
        ) as JsonObject;
        const again = new AnswerFold();
        const { events: wholeEvents, repairs } = readWhole(openaiChat, body);
        for (const event of wholeEvents) again.add(event);
        expect(repairs).toEqual([]);
        const read = again.finish();
        if (isEngineError(read)) throw new Error(read.message);
        expect(read.choices).toEqual(answer.choices);
        expect(read.usage).toEqual(answer.usage);
      }),
    );
  });

  /** Without what the writer adds or puts elsewhere: names of its own, the order of ends. */
  function normal(events: readonly AnswerEvent[]): readonly AnswerEvent[] {
    const isEnd = ({ kind }: AnswerEvent): boolean => ['finished', 'usage', 'ended'].includes(kind);
    const key = (event: AnswerEvent): string => `${event.kind} ${'choice' in event ? event.choice : ''}`;
    const ends = events.filter(isEnd).toSorted((one, other) => key(one).localeCompare(key(other)));
    return [...joinPieces(events.filter((event) => event.kind !== 'started' && !isEnd(event))), ...ends];
  }
});

describe('deltas of an engine', () => {
  test.each<[string, JsonObject, AnswerEvent]>([
    ['text', { content: 'a' }, { kind: 'text', choice: 0, text: 'a' }],
    ['text in parts', { content: [{ type: 'text', text: 'a' }] }, { kind: 'text', choice: 0, text: 'a' }],
    ['thoughts', { reasoning_content: 'a' }, { kind: 'reasoning', choice: 0, text: 'a' }],
    [
      'thoughts by their other name',
      { reasoning: 'a', content: '' },
      { kind: 'reasoning', choice: 0, text: 'a' },
    ],
    [
      'thoughts by both names',
      { reasoning: 'a', reasoning_content: 'a' },
      { kind: 'reasoning', choice: 0, text: 'a' },
    ],
    [
      'thoughts in parts',
      { content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'a' }] }] },
      { kind: 'reasoning', choice: 0, text: 'a' },
    ],
    ['a refusal', { refusal: 'a' }, { kind: 'refusal', choice: 0, text: 'a' }],
  ])('with %s', (_name, delta, event) => {
    const { events, repairs } = eventsOf({ role: 'assistant', content: null }, delta);
    expect(events).toEqual([
      event,
      { kind: 'finished', choice: 0, reason: { kind: 'stop' } },
      { kind: 'ended' },
    ]);
    expect(repairs).toEqual([]);
  });

  test('without anything say nothing', () => {
    const { events } = eventsOf(
      {},
      { content: '' },
      { content: null, tool_calls: null, reasoning: null },
      { tool_calls: [] },
    );
    expect(events.map(({ kind }) => kind)).toEqual(['finished', 'ended']);
  });

  test('with probabilities of text that is still held back give them with the text', () => {
    const token = (word: string): JsonObject => ({ token: word, logprob: -1, bytes: [65], top_logprobs: [] });
    const { events } = readChunks(
      { choices: [{ index: 0, delta: {}, logprobs: { content: [token('a')] } }] },
      {
        choices: [
          { index: 0, delta: { content: 'ab' }, logprobs: { content: [token('b')] }, finish_reason: 'stop' },
        ],
      },
      '[DONE]',
    );
    expect(events[0]).toEqual({
      kind: 'text',
      choice: 0,
      text: 'ab',
      logprobs: [
        { token: 'a', logprob: -1, bytes: [65], top: [] },
        { token: 'b', logprob: -1, bytes: [65], top: [] },
      ],
    });
  });

  test('followed by the whole message are not said twice', () => {
    const { events } = readChunks(
      { choices: [{ delta: { content: 'a' } }] },
      { choices: [{ message: { role: 'assistant', content: 'a' }, finish_reason: 'stop' }] },
      '[DONE]',
    );
    expect(events.filter(({ kind }) => kind === 'text')).toHaveLength(1);
  });
});

test('values that nest without end are no reason to throw', () => {
  const deep: unknown = JSON.parse(`${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`);
  const call = { index: 0, id: 'a', function: { name: 'f', arguments: deep } };
  const message = { role: 'assistant', content: null, tool_calls: [call] };
  expect(readWhole(openaiChat, { choices: [{ message, finish_reason: 'stop' }] }).events.at(-1)?.kind).toBe(
    'ended',
  );
  expect(readWhole(openaiChat, { error: deep }).events).toEqual([
    { kind: 'failed', error: { message: 'The engine failed' } },
  ]);
  expect(() => openaiChat.readRequest({ model: 'm', messages: [message] })).toThrow(
    'messages[0].tool_calls[0].function.arguments: nests too deeply',
  );
});

test('bytes of any kind end in events, never in an error', () => {
  const frame = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.json().map((value) => `data: ${value}\n\n`),
    fc.constantFrom(
      'data: [DONE]\n\n',
      'data: {"choices":[{"delta":{"content":"a"}}]}\n\n',
      'data: {"choices":[null,5]}\n\n',
    ),
    fc
      .dictionary(
        fc.constantFrom('choices', 'usage', 'error', 'timings', 'prompt_progress', 'delta'),
        fc.jsonValue(),
      )
      .map((value) => `data: ${JSON.stringify({ choices: [value], ...value })}\n\n`),
  );
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 6 }), (frames) => {
      const { events } = readStream(openaiChat, frames);
      expect(events.filter(({ kind }) => kind === 'ended' || kind === 'failed')).toHaveLength(1);
      expect(['ended', 'failed']).toContain(events.at(-1)?.kind);
      expect(events.findIndex(({ kind }) => kind === 'started')).toBeLessThanOrEqual(0);
    }),
    { numRuns: 500 },
  );
});
