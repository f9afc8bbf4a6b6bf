import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arbitraryAnswer, joinPieces, splitAnywhere } from '../../../test/dialects/arbitrary-answer.ts';
import {
  call,
  ended,
  finished,
  readStream,
  readText,
  said,
  started,
  usage,
  writeStream,
} from '../../../test/dialects/ollama-answers.ts';
import type { AnswerEvent } from '../ir/answer.ts';
import { isObject } from '../ir/fields.ts';
import { ollamaChat, ollamaGenerate } from './index.ts';

function linesOf(stream: string): readonly unknown[] {
  expect(stream.endsWith('\n')).toBe(true);
  return stream
    .slice(0, -1)
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
}

describe("a stream for Ollama's clients", () => {
  test('is a line per piece and a last line with counts and measured times', () => {
    const stream = writeStream([
      started,
      { kind: 'reasoning', choice: 0, text: 'hm' },
      said('Hi'),
      finished('length'),
      usage,
      ended,
    ]);
    expect(stream).toBe(
      [
        '{"model":"m:latest","created_at":"2026-08-21T10:00:00.100000000Z","message":{"role":"assistant","content":"","thinking":"hm"},"done":false}',
        '{"model":"m:latest","created_at":"2026-08-21T10:00:00.200000000Z","message":{"role":"assistant","content":"Hi"},"done":false}',
        '{"model":"m:latest","created_at":"2026-08-21T10:00:00.300000000Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"length",' +
          '"total_duration":300000000,"load_duration":0,"prompt_eval_count":20,"prompt_eval_duration":100000000,"eval_count":3,"eval_duration":200000000}',
        '',
      ].join('\n'),
    );
  });

  test('of generate has `response` in place of a message', () => {
    expect(
      linesOf(writeStream([started, said('Hi'), finished('stop'), ended], ollamaGenerate)),
    ).toMatchObject([
      { response: 'Hi', done: false },
      { response: '', done: true, done_reason: 'stop' },
    ]);
  });

  test("takes the engine's own times", () => {
    const timings = {
      promptMs: 1.5,
      predictedMs: 20.25,
      loadMs: 3,
      totalMs: 40,
      promptTokens: 6,
      cachedTokens: 4,
    };
    const stream = writeStream([
      started,
      said('Hi'),
      finished('stop'),
      { kind: 'timings', timings: { ...timings, predictedTokens: 2 } },
      ended,
    ]);
    expect(linesOf(stream).at(-1)).toMatchObject({
      total_duration: 40_000_000,
      load_duration: 3_000_000,
      prompt_eval_count: 10,
      prompt_eval_cached_count: 4,
      prompt_eval_duration: 1_500_000,
      eval_count: 2,
      eval_duration: 20_250_000,
    });
  });

  test('has a last line without counts when the engine counted nothing', () => {
    const last = linesOf(writeStream([started, said('Hi'), ended])).at(-1);
    expect(last).toMatchObject({ done: true, done_reason: 'stop' });
    expect(last).not.toHaveProperty('eval_count');
  });

  test('has tool calls whole, in one line, with ids, indexes and objects', () => {
    const stream = writeStream([
      started,
      ...call(0, 'f', '{"a"', ':1}'),
      ...call(1, 'g'),
      finished('toolCalls'),
      ended,
    ]);
    expect(linesOf(stream)).toMatchObject([
      {
        message: {
          content: '',
          tool_calls: [
            { id: 'c0', function: { index: 0, name: 'f', arguments: { a: 1 } } },
            { id: 'c1', function: { index: 1, name: 'g', arguments: {} } },
          ],
        },
        done: false,
      },
      { done: true, done_reason: 'stop' },
    ]);
  });

  test('has a call with unfinished arguments as text', () => {
    const stream = writeStream([
      started,
      ...call(0, 'f', '{"a":"b'),
      ...call(1, 'g', '[1]'),
      finished('length'),
      ended,
    ]);
    const [line, last] = linesOf(stream);
    expect(line).toMatchObject({
      message: { content: '{"name":"f","arguments":{"a":"b}\n{"name":"g","arguments":[1]}' },
    });
    expect(line).not.toHaveProperty('message.tool_calls');
    expect(last).toMatchObject({ done_reason: 'length' });
  });

  test('has log probabilities beside their text', () => {
    const probability = { token: 'Hi', logprob: -0.5, bytes: [72, 105] };
    const stream = writeStream([
      started,
      { kind: 'text', choice: 0, text: 'Hi', logprobs: [{ ...probability, top: [probability] }] },
      { kind: 'text', choice: 0, text: '!', logprobs: [{ token: '!', logprob: -1, top: [] }] },
      ended,
    ]);
    expect(linesOf(stream)).toMatchObject([
      { logprobs: [{ ...probability, top_logprobs: [probability] }] },
      { logprobs: [{ token: '!', logprob: -1 }] },
      { done: true },
    ]);
    expect(stream.match(/top_logprobs/g)).toHaveLength(1);
  });

  test('ends with an error line when the engine fails', () => {
    const stream = writeStream([
      started,
      said('Hi'),
      ...call(0, 'f', '{}'),
      { kind: 'failed', error: { message: 'boom' } },
    ]);
    expect(linesOf(stream)).toMatchObject([{ message: { content: 'Hi' } }, { error: 'boom' }]);
  });

  test('has one choice only', () => {
    const stream = writeStream([
      started,
      said('a'),
      { kind: 'text', choice: 1, text: 'b' },
      { kind: 'finished', choice: 1, reason: { kind: 'length' } },
      finished('stop'),
      ended,
    ]);
    expect(linesOf(stream)).toMatchObject([{ message: { content: 'a' } }, { done_reason: 'stop' }]);
  });

  test('knows no id of its own for what it cannot show', () => {
    expect(
      writeStream([
        started,
        { kind: 'progress', done: 1, total: 2 },
        { kind: 'reasoningProof', choice: 0, signature: 's' },
        { kind: 'opaque', dialect: 'x', type: 'y', value: 1 },
        said(''),
      ]),
    ).toBe('');
  });
});

