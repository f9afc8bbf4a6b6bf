import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  arbitraryAnswer,
  cutAt,
  joinPieces,
  splitAnywhere,
} from '../../../test/dialects/arbitrary-answer.ts';
import type { AnswerContext } from '../dialect.ts';
import type { AnswerEvent } from '../ir/answer.ts';
import type { ChatRequest, JsonObject } from '../ir/request.ts';
import { anthropicMessages } from './index.ts';

const request = anthropicMessages.readRequest({
  model: 'tiny',
  max_tokens: 9,
  messages: [{ role: 'user', content: 'Hi' }],
}) as ChatRequest;
const context: AnswerContext = {
  request,
  model: 'tiny',
  requestId: 'req-7',
  arrivedMs: 0,
  nowMs: () => 0,
};

function eventsOf(chunks: readonly Buffer[]): readonly AnswerEvent[] {
  const events: AnswerEvent[] = [];
  const reader = anthropicMessages.createStreamReader((event) => events.push(event));
  for (const chunk of chunks) reader.push(chunk);
  reader.end();
  return events;
}

function streamOf(events: readonly AnswerEvent[]): string {
  const writer = anthropicMessages.createStreamWriter(context);
  return events.map((event) => writer.write(event)).join('');
}

function sse(...events: readonly JsonObject[]): Buffer {
  return Buffer.from(
    events.map((event) => `event: ${String(event['type'])}\ndata: ${JSON.stringify(event)}\n\n`).join(''),
  );
}

