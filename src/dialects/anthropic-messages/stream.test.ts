import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { joinPieces } from '../../../test/dialects/arbitrary-answer.ts';
import {
  callTool,
  ends,
  eventsOf,
  finish,
  fixture,
  pass,
  sse,
  start,
  stop,
  text,
  thought,
} from '../../../test/dialects/messages-stream.ts';
import { anthropicMessages } from './index.ts';

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

  test('an event without end fails, and no memory is lost on it', () => {
    const endless = Buffer.concat([Buffer.from('data: "'), Buffer.alloc(17 * 1024 * 1024, 'x')]);
    expect(eventsOf([endless, sse(start)])).toEqual([
      { kind: 'failed', error: { message: 'An event of the engine is too large', status: 502 } },
    ]);
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
