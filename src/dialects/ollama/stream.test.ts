import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { Ollama } from 'ollama';
import { afterEach, describe, expect, test } from 'vitest';
import { arbitraryAnswer, joinPieces, splitAnywhere } from '../../../test/dialects/arbitrary-answer.ts';
import type { AnswerContext, Dialect } from '../dialect.ts';
import type { AnswerEvent } from '../ir/answer.ts';
import { isObject } from '../ir/fields.ts';
import type { JsonObject } from '../ir/request.ts';
import { AnswerFold, isEngineError } from '../ir/whole-answer.ts';
import { ollamaChat, ollamaGenerate } from './index.ts';

const arrivedMs = Date.parse('2026-08-21T10:00:00Z');

/** Every look at the clock takes 100 ms. */
function createContext(): AnswerContext {
  let nowMs = arrivedMs;
  return {
    request: ollamaChat.readRequest({ model: 'm', messages: [] }),
    model: 'm:latest',
    requestId: 'r',
    arrivedMs,
    nowMs: () => (nowMs += 100),
  };
}

function writeStream(events: readonly AnswerEvent[], dialect: Dialect = ollamaChat): string {
  const writer = dialect.createStreamWriter(createContext());
  return events.map((event) => writer.write(event)).join('');
}

function linesOf(stream: string): readonly unknown[] {
  expect(stream.endsWith('\n')).toBe(true);
  return stream
    .slice(0, -1)
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
}

function readStream(chunks: readonly Buffer[], dialect: Dialect = ollamaChat): AnswerEvent[] {
  const events: AnswerEvent[] = [];
  const reader = dialect.createStreamReader((event) => events.push(event));
  for (const chunk of chunks) reader.push(chunk);
  reader.end();
  return events;
}

function readText(text: string): AnswerEvent[] {
  return readStream([Buffer.from(text)]);
}

const started: AnswerEvent = { kind: 'started' };
const ended: AnswerEvent = { kind: 'ended' };
const said = (text: string): AnswerEvent => ({ kind: 'text', choice: 0, text });
const finished = (kind: 'stop' | 'length' | 'toolCalls'): AnswerEvent => ({
  kind: 'finished',
  choice: 0,
  reason: { kind },
});
const call = (index: number, name: string, ...pieces: readonly string[]): AnswerEvent[] => [
  { kind: 'toolCall', choice: 0, call: index, id: `c${index}`, name },
  ...pieces.map((text) => ({ kind: 'toolArguments', choice: 0, call: index, text }) as const),
];
const usage: AnswerEvent = { kind: 'usage', usage: { inputTokens: 20, outputTokens: 3 } };

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