/** Data of the frames of a stream, in order. */
function framesOf(stream: string): readonly JsonObject[] {
  return stream
    .split('\n\n')
    .slice(0, -1)
    .map((frame) => {
      const [name, data = ''] = frame.split('\n');
      const fields = JSON.parse(data.slice('data: '.length)) as JsonObject;
      expect(name).toBe(`event: ${String(fields['type'])}`);
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
function outline(stream: string): readonly string[] {
  return (framesOf(stream) as unknown as readonly Frame[]).map((frame) => {
    const { type, index, content_block: block, delta } = frame;
    if (type === 'content_block_start') return `${index} ${block.type}`;
    if (type === 'content_block_stop') return `${index} stop`;
    if (type !== 'content_block_delta') return type;
    const [, [key, value] = []] = Object.entries(delta);
    return `${index} ${key}=${value}`;
  });
}

const fixture = (name: string) => readFileSync(`test/fixtures/streams/${name}`);
const start = {
  type: 'message_start',
  message: { id: 'msg_1', model: 'm', usage: { input_tokens: 5, output_tokens: 1 } },
};
const stop = { type: 'message_stop' };
const ends = { kind: 'ended' as const };
const text = (value: string): AnswerEvent => ({ kind: 'text', choice: 0, text: value });
const thought = (value: string): AnswerEvent => ({ kind: 'reasoning', choice: 0, text: value });
const callTool = (call: number, name = 'look'): AnswerEvent => ({
  kind: 'toolCall',
  choice: 0,
  call,
  id: `call_${call}`,
  name,
});
const pass = (call: number, value: string): AnswerEvent => ({
  kind: 'toolArguments',
  choice: 0,
  call,
  text: value,
});
const finish = (kind: 'stop' | 'toolCalls' | 'length'): AnswerEvent => ({
  kind: 'finished',
  choice: 0,
  reason: { kind },
});

describe('reading', () => {
  test("llama.cpp's stream of a text", () => {
    expect(joinPieces(eventsOf([fixture('messages.sse')]))).toEqual([
      {
        kind: 'started',
        id: 'chatcmpl-d8hrR0hgLQLapSvomQ5a1Qp3WSya8KFk',
        model: 'tiny',
        usage: { inputTokens: 17, outputTokens: 0, cachedTokens: 0 },
      },
      text(' request my great create'),
      finish('length'),
      { kind: 'usage', usage: { inputTokens: 17, outputTokens: 4, cachedTokens: 0 } },
      ends,
    ]);
  });

  test("llama.cpp's error, which has no envelope", () => {
    expect(eventsOf([fixture('messages-error.sse')]).at(-1)).toEqual({
      kind: 'failed',
      error: {
        message: 'Context size has been exceeded.',
        status: 500,
        type: 'server_error',
        code: 500,
        overflow: {},
      },
    });
  });

  test('blocks that overlap and stop at the end, as llama.cpp has them', () => {
    const stream = sse(
      start,
      { type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'hm' } },
      { type: 'content_block_start', index: 1, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: 'Sky' } },
      { type: 'content_block_start', index: 2, content_block: { type: 'tool_use', id: 'a', name: 'look' } },
      { type: 'content_block_delta', index: 2, delta: { type: 'input_json_delta', partial_json: '{"at":' } },
      { type: 'content_block_start', index: 3, content_block: { type: 'tool_use', id: 'b', name: 'wait' } },
      { type: 'content_block_delta', index: 2, delta: { type: 'input_json_delta', partial_json: '"sky"}' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: '' } },
      ...[0, 1, 2, 3].map((index) => ({ type: 'content_block_stop', index })),
      { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 9 } },
      stop,
    );
    expect(eventsOf([stream]).slice(1)).toEqual([
      thought('hm'),
      text('Sky'),
      { ...callTool(0), id: 'a' },
      pass(0, '{"at":'),
      { ...callTool(1, 'wait'), id: 'b' },
      pass(0, '"sky"}'),
      pass(1, '{}'),
      finish('toolCalls'),
      { kind: 'usage', usage: { inputTokens: 5, outputTokens: 9 } },
      ends,
    ]);
  });

  test('signatures, hidden thoughts, input that comes whole, blocks of the service', () => {
    const search = { type: 'server_tool_use', id: 's', name: 'web_search', input: {} };
    const stream = sse(
      start,
      {
        type: 'content_block_start',
        index: 0,
        content_block: { type: 'thinking', thinking: '', signature: '' },
      },
      { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'hm' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: 'c2ln' } },
      { type: 'content_block_stop', index: 0 },
      { type: 'content_block_start', index: 1, content_block: { type: 'redacted_thinking', data: 'eHg=' } },
      { type: 'content_block_stop', index: 1 },
      { type: 'ping' },
      { type: 'content_block_start', index: 2, content_block: search },
      {
        type: 'content_block_delta',
        index: 2,
        delta: { type: 'input_json_delta', partial_json: '{"query":1}' },
      },
      { type: 'content_block_stop', index: 2 },
      {
        type: 'content_block_start',
        index: 3,
        content_block: { type: 'tool_use', id: 'a', name: 'look', input: { at: 'sky' } },
      },
      { type: 'content_block_stop', index: 3 },
      {
        type: 'message_delta',
        delta: { stop_reason: 'end_turn', stop_sequence: 'END' },
        usage: {
          input_tokens: 7,
          cache_read_input_tokens: 2,
          cache_creation_input_tokens: 1,
          output_tokens: 9,
          output_tokens_details: { thinking_tokens: 4 },
        },
      },
      stop,
    );
    expect(eventsOf([stream]).slice(1)).toEqual([
      thought('hm'),
      { kind: 'reasoningProof', choice: 0, signature: 'c2ln' },
      { kind: 'reasoningProof', choice: 0, encrypted: 'eHg=' },
      {
        kind: 'opaque',
        dialect: 'anthropic-messages',
        type: 'server_tool_use',
        value: { content_block: { ...search, input: { query: 1 } } },
      },
      { ...callTool(0), id: 'a' },
      pass(0, '{"at":"sky"}'),
      { kind: 'finished', choice: 0, reason: { kind: 'stop', stopText: 'END' } },
      {
        kind: 'usage',
        usage: { inputTokens: 10, outputTokens: 9, cachedTokens: 2, cacheWriteTokens: 1, reasoningTokens: 4 },
      },
      ends,
    ]);
  });

  test.each<[string, Buffer, string]>([
    ['nothing', Buffer.from(''), 'The stream of the engine ended before its end'],
    ['no message_stop', sse(start), 'The stream of the engine ended before its end'],
    ['no JSON', Buffer.from('data: oops\n\n'), 'The engine sent an event that is not a JSON object'],
    ['an error', sse({ type: 'error', error: { type: 'overloaded_error', message: 'Busy' } }), 'Busy'],
    ['an error of OpenAI', Buffer.from('data: {"error":{"message":"Busy"}}\n\n'), 'Busy'],
    [
      "a proxy's words",
      Buffer.from('proxy error: Failed to read connection'),
      'The stream of the engine ended before its end',
    ],
  ])('a stream with %s fails', (_, stream, message) => {
    const failed = eventsOf([stream]).filter(({ kind }) => kind === 'failed' || kind === 'ended');
    expect(failed).toMatchObject([{ kind: 'failed', error: { message } }]);
  });

  test('what an engine leaves out is put right and named', () => {
    const names: string[] = [];
    const reader = anthropicMessages.createStreamReader(
      () => undefined,
      (name) => names.push(name),
    );
    for (const index of [0, 1]) {
      reader.push(
        sse({ type: 'content_block_start', index, content_block: { type: 'tool_use', name: 'x' } }),
      );
    }
    reader.push(sse(stop));
    expect(names).toEqual(['toolIdMissing', 'finishReasonMissing', 'argumentsMissing']);
  });

  test('a stream without a reason has one all the same', () => {
    expect(eventsOf([sse(start, stop)]).map(({ kind }) => kind)).toEqual([
      'started',
      'finished',
      'usage',
      'ended',
    ]);
  });

  test('anything at all gives one start at most and one end', () => {
    const value = fc.oneof(fc.string(), fc.nat(3), fc.constant(null), fc.constant({}), fc.constant([]));
    const event = fc.record({
      type: fc.constantFrom(
        'message_start',
        'content_block_start',
        'content_block_delta',
        'content_block_stop',
        'message_delta',
        'message_stop',
        'error',
        'x',
      ),
      index: value,
      message: value,
      usage: fc.oneof(value, fc.record({ input_tokens: value, output_tokens: value })),
      content_block: fc.oneof(
        value,
        fc.record({
          type: fc.constantFrom('text', 'tool_use', 'thinking', 'x'),
          text: value,
          id: value,
          name: value,
          input: value,
        }),
      ),
      delta: fc.oneof(
        value,
        fc.record({
          type: fc.constantFrom('text_delta', 'input_json_delta', 'x'),
          text: value,
          partial_json: value,
          stop_reason: value,
        }),
      ),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 12 }), (events) => {
        const kinds = eventsOf([sse(...events)]).map(({ kind }) => kind);
        expect(kinds.slice(1)).not.toContain('started');
        expect(kinds.filter((kind) => kind === 'ended' || kind === 'failed')).toEqual([kinds.at(-1)]);
      }),
      { numRuns: 500 },
    );
  });
});

