import { describe, expect, test } from 'vitest';
import { arrivedMs, ended, readStream, readText } from '../../../test/dialects/ollama-answers.ts';
import type { JsonObject } from '../ir/request.ts';

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
          prompt_eval_cached_count: 16,
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
      { kind: 'usage', usage: { inputTokens: 26, outputTokens: 2, cachedTokens: 16 } },
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
