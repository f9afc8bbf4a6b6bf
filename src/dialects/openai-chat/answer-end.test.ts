import { describe, expect, test } from 'vitest';
import { readStream } from '../../../test/dialects/answers.ts';
import { readChunks } from '../../../test/dialects/chat-chunks.ts';
import type { JsonObject } from '../ir/request.ts';
import { openaiChat } from './index.ts';

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
