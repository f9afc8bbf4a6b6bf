import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arbitraryAnswer, joinPieces, splitAnywhere } from '../../../test/dialects/arbitrary-answer.ts';
import { answerContext, readStream, readWhole, sse, writeStream } from '../../../test/dialects/answers.ts';
import type { ReadAnswer } from '../../../test/dialects/answers.ts';
import type { AnswerEvent } from '../ir/answer.ts';
import { AnswerFold, isEngineError } from '../ir/whole-answer.ts';
import type { JsonObject } from '../ir/request.ts';
import { openaiChat } from './index.ts';

const fixtures = new URL('../../../test/fixtures/', import.meta.url);

function fixture(path: string): Buffer {
  return readFileSync(new URL(path, fixtures));
}

/** The events of a stream of these deltas, without its beginning. */
function eventsOf(...deltas: readonly JsonObject[]): ReadAnswer {
  return readChunks(
    ...deltas.map((delta) => ({ choices: [{ index: 0, delta }] })),
    { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
    '[DONE]',
  );
}

function readChunks(...chunks: readonly (JsonObject | string)[]): ReadAnswer {
  const { events, repairs } = readStream(openaiChat, [sse(...chunks)]);
  return { events: events.filter(({ kind }) => kind !== 'started'), repairs };
}

/** Calls of an answer as text: `name id arguments`. */
function callsOf(events: readonly AnswerEvent[]): readonly string[] {
  const fold = new AnswerFold();
  for (const event of [{ kind: 'started' } as const, ...events]) fold.add(event);
  const answer = fold.finish();
  if (isEngineError(answer)) throw new Error(answer.message);
  return answer.choices.flatMap(({ parts }) =>
    parts.flatMap((part) => (part.kind === 'toolCall' ? [`${part.name} ${part.id} ${part.arguments}`] : [])),
  );
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

describe('a tool call of an engine', () => {
  const piece = (members: JsonObject, text: unknown, name?: string): JsonObject => ({
    ...members,
    function: { ...(name !== undefined && { name }), arguments: text },
  });
  const calls = (...pieces: readonly JsonObject[]): JsonObject => ({ tool_calls: pieces });

  test.each<[string, readonly JsonObject[], readonly string[], readonly string[]]>([
    [
      'in pieces',
      [
        calls(piece({ index: 0, id: 'a' }, '', 'f')),
        calls(piece({ index: 0 }, '{"x"')),
        calls(piece({ index: 0 }, ':1}')),
      ],
      ['f a {"x":1}'],
      [],
    ],
    [
      'whole, two in one delta',
      [calls(piece({ index: 0, id: 'a' }, '{}', 'f'), piece({ index: 1, id: 'b' }, '{}', 'g'))],
      ['f a {}', 'g b {}'],
      [],
    ],
    [
      'without index, with ids',
      [calls(piece({ id: 'a' }, '{}', 'f')), calls(piece({ id: 'b' }, '{"y":2}', 'g'))],
      ['f a {}', 'g b {"y":2}'],
      ['toolIndexMissing'],
    ],
    [
      'without index, in pieces that repeat the id',
      [
        calls(piece({ id: 'a' }, '{"x"', 'f')),
        calls(piece({ id: 'b' }, '{', 'g')),
        calls(piece({ id: 'a' }, ':1}')),
        calls(piece({ id: 'b' }, '}')),
      ],
      ['f a {"x":1}', 'g b {}'],
      ['toolIndexMissing'],
    ],
    [
      'without index and id',
      [calls(piece({}, '{"x":', 'f')), calls(piece({}, '1}')), calls(piece({}, '{}', 'f'))],
      ['f call_0_0 {"x":1}', 'f call_0_1 {}'],
      ['toolIndexMissing', 'toolIdMissing'],
    ],
    [
      'always with index 0',
      [calls(piece({ index: 0, id: 'a' }, '{}', 'f')), calls(piece({ index: 0, id: 'b' }, '{}', 'g'))],
      ['f a {}', 'g b {}'],
      ['toolIndexRepeated'],
    ],
    [
      'with index 0 and no id, one after the other',
      [calls(piece({ index: 0 }, '{"x":1}', 'f')), calls(piece({ index: 0 }, '{"x":2}', 'f'))],
      ['f call_0_0 {"x":1}', 'f call_0_1 {"x":2}'],
      ['toolIdMissing', 'toolIndexRepeated'],
    ],
    [
      'with id and name in every piece',
      [calls(piece({ index: 0, id: 'a' }, '{"x"', 'f')), calls(piece({ index: 0, id: 'a' }, ':1}', 'f'))],
      ['f a {"x":1}'],
      [],
    ],
    [
      'with another id in every piece',
      [calls(piece({ index: 0, id: 'a' }, '{"x"', 'f')), calls(piece({ index: 0, id: 'b' }, ':1}', 'f'))],
      ['f a {"x":1}'],
      [],
    ],
    [
      'with its name once more before the arguments',
      [calls(piece({ index: 0, id: 'a' }, '', 'f')), calls(piece({ index: 0 }, '{}', 'f'))],
      ['f a {}'],
      [],
    ],
    [
      'that comes again whole at the end',
      [
        calls(piece({ index: 0, id: 'a' }, '{"x"', 'f')),
        calls(piece({ index: 0 }, ':1}')),
        calls(piece({ index: 0, id: 'a' }, '{"x":1}', 'f')),
      ],
      ['f a {"x":1}'],
      ['toolCallRepeated'],
    ],
    [
      'that comes again whole without its id',
      [calls(piece({ index: 0, id: 'a' }, '{"x":1}', 'f')), calls(piece({ index: 0 }, '{"x":1}', 'f'))],
      ['f a {"x":1}'],
      ['toolCallRepeated'],
    ],
    [
      'with arguments as an object',
      [calls(piece({ index: 0, id: 'a' }, { x: 1 }, 'f'))],
      ['f a {"x":1}'],
      ['argumentsAsObject'],
    ],
    [
      'without arguments',
      [calls(piece({ index: 0, id: 'a' }, undefined, 'f'))],
      ['f a {}'],
      ['argumentsMissing'],
    ],
    [
      'with arguments before its name',
      [calls(piece({ index: 0, id: 'a' }, '{"x"')), calls(piece({ index: 0 }, ':1}', 'f'))],
      ['f a {"x":1}'],
      [],
    ],
    [
      'in the older form',
      [{ function_call: { name: 'f', arguments: '{"x"' } }, { function_call: { arguments: ':1}' } }],
      ['f call_0_0 {"x":1}'],
      ['toolIdMissing'],
    ],
    [
      'that is free text',
      [
        calls({ index: 0, id: 'a', type: 'custom', custom: { name: 'f', input: 'x' } }),
        calls({ index: 0, custom: { input: 'y' } }),
      ],
      ['f a xy'],
      [],
    ],
  ])('%s', (_name, deltas, expected, repairs) => {
    const read = eventsOf(...deltas);
    expect(callsOf(read.events)).toEqual(expected);
    expect(read.repairs.filter((name) => name !== 'finishReasonWrong')).toEqual(repairs);
    expect(read.events).toContainEqual({ kind: 'finished', choice: 0, reason: { kind: 'toolCalls' } });
  });

  test('that never gets a name is left out', () => {
    const { events, repairs } = eventsOf(calls(piece({ index: 0, id: 'a' }, '{}')));
    expect(callsOf(events)).toEqual([]);
    expect(repairs).toEqual(['toolNameMissing']);
  });

  test('without id gets one of the answer', () => {
    const { events } = readStream(openaiChat, [
      sse({ id: 'chatcmpl-1/2', choices: [{ delta: calls(piece({ index: 0 }, '{}', 'f')) }] }, '[DONE]'),
    ]);
    expect(events[1]).toMatchObject({ kind: 'toolCall', id: 'call_chatcmpl-1_2_0_0' });
  });

  test('that was cut keeps its unfinished arguments', () => {
    const { events, repairs } = readChunks(
      { choices: [{ delta: calls(piece({ index: 0, id: 'a' }, '', 'f')), finish_reason: 'length' }] },
      '[DONE]',
    );
    expect(callsOf(events)).toEqual(['f a ']);
    expect(events).toContainEqual({ kind: 'finished', choice: 0, reason: { kind: 'length' } });
    expect(repairs).toEqual([]);
  });
});

describe('the end of an answer', () => {
  const said = { choices: [{ index: 0, delta: { content: 'a' } }] };
  const called = {
    choices: [{ delta: { tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: '{}' } }] } }],
  };
  const end = (reason: string, members: JsonObject = {}): JsonObject => ({
    choices: [{ index: 0, delta: {}, finish_reason: reason, ...members }],
  });

  test.each<[string, readonly (JsonObject | string)[], unknown, readonly string[]]>([
    ['stop', [said, end('stop'), '[DONE]'], { kind: 'stop' }, []],
    [
      'stop at a text (vLLM)',
      [said, end('stop', { stop_reason: 'END' }), '[DONE]'],
      { kind: 'stop', stopText: 'END' },
      [],
    ],
    [
      'stop at a text (SGLang)',
      [said, end('stop', { matched_stop: 'END' }), '[DONE]'],
      { kind: 'stop', stopText: 'END' },
      [],
    ],
    ['stop at a token', [said, end('stop', { stop_reason: 2 }), '[DONE]'], { kind: 'stop' }, []],
    ['length', [said, end('length'), '[DONE]'], { kind: 'length' }, []],
    ['tool calls', [called, end('tool_calls'), '[DONE]'], { kind: 'toolCalls' }, []],
    ['the older name', [called, end('function_call'), '[DONE]'], { kind: 'toolCalls' }, []],
    ['filtered', [said, end('content_filter'), '[DONE]'], { kind: 'filtered' }, []],
    ['other', [said, end('abort'), '[DONE]'], { kind: 'other', reason: 'abort' }, []],
    ['missing', [said, '[DONE]'], { kind: 'stop' }, ['finishReasonMissing']],
    ['missing after a call', [called, '[DONE]'], { kind: 'toolCalls' }, ['finishReasonMissing']],
    ['empty', [said, end(''), '[DONE]'], { kind: 'stop' }, ['finishReasonMissing']],
    ['stop after a call', [called, end('stop'), '[DONE]'], { kind: 'toolCalls' }, ['finishReasonWrong']],
    ['tool calls without any', [said, end('tool_calls'), '[DONE]'], { kind: 'stop' }, ['finishReasonWrong']],
    ['without [DONE]', [said, end('stop')], { kind: 'stop' }, ['doneMissing']],
    ['with blanks around [DONE]', [said, end('stop'), ' [DONE] '], { kind: 'stop' }, []],
  ])('%s', (_name, chunks, reason, repairs) => {
    const read = readChunks(...chunks);
    expect(read.events.slice(-2)).toEqual([{ kind: 'finished', choice: 0, reason }, { kind: 'ended' }]);
    expect(read.repairs).toEqual(repairs);
  });

  test.each<[string, readonly (JsonObject | string)[], string]>([
    ['it breaks off', [said], 'The stream of the engine broke off'],
    [
      'one of two choices has no end',
      [said, { choices: [{ index: 1, delta: {}, finish_reason: 'stop' }] }],
      'The stream of the engine broke off',
    ],
    ['nothing came', [], 'The stream of the engine broke off'],
    ['only the end came', ['[DONE]'], 'The answer of the engine has no choices'],
    ['an event is no JSON', ['{"choices'], 'The stream of the engine cannot be read: an event is no JSON'],
    ['an error comes', [said, { error: { message: 'out of memory', code: 500 } }], 'out of memory'],
    ['an error comes as text', [said, { error: 'out of memory' }], 'out of memory'],
    ['an error comes in the older form', [{ object: 'error', message: 'no', code: 400 }], 'no'],
    [
      'a choice has an error',
      [{ choices: [{ delta: {}, finish_reason: 'error', error: { message: 'no' } }] }],
      'no',
    ],
    [
      'a choice ends with an error',
      [{ choices: [{ delta: {}, finish_reason: 'error' }] }],
      'The engine broke off with an error',
    ],
  ])('is a failure when %s', (_name, chunks, message) => {
    const { events } = readChunks(...chunks, said, '[DONE]');
    const failures = readChunks(...chunks).events.filter(({ kind }) => kind === 'failed');
    expect(failures).toMatchObject([{ error: { message } }]);
    expect(events.filter(({ kind }) => kind === 'failed' || kind === 'ended')).toHaveLength(1);
  });

  test('is a failure when an event is larger than the limit', () => {
    const huge = Buffer.concat([Buffer.from('data: "'), Buffer.alloc(17 * 1024 * 1024, 'a')]);
    const { events } = readStream(openaiChat, [huge]);
    expect(events).toMatchObject([
      { kind: 'failed', error: { message: expect.stringContaining('larger than') as string } },
    ]);
  });

  const usage = { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 };
  const counts = { inputTokens: 5, outputTokens: 2 };
  test.each<[string, readonly JsonObject[], object, readonly string[]]>([
    ['at the end', [end('stop'), { choices: [], usage }], counts, []],
    ['with the last choice', [{ ...end('stop'), usage }], counts, []],
    [
      'with every chunk',
      [
        { ...said, usage: { ...usage, completion_tokens: 1 } },
        { ...end('stop'), usage },
      ],
      counts,
      [],
    ],
    ['inside the choice', [end('stop', { usage })], counts, ['usageMisplaced']],
    ['in a member of its own', [{ ...end('stop'), x_groq: { usage } }], counts, ['usageMisplaced']],
    [
      'with details',
      [
        {
          ...end('stop'),
          usage: {
            ...usage,
            prompt_tokens_details: { cached_tokens: 3 },
            completion_tokens_details: { reasoning_tokens: 1 },
          },
        },
      ],
      { ...counts, cachedTokens: 3, reasoningTokens: 1 },
      [],
    ],
    [
      'only in timings',
      [{ ...end('stop'), timings: { prompt_n: 2, cache_n: 3, predicted_n: 2 } }],
      { ...counts, cachedTokens: 3 },
      ['usageFromTimings'],
    ],
  ])('has its usage %s', (_name, chunks, expected, repairs) => {
    const read = readChunks(said, ...chunks, '[DONE]');
    expect(read.events.filter(({ kind }) => kind === 'usage')).toEqual([{ kind: 'usage', usage: expected }]);
    expect(read.repairs).toEqual(repairs);
  });
});

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
