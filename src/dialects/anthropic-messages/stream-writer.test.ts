import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  arbitraryAnswer,
  cutAt,
  joinPieces,
  splitAnywhere,
} from '../../../test/dialects/arbitrary-answer.ts';
import {
  callTool,
  context,
  ends,
  eventsOf,
  finish,
  fixture,
  framesOf,
  outline,
  pass,
  streamOf,
  text,
  thought,
} from '../../../test/dialects/messages-stream.ts';
import type { AnswerEvent } from '../ir/answer.ts';
import type { JsonObject } from '../ir/request.ts';
import { anthropicMessages } from './index.ts';

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