const shape = {
  parts: ['reasoning', 'text', 'toolCall'],
  order: 'normal',
  customCalls: false,
  reasoningProofs: [],
  stopTexts: false,
  usage: [],
  progress: false,
} as const;

test.each([ollamaChat, ollamaGenerate])(
  'a stream written for $name and read again is the same answer',
  (dialect) => {
    const meaning = (events: readonly AnswerEvent[]): readonly AnswerEvent[] =>
      joinPieces(events).filter(({ kind }) => kind !== 'started' && kind !== 'timings');
    fc.assert(
      fc.property(arbitraryAnswer({ ...shape, timings: false, endings: ['ended'] }), (events) => {
        const written = Buffer.from(writeStream(events, dialect));
        const read = readStream([written], dialect);
        expect(read[0]?.kind).toBe('started');
        expect(withoutEmptyCalls(meaning(read))).toEqual(withoutEmptyCalls(meaning(events)));
      }),
      { numRuns: 300 },
    );
  },
);

/** No arguments and those of an empty object are the same. */
function withoutEmptyCalls(events: readonly AnswerEvent[]): readonly AnswerEvent[] {
  return events.filter((event) => event.kind !== 'toolArguments' || event.text !== '{}');
}

test('any split of a stream gives the same events', () => {
  const arbitrary = arbitraryAnswer(shape).chain((events) => {
    const bytes = Buffer.from(writeStream(events));
    return fc.record({ bytes: fc.constant(bytes), chunks: splitAnywhere(bytes) });
  });
  fc.assert(
    fc.property(arbitrary, ({ bytes, chunks }) => {
      expect(readStream(chunks)).toEqual(readStream([bytes]));
    }),
    { numRuns: 200 },
  );
});

test('any answer of any engine becomes valid lines, and hostile lines become one failure at most', () => {
  fc.assert(
    fc.property(arbitraryAnswer({ choicesMax: 2 }), (events) => {
      const lines = linesOf(writeStream(events));
      expect(lines.every(isObject)).toBe(true);
      expect(lines.slice(0, -1).every((line) => isObject(line) && line['done'] === false)).toBe(true);
      const last = lines.at(-1);
      expect(isObject(last) && (last['done'] === true || typeof last['error'] === 'string')).toBe(true);
    }),
    { numRuns: 200 },
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.json(), fc.string(), hostileLine)), (lines) => {
      const events = readText(lines.join('\n'));
      expect(events.filter(({ kind }) => kind === 'failed' || kind === 'ended')).toHaveLength(1);
      expect(['failed', 'ended']).toContain(events.at(-1)?.kind);
      expect(events.filter(({ kind }) => kind === 'started').length).toBeLessThanOrEqual(1);
    }),
    { numRuns: 300 },
  );
});

const hostileLine = fc
  .dictionary(
    fc.constantFrom('message', 'response', 'done', 'tool_calls', 'logprobs', 'eval_count', 'thinking'),
    fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constant({ tool_calls: [{ function: { name: 'f', arguments: 7 } }] }),
      fc.constant([{ token: 'a', logprob: 1, top_logprobs: [null, { token: 1 }] }]),
    ),
  )
  .map((line) => JSON.stringify(line));