describe('writing', () => {
  test('a whole message, frame by frame', () => {
    const stream = streamOf([
      { kind: 'started', id: 'chatcmpl-1', usage: { inputTokens: 5, outputTokens: 0, cachedTokens: 2 } },
      thought('hm'),
      text('He'),
      text('y'),
      finish('stop'),
      { kind: 'usage', usage: { inputTokens: 5, outputTokens: 3, cachedTokens: 2, reasoningTokens: 1 } },
      ends,
      text('late'),
    ]);
    const frames = framesOf(stream);
    expect(frames[0]).toEqual({
      type: 'message_start',
      message: {
        id: 'msg_req7',
        type: 'message',
        role: 'assistant',
        model: 'tiny',
        content: [],
        stop_reason: null,
        stop_sequence: null,
        stop_details: null,
        container: null,
        usage: {
          input_tokens: 3,
          cache_creation_input_tokens: 0,
          cache_read_input_tokens: 2,
          output_tokens: 0,
        },
      },
    });
    expect(outline(stream).slice(1, -2)).toEqual([
      '0 thinking',
      '0 thinking=hm',
      '0 signature=',
      '0 stop',
      '1 text',
      '1 text=He',
      '1 text=y',
      '1 stop',
    ]);
    expect(frames.slice(-2)).toEqual([
      {
        type: 'message_delta',
        delta: { stop_reason: 'end_turn', stop_sequence: null, stop_details: null, container: null },
        usage: {
          input_tokens: 3,
          cache_creation_input_tokens: 0,
          cache_read_input_tokens: 2,
          output_tokens: 3,
          output_tokens_details: { thinking_tokens: 1 },
        },
      },
      { type: 'message_stop' },
    ]);
  });

  test('the start of the message waits for the length of the prompt', () => {
    const writer = anthropicMessages.createStreamWriter(context);
    expect(writer.write({ kind: 'started' })).toBe('');
    expect(writer.write({ kind: 'progress', done: 1, total: 40 })).toBe('');
    expect(framesOf(writer.write(text('a')))[0]).toMatchObject({ message: { usage: { input_tokens: 40 } } });
  });

  test('calls whose pieces are mixed come one after the other', () => {
    const stream = streamOf([
      { kind: 'started' },
      callTool(0),
      pass(0, '{"at":'),
      callTool(1),
      pass(1, '{"a":"}'),
      pass(0, '"sky"}'),
      pass(1, '"}'),
      callTool(2),
      finish('toolCalls'),
      ends,
    ]);
    expect(outline(stream)).toEqual([
      'message_start',
      '0 tool_use',
      '0 partial_json=',
      '0 partial_json={"at":',
      '0 partial_json="sky"}',
      '0 stop',
      '1 tool_use',
      '1 partial_json=',
      '1 partial_json={"a":"}',
      '1 partial_json="}',
      '1 stop',
      '2 tool_use',
      '2 partial_json=',
      '2 stop',
      'message_delta',
      'message_stop',
    ]);
    expect(framesOf(stream).at(-2)).toMatchObject({ delta: { stop_reason: 'tool_use' } });
  });

  test('text after a call that is not over waits for its end', () => {
    expect(
      outline(
        streamOf([{ kind: 'started' }, callTool(0), text('a'), text('b'), pass(0, '{}'), text('c'), ends]),
      ),
    ).toEqual([
      'message_start',
      '0 tool_use',
      '0 partial_json=',
      '0 partial_json={}',
      '0 stop',
      '1 text',
      '1 text=ab',
      '1 text=c',
      '1 stop',
      'message_delta',
      'message_stop',
    ]);
  });

  test('proofs of thoughts', () => {
    const stream = streamOf([
      { kind: 'started' },
      thought('a'),
      { kind: 'reasoningProof', choice: 0, signature: 'c2ln' },
      thought('b'),
      { kind: 'reasoningProof', choice: 0, encrypted: 'eHg=' },
      { kind: 'reasoningProof', choice: 0, signature: 'bm8=' },
      ends,
    ]);
    expect(outline(stream).slice(1, -2)).toEqual([
      '0 thinking',
      '0 thinking=a',
      '0 signature=c2ln',
      '0 stop',
      '1 thinking',
      '1 thinking=b',
      '1 signature=',
      '1 stop',
      '2 redacted_thinking',
      '2 stop',
      '3 thinking',
      '3 signature=bm8=',
      '3 stop',
    ]);
  });

  test('an engine that says "stop" after calling a tool means the tool', () => {
    const [frame] = framesOf(
      streamOf([{ kind: 'started' }, callTool(0), pass(0, '{}'), finish('stop'), ends]),
    ).slice(-2);
    expect(frame).toMatchObject({ delta: { stop_reason: 'tool_use' } });
  });

  test('an error is the last event, in the middle or instead of everything', () => {
    const error = { message: 'Dead', status: 503 };
    const frame = { type: 'error', error: { type: 'overloaded_error', message: 'Dead' } };
    expect(
      framesOf(streamOf([{ kind: 'started' }, text('a'), { kind: 'failed', error }, text('b')])).at(-1),
    ).toEqual(frame);
    expect(framesOf(streamOf([{ kind: 'failed', error }]))).toEqual([frame]);
  });

  test('what waits is bounded', () => {
    const piece = 'x'.repeat(1024 * 1024);
    const waiting = Array.from({ length: 17 }, () => pass(1, piece));
    const stream = streamOf([
      { kind: 'started' },
      callTool(0),
      callTool(1),
      ...waiting,
      finish('stop'),
      ends,
    ]);
    expect(framesOf(stream).at(-1)).toMatchObject({ type: 'error' });
  });

  test('every answer keeps to the grammar, and reading it gives it back', () => {
    fc.assert(
      fc.property(arbitraryAnswer({ choicesMax: 2 }), (events) => {
        checkGrammar(framesOf(streamOf(events)));
      }),
      { numRuns: 200 },
    );
    const sayable = arbitraryAnswer({
      parts: ['reasoning', 'text', 'toolCall'],
      order: 'normal',
      customCalls: false,
      reasoningProofs: ['signature'],
      logprobs: false,
      reasons: ['stop', 'length', 'refused', 'paused'],
      timings: false,
      progress: false,
      usageMissing: false,
      usage: ['cachedTokens', 'cacheWriteTokens', 'reasoningTokens'],
      endings: ['ended'],
    });
    fc.assert(
      fc.property(sayable, (events) => {
        const read = eventsOf([Buffer.from(streamOf(events))]);
        expect(joinPieces(read).filter(({ kind }) => kind !== 'started' && kind !== 'usage')).toEqual(
          joinPieces(events).filter(({ kind }) => kind !== 'started' && kind !== 'usage'),
        );
        const usageOf = (all: readonly AnswerEvent[]) => all.find((event) => event.kind === 'usage')?.usage;
        expect(usageOf(read)).toEqual({ cachedTokens: 0, cacheWriteTokens: 0, ...usageOf(events) });
      }),
      { numRuns: 200 },
    );
  });

  test('any split of the bytes gives the same events', () => {
    const answers = arbitraryAnswer().chain((events) => {
      const bytes = Buffer.from(streamOf(events));
      return fc.record({ bytes: fc.constant(bytes), chunks: splitAnywhere(bytes) });
    });
    fc.assert(
      fc.property(answers, ({ bytes, chunks }) => {
        expect(eventsOf(chunks)).toEqual(eventsOf([bytes]));
      }),
      { numRuns: 100 },
    );
    const golden = fixture('messages.sse');
    const everyByte = cutAt(
      golden,
      Array.from(golden, (_byte, index) => index),
    );
    expect(eventsOf(everyByte)).toEqual(eventsOf([golden]));
  });
});

/** One block open at a time, indexes ascending without gaps, exactly one end. */
function checkGrammar(frames: readonly JsonObject[]): void {
  let open: unknown;
  let next = 0;
  const types = frames.map(({ type }) => type);
  if (types.length === 1) {
    expect(types).toEqual(['error']);
    return;
  }
  expect(types.indexOf('message_start')).toBe(0);
  expect(types.lastIndexOf('message_start')).toBe(0);
  if (types.at(-1) !== 'error') expect(types.slice(-2)).toEqual(['message_delta', 'message_stop']);
  for (const { type, index } of frames) {
    if (type === 'content_block_start') {
      expect(open).toBeUndefined();
      expect(index).toBe(next);
      open = index;
      next += 1;
    } else if (type === 'content_block_delta') expect(index).toBe(open);
    else if (type === 'content_block_stop') {
      expect(index).toBe(open);
      open = undefined;
    } else if (type === 'message_delta') expect(open).toBeUndefined();
  }
}
