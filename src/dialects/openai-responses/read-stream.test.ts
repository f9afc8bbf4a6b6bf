import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { joinPieces, splitAnywhere } from '../../../test/dialects/arbitrary-answer.ts';
import {
  args,
  ended,
  finished,
  framesOf,
  read,
  reasoning,
  sse,
  text,
  write,
} from '../../../test/dialects/responses-streams.ts';
import type { JsonObject } from '../ir/request.ts';
import { openaiResponses } from './index.ts';

function fixture(name: string): Buffer {
  return readFileSync(new URL(`../../../test/fixtures/streams/${name}.sse`, import.meta.url));
}

describe("an engine's stream", () => {
  test('of llama.cpp gives its text, although nothing is numbered', () => {
    expect(joinPieces(read(fixture('responses')))).toMatchObject([
      { kind: 'started', id: 'resp_6250q0rwj4jsEo3nsNVkbn2ifpZ8VLiF' },
      text(' end in we we'),
      finished('stop'),
      { kind: 'usage' },
      { kind: 'timings', timings: { own: { cache_n: expect.any(Number) as number } } },
      ended,
    ]);
  });

  test('of llama.cpp gives its calls', () => {
    expect(joinPieces(read(fixture('responses-tools')))).toMatchObject([
      { kind: 'started' },
      { kind: 'toolCall', call: 0, id: 'call_3J0Uy4VcHspvrXB7KgnKzCTM9yyDnmjy', name: 'get_weather' },
      args(0, '{"city":" who"}'),
      finished('toolCalls'),
      { kind: 'usage', usage: { inputTokens: 218, outputTokens: 40, cachedTokens: 0 } },
      { kind: 'timings', timings: { promptTokens: 218, predictedTokens: 40 } },
      ended,
    ]);
  });

  test('of llama.cpp gives its thoughts, although they are done after the text has begun', () => {
    const events = joinPieces(read(fixture('responses-thinking')));
    expect(events.slice(1, 4)).toEqual([reasoning(' if;'), text(' morning.'), finished('stop')]);
  });

  test('of llama.cpp fails with the bare error in it', () => {
    expect(read(fixture('responses-error')).at(-1)).toMatchObject({
      kind: 'failed',
      error: { message: 'Context size has been exceeded.', status: 500, type: 'server_error' },
    });
  });

  test('of vLLM has events and ids of its own', () => {
    const stream = sse(
      {
        type: 'response.created',
        sequence_number: 0,
        response: { id: 'resp_1', model: 'm', created_at: 5, status: 'in_progress', output: [] },
      },
      {
        type: 'response.in_progress',
        sequence_number: 1,
        response: { id: 'resp_1', model: 'm', created_at: 5, status: 'in_progress', output: [] },
      },
      {
        type: 'response.output_item.added',
        output_index: 0,
        item: { type: 'reasoning', id: 'msg_1', summary: [], status: 'in_progress' },
      },
      {
        type: 'response.reasoning_part.added',
        output_index: 0,
        item_id: 'msg_1',
        content_index: 0,
        part: { type: 'reasoning_text', text: '' },
      },
      {
        type: 'response.reasoning_text.delta',
        output_index: 0,
        item_id: 'msg_1',
        content_index: 0,
        delta: 'hm',
      },
      {
        type: 'response.reasoning_text.done',
        output_index: 0,
        item_id: 'msg_1',
        content_index: 0,
        text: 'hm',
      },
      {
        type: 'response.reasoning_part.done',
        output_index: 0,
        item_id: 'msg_1',
        content_index: 0,
        part: { type: 'reasoning_text', text: 'hm' },
      },
      {
        type: 'response.output_item.done',
        output_index: 0,
        item: {
          type: 'reasoning',
          id: 'msg_1',
          summary: [],
          content: [{ type: 'reasoning_text', text: 'hm' }],
          status: 'completed',
        },
      },
      {
        type: 'response.output_item.added',
        output_index: 1,
        item: { type: 'message', id: 'msg_2', role: 'assistant', content: [], status: 'in_progress' },
      },
      {
        type: 'response.content_part.added',
        output_index: 1,
        item_id: 'msg_2',
        content_index: 1,
        part: { type: 'output_text', text: '' },
      },
      {
        type: 'response.output_text.delta',
        output_index: 1,
        item_id: 'msg_2',
        content_index: 1,
        delta: 'Hel',
        logprobs: [],
      },
      {
        type: 'response.output_text.delta',
        output_index: 1,
        item_id: '',
        content_index: 1,
        delta: 'lo',
        logprobs: [],
      },
      {
        type: 'response.output_text.done',
        output_index: 1,
        item_id: 'msg_2',
        content_index: 1,
        text: 'Hello',
        logprobs: [],
      },
      {
        type: 'response.output_item.done',
        output_index: 1,
        item: {
          type: 'message',
          id: 'msg_other',
          role: 'assistant',
          content: [{ type: 'output_text', text: 'Hello' }],
          status: 'completed',
        },
      },
      {
        type: 'response.completed',
        response: {
          id: 'resp_1',
          status: 'completed',
          output: [{ type: 'message', id: 'msg_third', content: [{ type: 'output_text', text: 'Hello' }] }],
          usage: {
            input_tokens: 3,
            input_tokens_details: { cached_tokens: 1 },
            output_tokens: 2,
            output_tokens_details: { reasoning_tokens: 1 },
            total_tokens: 5,
          },
        },
      },
    );
    expect(joinPieces(read(stream))).toEqual([
      { kind: 'started', id: 'resp_1', model: 'm', createdS: 5 },
      reasoning('hm'),
      text('Hello'),
      finished('stop'),
      { kind: 'usage', usage: { inputTokens: 3, outputTokens: 2, cachedTokens: 1, reasoningTokens: 1 } },
      ended,
    ]);
  });

  test('of OpenAI has summaries in parts, custom calls, and thoughts that nobody else reads', () => {
    const stream = sse(
      { type: 'response.created', response: { id: 'resp_1', model: 'm', created_at: 5 } },
      {
        type: 'response.output_item.added',
        output_index: 0,
        item: { type: 'reasoning', id: 'rs_1', summary: [] },
      },
      {
        type: 'response.reasoning_summary_text.delta',
        item_id: 'rs_1',
        output_index: 0,
        summary_index: 0,
        delta: 'one',
      },
      {
        type: 'response.reasoning_summary_text.delta',
        item_id: 'rs_1',
        output_index: 0,
        summary_index: 1,
        delta: 'tw',
      },
      {
        type: 'response.reasoning_summary_text.delta',
        item_id: 'rs_1',
        output_index: 0,
        summary_index: 1,
        delta: 'o',
      },
      {
        type: 'response.output_item.done',
        output_index: 0,
        item: {
          type: 'reasoning',
          id: 'rs_1',
          summary: [
            { type: 'summary_text', text: 'one' },
            { type: 'summary_text', text: 'two' },
          ],
          encrypted_content: 'x',
        },
      },
      {
        type: 'response.output_item.done',
        output_index: 1,
        item: { type: 'web_search_call', id: 'ws_1', status: 'completed' },
      },
      {
        type: 'response.output_item.added',
        output_index: 2,
        item: { type: 'custom_tool_call', id: 'ctc_1', call_id: 'c', name: 'run', input: '' },
      },
      { type: 'response.custom_tool_call_input.delta', item_id: 'ctc_1', output_index: 2, delta: 'ls' },
      { type: 'response.custom_tool_call_input.done', item_id: 'ctc_1', output_index: 2, input: 'ls -l' },
      {
        type: 'response.incomplete',
        response: { status: 'incomplete', incomplete_details: { reason: 'content_filter' }, usage: null },
      },
    );
    expect(joinPieces(read(stream))).toEqual([
      { kind: 'started', id: 'resp_1', model: 'm', createdS: 5 },
      reasoning('one\n\ntwo'),
      { kind: 'reasoningProof', choice: 0, encrypted: 'x' },
      {
        kind: 'opaque',
        dialect: 'openai-responses',
        type: 'web_search_call',
        value: { type: 'web_search_call', id: 'ws_1', status: 'completed' },
      },
      { kind: 'toolCall', choice: 0, call: 0, id: 'c', name: 'run', custom: true },
      args(0, 'ls -l'),
      finished('filtered'),
      ended,
    ]);
  });

  test('may tell everything at its end only', () => {
    const output = [
      {
        type: 'message',
        id: 'm',
        content: [
          { type: 'output_text', text: 'a' },
          { type: 'refusal', refusal: 'no' },
        ],
      },
      { type: 'function_call', id: 'f', name: 'f', arguments: { a: 1 } },
    ];
    expect(read(sse({ type: 'response.completed', response: { status: 'completed', output } }))).toEqual([
      { kind: 'started' },
      text('a'),
      { kind: 'refusal', choice: 0, text: 'no' },
      { kind: 'toolCall', choice: 0, call: 0, id: 'f', name: 'f' },
      args(0, '{"a":1}'),
      finished('toolCalls'),
      ended,
    ]);
  });

  test('without ids of calls and with objects for arguments is repaired, and that is told once', () => {
    const repairs: string[] = [];
    const item = { type: 'function_call', name: 'f', arguments: { a: 1 } };
    const stream = sse(
      { type: 'response.output_item.done', output_index: 0, item },
      { type: 'response.output_item.done', output_index: 1, item },
      { type: 'response.completed', response: {} },
    );
    const reader = openaiResponses.createStreamReader(
      () => undefined,
      (name) => repairs.push(name),
    );
    reader.push(Buffer.from(stream));
    expect(repairs).toEqual(['toolIdMissing', 'argumentsAsObject']);
  });

  test.each<[string, string, JsonObject]>([
    [
      'that ends too early',
      sse({ type: 'response.created', response: {} }),
      { message: 'The stream of the engine ended before its end' },
    ],
    ['that is empty', '', { message: 'The stream of the engine ended before its end' }],
    ['that is no JSON', 'data: {\n\n', { message: 'The engine sent an event that is no JSON object' }],
    [
      'with an error event',
      sse({ type: 'error', code: 'server_error', message: 'broken', param: null }),
      { message: 'broken', code: 'server_error' },
    ],
    [
      'with an error in an event',
      sse({
        type: 'error',
        error: { type: 'invalid_request_error', code: 'previous_response_not_found', message: 'gone' },
      }),
      { message: 'gone', type: 'invalid_request_error', code: 'previous_response_not_found' },
    ],
    [
      'that failed',
      sse({
        type: 'response.failed',
        response: { error: { code: 'context_length_exceeded', message: 'too long' } },
      }),
      { message: 'too long', code: 'context_length_exceeded', overflow: {} },
    ],
    [
      'that failed silently',
      sse({ type: 'response.failed', response: { error: null } }),
      { message: 'The engine failed without saying why' },
    ],
  ])('%s fails', (_name, stream, error) => {
    const events = read(stream);
    expect(events.map(({ kind }) => kind)).toEqual(['started', 'failed']);
    expect(events.at(-1)).toMatchObject({ error });
  });

  test('says nothing after its end', () => {
    const over = sse({ type: 'response.completed', response: { output: [] } });
    const events = read(over + over, sse({ type: 'response.output_text.delta', delta: 'a' }));
    expect(events.map(({ kind }) => kind)).toEqual(['started', 'finished', 'ended']);
  });

  test.each(['responses', 'responses-tools', 'responses-thinking', 'responses-error'])(
    '(%s) gives the client the same bytes however it is split',
    (name) => {
      const bytes = fixture(name);
      const translated = (chunks: readonly Buffer[]) => write(read(...chunks));
      fc.assert(
        fc.property(splitAnywhere(bytes), (chunks) => {
          expect(translated(chunks)).toBe(translated([bytes]));
        }),
        { numRuns: 20 },
      );
    },
  );

  test('never throws, and ends exactly once', () => {
    const types = [
      'created',
      'completed',
      'failed',
      'output_item.added',
      'output_item.done',
      'output_text.delta',
      'function_call_arguments.delta',
      'function_call_arguments.done',
      'reasoning_summary_text.delta',
      'refusal.delta',
    ];
    const event = fc.record(
      {
        type: fc.constantFrom('error', ...types.map((type) => `response.${type}`)),
        response: fc.oneof(fc.constant({ output: [{ type: 'message', content: [{}] }] }), fc.anything()),
        item: fc.oneof(
          fc.record({
            type: fc.constantFrom('message', 'function_call', 'reasoning', 'x'),
            id: fc.constantFrom('a', 'b'),
            name: fc.constantFrom('f', ''),
          }),
          fc.anything(),
        ),
        item_id: fc.constantFrom('a', 'b', 5),
        output_index: fc.constantFrom(0, 1, 'x'),
        delta: fc.oneof(fc.string(), fc.anything()),
        arguments: fc.string(),
      },
      { requiredKeys: ['type'] },
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 8 }), (events) => {
        const given = read(sse(...(events as readonly JsonObject[])));
        expect(given[0]?.kind).toBe('started');
        expect(given.filter(({ kind }) => kind === 'started')).toHaveLength(1);
        expect(given.findIndex(({ kind }) => kind === 'ended' || kind === 'failed')).toBe(given.length - 1);
        expect(() => framesOf(write(given))).not.toThrow();
      }),
    );
  });
});
