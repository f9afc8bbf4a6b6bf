import { readdirSync, readFileSync } from 'node:fs';

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { RouteName } from '../domain/routes.ts';
import { createUsageReader } from './usage-reader.ts';
import type { UsageResult } from './usage-reader.ts';

const folder = new URL('../../test/fixtures/streams/', import.meta.url);
const recorded = (name: string): Buffer => readFileSync(new URL(name, folder));

interface Reading {
  readonly route?: RouteName;
  readonly stream?: boolean;
  readonly cuts?: readonly number[];
}

function read(
  bytes: Buffer | string,
  { route = 'chat-completions', stream = true, cuts = [] }: Reading = {},
): UsageResult {
  const whole = Buffer.from(bytes as string);
  const reader = createUsageReader({ route, stream, doneRequired: true });
  let start = 0;
  for (const cut of [...new Set(cuts.map((at) => at % (whole.length + 1)))].sort((a, b) => a - b)) {
    reader.push(whole.subarray(start, cut));
    start = cut;
  }
  reader.push(whole.subarray(start));
  return reader.finish();
}

const routeOf = (name: string): RouteName => {
  if (name.startsWith('chat')) return 'chat-completions';
  if (name.startsWith('native')) return 'native-completion';
  return name.slice(0, name.search(/[-.]/)) as RouteName;
};
const exceeded = 'Context size has been exceeded.';
const counted = (inputTokens: number, outputTokens: number, cachedTokens = 0): object => ({
  inputTokens,
  outputTokens,
  cachedTokens,
  estimated: false,
});

describe('usage reader of recorded streams', () => {
  test.each([
    ['chat-length.sse', counted(28, 5, 27), true, undefined],
    ['chat-without-usage.sse', counted(17, 4, 16), true, undefined],
    ['chat-error.sse', { outputTokens: 9, estimated: true }, false, exceeded],
    [
      'chat-unloaded.sse',
      { outputTokens: 4, estimated: true },
      false,
      'proxy error: Failed to read connection',
    ],
    ['completions-length.sse', counted(2, 5, 1), true, undefined],
    ['native-length.sse', counted(2, 5, 1), true, undefined],
    ['native-error.sse', { estimated: true }, false, exceeded],
    ['messages.sse', counted(17, 4), true, undefined],
    ['messages-error.sse', counted(17, 0), false, exceeded],
    ['responses.sse', counted(15, 4, 6), true, undefined],
    ['responses-error.sse', { estimated: true }, false, exceeded],
  ])('reads %s', (name, usage, complete, streamError) => {
    const result = read(recorded(name), { route: routeOf(name) });
    expect(result).toMatchObject({ complete, streamError });
    expect(result.usage).toMatchObject(usage);
  });

  test('finds llama.cpp timings', () => {
    expect(read(recorded('chat-length.sse')).timings).toMatchObject({
      cachedTokens: 27,
      promptTokens: 1,
      predictedTokens: 5,
    });
    expect(read(recorded('messages.sse'), { route: 'messages' }).timings).toBeUndefined();
  });

  test('reads every recorded stream the same at any split', () => {
    for (const name of readdirSync(folder).filter((entry) => entry.endsWith('.sse'))) {
      const bytes = recorded(name);
      const route = routeOf(name);
      const whole = read(bytes, { route });
      fc.assert(
        fc.property(fc.array(fc.nat(bytes.length), { maxLength: 30 }), (cuts) => {
          expect(read(bytes, { route, cuts })).toEqual(whole);
        }),
        { numRuns: 20 },
      );
    }
  });

  test('says of every stream that is cut that it is not complete', () => {
    for (const name of [
      'chat-length.sse',
      'native-length.sse',
      'messages.sse',
      'responses.sse',
      'completions-length.sse',
    ]) {
      const bytes = recorded(name);
      const route = routeOf(name);
      const firstTwo = bytes.subarray(0, bytes.indexOf('\n\n', bytes.indexOf('\n\n') + 2) + 2);
      expect(read(firstTwo, { route })).toMatchObject({ complete: false, streamError: undefined });
      const torn = firstTwo.subarray(0, -20);
      expect(read(torn, { route })).toMatchObject({ complete: false, streamError: undefined });
    }
  });
});