describe("a stream of Ollama's", () => {
  const line = (members: JsonObject): string =>
    `${JSON.stringify({ model: 'm', created_at: '2026-08-21T10:00:00.123456789Z', ...members })}\n`;
  const message = (members: JsonObject, rest: JsonObject = { done: false }): string =>
    line({ message: { role: 'assistant', content: '', ...members }, ...rest });

  test('is read to the end of its counts', () => {
    const stream =
      message({ thinking: 'hm' }) +
      message({ content: 'Hi' }) +
      message(
        {},
        {
          done: true,
          done_reason: 'stop',
          total_duration: 5e9,
          load_duration: 1e6,
          prompt_eval_count: 26,
          prompt_eval_duration: 130_000_000,
          eval_count: 2,
          eval_duration: 4_000_000,
        },
      );
    expect(readText(stream)).toEqual([
      { kind: 'started', model: 'm', createdS: arrivedMs / 1000 },
      { kind: 'reasoning', choice: 0, text: 'hm' },
      { kind: 'text', choice: 0, text: 'Hi' },
      { kind: 'finished', choice: 0, reason: { kind: 'stop' } },
      { kind: 'usage', usage: { inputTokens: 26, outputTokens: 2 } },
      { kind: 'timings', timings: { promptMs: 130, predictedMs: 4, loadMs: 1, totalMs: 5000 } },
      { kind: 'ended' },
    ]);
  });

  test('has tool calls with and without ids, which end it for tools', () => {
    const stream =
      message({
        tool_calls: [
          { id: 'call_x', function: { index: 0, name: 'f', arguments: { a: [1] } } },
          { function: { name: 'g', arguments: {} } },
          { function: { arguments: {} } },
        ],
      }) + message({}, { done: true, done_reason: 'stop' });
    expect(readText(stream).slice(1)).toEqual([
      { kind: 'toolCall', choice: 0, call: 0, id: 'call_x', name: 'f' },
      { kind: 'toolArguments', choice: 0, call: 0, text: '{"a":[1]}' },
      { kind: 'toolCall', choice: 0, call: 1, id: 'call_20260821100000123456789_1', name: 'g' },
      { kind: 'toolArguments', choice: 0, call: 1, text: '{}' },
      { kind: 'finished', choice: 0, reason: { kind: 'toolCalls' } },
      { kind: 'ended' },
    ]);
  });

  test.each([
    ['load', { kind: 'other', reason: 'load' }],
    ['length', { kind: 'length' }],
    [undefined, { kind: 'stop' }],
  ])('that is done because of %s is', (reason, read) => {
    const events = readText(line({ response: '', done: true, done_reason: reason }));
    expect(events).toContainEqual({ kind: 'finished', choice: 0, reason: read });
  });

  test.each<[string, string, object]>([
    [
      'without its end',
      message({ content: 'Hi' }),
      { message: 'The answer of the engine ended before its end' },
    ],
    ['with an error line', '{"error":"boom"}\n', { message: 'boom' }],
    [
      'with the error of the server behind it',
      `${JSON.stringify({ error: '{"error":{"code":400,"message":"too long","type":"exceed_context_size_error","n_ctx":512,"n_prompt_tokens":900}}' })}\n`,
      {
        message: 'too long',
        status: 400,
        code: 400,
        type: 'exceed_context_size_error',
        overflow: { contextTokens: 512, promptTokens: 900 },
      },
    ],
    [
      'with text that is no JSON',
      'proxy error\n',
      { message: 'The engine sent a line that is no JSON object' },
    ],
    [
      'with JSON of something else',
      '{"a":1}\n',
      { message: 'The engine sent a line that is no part of an answer' },
    ],
    ['that is empty', '', { message: 'The answer of the engine ended before its end' }],
  ])('%s has failed', (_what, stream, error) => {
    expect(readText(stream).at(-1)).toEqual({ kind: 'failed', error });
  });

  test('is over after its end', () => {
    const stream = message({}, { done: true }) + message({ content: 'more' }) + 'garbage';
    const events = readText(stream);
    expect(events.at(-1)).toEqual(ended);
    expect(events.filter(({ kind }) => kind === 'text')).toEqual([]);
  });

  test('fails with a line beyond all bounds', () => {
    const piece = Buffer.alloc(1024 * 1024, 0x20);
    const events = readStream(Array.from({ length: 20 }, () => piece));
    expect(events).toEqual([{ kind: 'failed', error: { message: 'Line is longer than 16777216 bytes' } }]);
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

describe('a whole answer', () => {
  function fold(events: readonly AnswerEvent[], dialect = ollamaChat): JsonObject {
    const answer = new AnswerFold();
    for (const event of events) answer.add(event);
    const whole = answer.finish();
    if (isEngineError(whole)) throw new Error(whole.message);
    return dialect.writeAnswer(whole, createContext());
  }

  test('is the last line with all that was said', () => {
    const events = [
      started,
      { kind: 'reasoning', choice: 0, text: 'hm' } as const,
      said('Hi'),
      ...call(0, 'f', '{"a":1}'),
      ...call(1, 'g', '{"a"'),
      finished('toolCalls'),
      usage,
      ended,
    ];
    expect(fold(events)).toEqual({
      model: 'm:latest',
      created_at: '2026-08-21T10:00:00.100000000Z',
      message: {
        role: 'assistant',
        content: 'Hi{"name":"g","arguments":{"a"}',
        thinking: 'hm',
        tool_calls: [{ id: 'c0', function: { index: 0, name: 'f', arguments: { a: 1 } } }],
      },
      done: true,
      done_reason: 'stop',
      total_duration: 100_000_000,
      load_duration: 0,
      prompt_eval_count: 20,
      prompt_eval_duration: 0,
      eval_count: 3,
      eval_duration: 100_000_000,
    });
    expect(fold(events, ollamaGenerate)).toMatchObject({
      response: 'Hi{"name":"g","arguments":{"a"}',
      thinking: 'hm',
    });
  });

  test('is read as the events of a stream, and an error as a failure', () => {
    const read = (body: JsonObject): AnswerEvent[] => {
      const events: AnswerEvent[] = [];
      ollamaChat.readAnswer(body, (event) => events.push(event));
      return events;
    };
    expect(
      read({ model: 'm', message: { content: 'Hi' }, done: true, done_reason: 'length', eval_count: 1 }),
    ).toEqual([
      { kind: 'started', model: 'm' },
      said('Hi'),
      finished('length'),
      { kind: 'usage', usage: { inputTokens: 0, outputTokens: 1 } },
      ended,
    ]);
    expect(read({ choices: [] }).map(({ kind }) => kind)).toEqual(['failed']);
    expect(read({ error: 'no' })).toEqual([{ kind: 'failed', error: { message: 'no' } }]);
  });
});

describe('an error', () => {
  test.each<[number, string, object]>([
    [404, '{"error":"model \'x\' not found"}', { message: "model 'x' not found", status: 404 }],
    [502, '<html>Bad gateway</html>', { message: '<html>Bad gateway</html>', status: 502 }],
    [500, '', { message: 'The engine answered with status 500', status: 500 }],
    [
      400,
      '{"error":"the input length exceeds the context length"}',
      { message: 'the input length exceeds the context length', status: 400, overflow: {} },
    ],
    [
      400,
      '{"error":{"message":"bad","type":"invalid_request_error","param":"x","code":null}}',
      { message: 'bad', status: 400, type: 'invalid_request_error', param: 'x' },
    ],
    [500, '{"error":{}}', { message: 'The engine failed without saying why', status: 500 }],
  ])('with status %i and body %s is understood', (status, body, error) => {
    expect(ollamaChat.readError(status, body)).toEqual(error);
  });

  test('is a string for the client', () => {
    expect(ollamaChat.writeError({ message: 'boom', type: 't' }, 500)).toEqual({ error: 'boom' });
  });
});

describe('the official client', () => {
  const stops: (() => void)[] = [];
  afterEach(() => {
    for (const stop of stops.splice(0)) stop();
  });

  async function clientOf(body: string): Promise<Ollama> {
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' });
      response.end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    stops.push(() => server.close());
    return new Ollama({ host: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  }

  test('takes a stream of text and calls', async () => {
    const events = [
      started,
      said('Hé'),
      said('llo'),
      ...call(0, 'f', '{"a":1}'),
      finished('toolCalls'),
      usage,
      ended,
    ];
    const client = await clientOf(writeStream(events));
    const parts = [];
    for await (const part of await client.chat({ model: 'm', stream: true, messages: [] })) parts.push(part);
    expect(parts.map(({ message }) => message.content).join('')).toBe('Héllo');
    expect(parts.flatMap(({ message }) => message.tool_calls ?? [])).toMatchObject([
      { function: { name: 'f', arguments: { a: 1 } } },
    ]);
    expect(parts.at(-1)).toMatchObject({ done: true, done_reason: 'stop', eval_count: 3 });
  });

  test('throws at an error in the stream', async () => {
    const client = await clientOf(
      writeStream([started, said('a'), { kind: 'failed', error: { message: 'boom' } }]),
    );
    const read = async (): Promise<void> => {
      for await (const part of await client.generate({ model: 'm', stream: true, prompt: 'p' })) {
        expect(part.done).toBe(false);
      }
    };
    await expect(read()).rejects.toThrow('boom');
  });
});