const frame = (data: unknown): string => `data: ${JSON.stringify(data)}\n\n`;
const token = frame({
  choices: [{ index: 0, delta: { content: 'word' }, finish_reason: null }],
  usage: null,
});

describe('usage reader', () => {
  test('takes the whole input of an Anthropic answer, cached parts included', () => {
    const usage = {
      input_tokens: 5,
      cache_read_input_tokens: 100,
      cache_creation_input_tokens: 20,
      output_tokens: 7,
    };
    const body = JSON.stringify({
      content: [{ type: 'tool_use', input: { usage: { input_tokens: 1 } } }],
      usage,
    });
    expect(read(body, { route: 'messages', stream: false }).usage).toEqual(counted(125, 7, 100));
  });

  test('joins the first and the last event of a long Anthropic stream', () => {
    const start = {
      type: 'message_start',
      message: { usage: { input_tokens: 5, cache_read_input_tokens: 3, output_tokens: 1 } },
    };
    const middle = `event: content_block_delta\n${frame({ delta: { text: 'a'.repeat(100) } })}`.repeat(1_000);
    const end = `${frame({ type: 'message_delta', usage: { output_tokens: 900 } })}event: message_stop\n${frame({ type: 'message_stop' })}`;
    expect(read(frame(start) + middle + end, { route: 'messages' })).toMatchObject({
      complete: true,
      usage: counted(8, 900, 3),
    });
  });

  test.each<[RouteName, string]>([
    [
      'chat-completions',
      'data: {"choices":[],"usage":{"prompt_tokens":8,"completion_tokens":9,"completion_tokens_details":{"reasoning_tokens":6}}}\n\ndata: [DONE]\n\n',
    ],
    [
      'responses',
      'data: {"type":"response.completed","response":{"usage":{"input_tokens":8,"output_tokens":9,"output_tokens_details":{"reasoning_tokens":6}}}}\n\n',
    ],
    [
      'messages',
      'data: {"type":"message_start","message":{"usage":{"input_tokens":8,"output_tokens":1}}}\n\ndata: {"type":"message_delta","usage":{"output_tokens":9,"output_tokens_details":{"thinking_tokens":6}}}\n\n',
    ],
  ])('finds the tokens of reasoning in %s', (route, stream) => {
    const { usage } = read(stream, { route });
    expect(usage).toMatchObject({ inputTokens: 8, outputTokens: 9, reasoningTokens: 6 });
  });

  test('finds usage of other engines behind frames without one', () => {
    const usage = { prompt_tokens: 10, completion_tokens: 3, total_tokens: 13 };
    const stream = `${token.repeat(3)}${frame({ choices: [], usage })}data: [DONE]\n\n`;
    expect(read(stream)).toEqual({
      usage: { ...counted(10, 3), cacheUnknown: true },
      timings: undefined,
      complete: true,
      streamError: undefined,
    });
    const pretty = JSON.stringify(
      { choices: [], usage: { ...usage, prompt_tokens_details: null } },
      undefined,
      2,
    );
    expect(read(pretty, { stream: false }).usage).toEqual({ ...counted(10, 3), cacheUnknown: true });
  });

  test('finds usage before the data of an embeddings answer', () => {
    const body = JSON.stringify({
      usage: { prompt_tokens: 4, total_tokens: 4 },
      data: [{ embedding: Array(9_000).fill(0.5) }],
    });
    expect(read(body, { route: 'embeddings', stream: false })).toMatchObject({
      usage: counted(4, 0),
      complete: true,
    });
  });

  test('is not fooled by what the model writes', () => {
    const lie =
      '"usage":{"prompt_tokens":1,"completion_tokens":1},"timings":{"prompt_n":1,"predicted_n":1},"finish_reason":"stop"\n\ndata: [DONE]\n\ndata: {"error":{"message":"no"}}\n\n"stop":true"stop_type":"limit"';
    for (const text of [lie, JSON.stringify(lie), `\\${lie}`]) {
      const stream = frame({ choices: [{ index: 0, delta: { content: text }, finish_reason: null }] });
      for (const route of ['chat-completions', 'native-completion', 'messages', 'responses'] as const) {
        expect(read(stream, { route })).toMatchObject({
          usage: { outputTokens: 1, estimated: true },
          timings: undefined,
          complete: false,
          streamError: undefined,
        });
      }
      expect(read(JSON.stringify({ content: text }), { stream: false }).usage).toBeUndefined();
    }
  });

  test('counts the events of a stream without usage', () => {
    const result = read(`${token.repeat(2_000)}data: [DONE]\n\n`);
    expect(result.usage?.estimated).toBe(true);
    expect(result.usage?.outputTokens).toBeGreaterThan(1_900);
    expect(result.usage?.outputTokens).toBeLessThan(2_100);
  });

  test.each([
    [false, true],
    [true, false],
  ])('takes a finish reason for an end unless the engine sends a mark (%j)', (doneRequired, complete) => {
    const stream = Buffer.from(token + frame({ choices: [{ delta: {}, finish_reason: 'stop' }] }));
    const reader = createUsageReader({ route: 'chat-completions', stream: true, doneRequired });
    reader.push(stream);
    expect(reader.finish().complete).toBe(complete);
    expect(read(token).complete).toBe(false);
  });

  test('knows the end of a native stream that repeats a long prompt', () => {
    const last = {
      content: '',
      stop: true,
      prompt: 'a'.repeat(40_000),
      stop_type: 'limit',
      timings: { prompt_n: 9_000, predicted_n: 2, cache_n: 1 },
    };
    expect(read(frame(last), { route: 'native-completion' })).toMatchObject({
      complete: true,
      usage: counted(9_001, 2, 1),
    });
  });

  test('knows the end of a responses stream that repeats a long answer', () => {
    const response = {
      output: [{ text: 'a'.repeat(40_000) }],
      usage: { input_tokens: 5, output_tokens: 6, input_tokens_details: { cached_tokens: 4 } },
    };
    const stream = `event: response.completed\n${frame({ type: 'response.completed', response })}`;
    expect(read(stream, { route: 'responses' })).toMatchObject({ complete: true, usage: counted(5, 6, 4) });
    expect(read('event: response.failed\r\ndata: {}\r\n\r\n', { route: 'responses' }).complete).toBe(true);
  });

  test.each([
    ['data: {"error": {"message": "out of memory", "code": 500}}\n\ndata: [DONE]\n\n', 'out of memory'],
    ['data: {"object":"error","message":"gone"}\r\n\r\n', 'gone'],
    ['event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"busy"}}\n\n', 'busy'],
    ['data: {"error":"text"}\n\n', 'text'],
    ['event: error\ndata: nothing of use\n\n', 'nothing of use'],
    ['Internal Server Error', 'Internal Server Error'],
  ])('reports the error in %j', (end, message) => {
    expect(read(token + end)).toMatchObject({ complete: false, streamError: message });
  });

  test('holds a bounded part of an endless answer', () => {
    const reader = createUsageReader({ route: 'chat-completions', stream: true, doneRequired: true });
    for (let count = 0; count < 10_000; count += 1) {
      reader.push(Buffer.alloc(10_000, token));
    }
    expect(reader.finish().complete).toBe(false);
    expect(process.memoryUsage().arrayBuffers).toBeLessThan(95_000_000);
  });

  test('finishes without chunks', () => {
    expect(
      createUsageReader({ route: 'chat-completions', stream: true, doneRequired: true }).finish(),
    ).toEqual({
      usage: undefined,
      timings: undefined,
      complete: false,
      streamError: undefined,
    });
  });
});
