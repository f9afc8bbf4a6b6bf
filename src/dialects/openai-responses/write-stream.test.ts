import { describe, expect, test } from 'vitest';
import {
  args,
  contextOf,
  ended,
  finished,
  framesOf,
  reasoning,
  responseOf,
  started,
  text,
  toolCall,
  typesOf,
  write,
} from '../../../test/dialects/responses-streams.ts';
import type { AnswerEvent } from '../ir/answer.ts';

describe('a stream for the client', () => {
  test('has every item with its beginning and its end', () => {
    const usage = { inputTokens: 10, outputTokens: 4, cachedTokens: 8, reasoningTokens: 1 };
    const stream = write([
      started,
      { kind: 'progress', done: 1, total: 2 },
      reasoning('hm'),
      text('He'),
      text('llo'),
      toolCall(0, 'f'),
      args(0, '{"a"'),
      args(0, ':1}'),
      finished('toolCalls'),
      { kind: 'usage', usage },
      ended,
    ]);
    const frames = framesOf(stream);
    expect(frames.slice(2, -1)).toEqual([
      {
        type: 'response.output_item.added',
        sequence_number: 2,
        output_index: 0,
        item: { id: 'rs_ab120000', type: 'reasoning', status: 'in_progress', summary: [], content: [] },
      },
      {
        type: 'response.content_part.added',
        sequence_number: 3,
        item_id: 'rs_ab120000',
        output_index: 0,
        content_index: 0,
        part: { type: 'reasoning_text', text: '' },
      },
      {
        type: 'response.reasoning_text.delta',
        sequence_number: 4,
        item_id: 'rs_ab120000',
        output_index: 0,
        content_index: 0,
        delta: 'hm',
      },
      {
        type: 'response.reasoning_text.done',
        sequence_number: 5,
        item_id: 'rs_ab120000',
        output_index: 0,
        content_index: 0,
        text: 'hm',
      },
      {
        type: 'response.content_part.done',
        sequence_number: 6,
        item_id: 'rs_ab120000',
        output_index: 0,
        content_index: 0,
        part: { type: 'reasoning_text', text: 'hm' },
      },
      {
        type: 'response.output_item.done',
        sequence_number: 7,
        output_index: 0,
        item: {
          id: 'rs_ab120000',
          type: 'reasoning',
          status: 'completed',
          summary: [],
          content: [{ type: 'reasoning_text', text: 'hm' }],
        },
      },
      {
        type: 'response.output_item.added',
        sequence_number: 8,
        output_index: 1,
        item: { id: 'msg_ab120001', type: 'message', status: 'in_progress', content: [], role: 'assistant' },
      },
      {
        type: 'response.content_part.added',
        sequence_number: 9,
        item_id: 'msg_ab120001',
        output_index: 1,
        content_index: 0,
        part: { type: 'output_text', annotations: [], logprobs: [], text: '' },
      },
      ...['He', 'llo'].map((delta, index) => ({
        type: 'response.output_text.delta',
        sequence_number: 10 + index,
        item_id: 'msg_ab120001',
        output_index: 1,
        content_index: 0,
        delta,
        logprobs: [],
      })),
      {
        type: 'response.output_text.done',
        sequence_number: 12,
        item_id: 'msg_ab120001',
        output_index: 1,
        content_index: 0,
        text: 'Hello',
        logprobs: [],
      },
      {
        type: 'response.content_part.done',
        sequence_number: 13,
        item_id: 'msg_ab120001',
        output_index: 1,
        content_index: 0,
        part: { type: 'output_text', annotations: [], logprobs: [], text: 'Hello' },
      },
      {
        type: 'response.output_item.done',
        sequence_number: 14,
        output_index: 1,
        item: {
          id: 'msg_ab120001',
          type: 'message',
          status: 'completed',
          content: [{ type: 'output_text', annotations: [], logprobs: [], text: 'Hello' }],
          role: 'assistant',
        },
      },
      {
        type: 'response.output_item.added',
        sequence_number: 15,
        output_index: 2,
        item: {
          id: 'fc_ab120002',
          type: 'function_call',
          status: 'in_progress',
          arguments: '',
          call_id: 'call_0',
          name: 'f',
        },
      },
      ...['{"a"', ':1}'].map((delta, index) => ({
        type: 'response.function_call_arguments.delta',
        sequence_number: 16 + index,
        item_id: 'fc_ab120002',
        output_index: 2,
        delta,
      })),
      {
        type: 'response.function_call_arguments.done',
        sequence_number: 18,
        item_id: 'fc_ab120002',
        output_index: 2,
        arguments: '{"a":1}',
      },
      {
        type: 'response.output_item.done',
        sequence_number: 19,
        output_index: 2,
        item: {
          id: 'fc_ab120002',
          type: 'function_call',
          status: 'completed',
          arguments: '{"a":1}',
          call_id: 'call_0',
          name: 'f',
        },
      },
    ]);
    expect(frames.slice(0, 2)).toMatchObject([
      { type: 'response.created', response: { status: 'in_progress', output: [], usage: null } },
      { type: 'response.in_progress', response: { status: 'in_progress', output: [], usage: null } },
    ]);
    expect(frames.at(-1)).toMatchObject({
      type: 'response.completed',
      response: {
        output: frames.filter(({ type }) => type === 'response.output_item.done').map(({ item }) => item),
        usage: {
          input_tokens: 10,
          input_tokens_details: { cached_tokens: 8, cache_write_tokens: 0 },
          output_tokens: 4,
          output_tokens_details: { reasoning_tokens: 1 },
          total_tokens: 14,
        },
      },
    });
  });

  test('has a response with what the request said, and the defaults of the service', () => {
    expect(responseOf(write([started, finished('stop'), ended]))).toEqual({
      id: 'resp_ab12',
      object: 'response',
      created_at: 1_700_000_001,
      status: 'completed',
      background: false,
      completed_at: 1_700_000_005,
      error: null,
      incomplete_details: null,
      instructions: null,
      max_output_tokens: null,
      max_tool_calls: null,
      model: 'tiny',
      output: [],
      parallel_tool_calls: true,
      previous_response_id: null,
      prompt_cache_key: null,
      reasoning: { effort: null, summary: null },
      safety_identifier: null,
      service_tier: 'default',
      store: true,
      temperature: 1,
      text: { format: { type: 'text' }, verbosity: 'medium' },
      tool_choice: 'auto',
      tools: [],
      top_logprobs: 0,
      top_p: 1,
      truncation: 'disabled',
      usage: null,
      user: null,
      metadata: {},
    });
    const said = {
      instructions: 'be brief',
      max_output_tokens: 9,
      max_tool_calls: 2,
      parallel_tool_calls: false,
      previous_response_id: 'resp_1',
      prompt_cache_key: 'k',
      reasoning: { effort: 'low', summary: 'auto' },
      safety_identifier: 's',
      store: false,
      temperature: 0.1,
      text: { format: { type: 'json_object' }, verbosity: 'low' },
      tool_choice: 'required',
      tools: [{ type: 'web_search' }, { type: 'function', name: 'f', parameters: {}, strict: true }],
      top_logprobs: 1,
      top_p: 0.5,
      truncation: 'auto',
      user: 'u',
      metadata: { a: 'b' },
    };
    expect(responseOf(write([started, ended], contextOf(said)))).toMatchObject(said);
  });

  test('shows thoughts as a summary where one was asked for', () => {
    const stream = write(
      [started, reasoning('h'), reasoning('m'), ended],
      contextOf({ reasoning: { summary: 'auto' } }),
    );
    expect(typesOf(stream)).toEqual([
      'created',
      'in_progress',
      'output_item.added',
      'reasoning_summary_part.added',
      'reasoning_summary_text.delta',
      'reasoning_summary_text.delta',
      'reasoning_summary_text.done',
      'reasoning_summary_part.done',
      'output_item.done',
      'completed',
    ]);
    expect(framesOf(stream)[4]).toMatchObject({
      item_id: 'rs_ab120000',
      output_index: 0,
      summary_index: 0,
      delta: 'h',
    });
    expect(responseOf(stream)['output']).toMatchObject([{ summary: [{ type: 'summary_text', text: 'hm' }] }]);
  });

  test('hands on thoughts that only their service can read', () => {
    const stream = write([started, { kind: 'reasoningProof', choice: 0, encrypted: 'x' }, text('a'), ended]);
    expect(responseOf(stream)['output']).toMatchObject([
      { type: 'reasoning', summary: [], content: [], encrypted_content: 'x' },
      { type: 'message' },
    ]);
  });

  test('has refusals and log probabilities', () => {
    const logprobs = [{ token: 'ä', logprob: -1, top: [{ token: 'b', logprob: -2, bytes: [98] }] }];
    const stream = write([
      started,
      { kind: 'text', choice: 0, text: 'ä', logprobs },
      { kind: 'refusal', choice: 0, text: 'no' },
      ended,
    ]);
    const written = [
      {
        token: 'ä',
        logprob: -1,
        bytes: [195, 164],
        top_logprobs: [{ token: 'b', logprob: -2, bytes: [98] }],
      },
    ];
    expect(framesOf(stream)[4]).toMatchObject({ delta: 'ä', logprobs: written });
    expect(typesOf(stream).slice(5, -1)).toEqual([
      'output_text.done',
      'content_part.done',
      'content_part.added',
      'refusal.delta',
      'refusal.done',
      'content_part.done',
      'output_item.done',
    ]);
    expect(responseOf(stream)['output']).toMatchObject([
      {
        content: [
          { type: 'output_text', text: 'ä', logprobs: written },
          { type: 'refusal', refusal: 'no' },
        ],
      },
    ]);
  });

  test('ends each call before the next item, if its arguments are whole', () => {
    const whole = write([
      started,
      toolCall(0, 'f'),
      args(0, '{}'),
      toolCall(1, 'g'),
      args(1, '{"a":'),
      text('b'),
      args(1, '1}'),
      ended,
    ]);
    expect(typesOf(whole).slice(2, -1)).toEqual([
      'output_item.added',
      'function_call_arguments.delta',
      'function_call_arguments.done',
      'output_item.done',
      'output_item.added',
      'function_call_arguments.delta',
      'output_item.added',
      'content_part.added',
      'output_text.delta',
      'function_call_arguments.delta',
      'function_call_arguments.done',
      'output_item.done',
      'output_text.done',
      'content_part.done',
      'output_item.done',
    ]);
    expect(responseOf(whole)['output']).toMatchObject([
      { arguments: '{}' },
      { arguments: '{"a":1}' },
      { type: 'message' },
    ]);
  });

  test('gives a call without arguments empty ones', () => {
    const stream = write([started, toolCall(0, 'f'), finished('toolCalls'), ended]);
    expect(framesOf(stream)[3]).toMatchObject({
      type: 'response.function_call_arguments.delta',
      delta: '{}',
    });
    expect(responseOf(stream)['output']).toMatchObject([{ arguments: '{}' }]);
  });

  test('has the free text of custom tools, from engines that know functions only', () => {
    const context = contextOf({ tools: [{ type: 'custom', name: 'apply_patch' }] });
    const stream = write(
      [
        started,
        toolCall(0, 'apply_patch'),
        args(0, '{"inp'),
        args(0, 'ut":"*** B'),
        args(0, 'egin\\n"}'),
        finished('toolCalls'),
        ended,
      ],
      context,
    );
    expect(framesOf(stream).slice(2, -1)).toMatchObject([
      {
        type: 'response.output_item.added',
        item: {
          id: 'ctc_ab120000',
          type: 'custom_tool_call',
          call_id: 'call_0',
          name: 'apply_patch',
          input: '',
        },
      },
      {
        type: 'response.custom_tool_call_input.delta',
        item_id: 'ctc_ab120000',
        output_index: 0,
        delta: '*** B',
      },
      { type: 'response.custom_tool_call_input.delta', delta: 'egin\n' },
      {
        type: 'response.custom_tool_call_input.done',
        item_id: 'ctc_ab120000',
        output_index: 0,
        input: '*** Begin\n',
      },
      {
        type: 'response.output_item.done',
        item: { type: 'custom_tool_call', status: 'completed', input: '*** Begin\n', call_id: 'call_0' },
      },
    ]);
  });

  test('has the free text of custom tools, from engines that know them', () => {
    const context = contextOf({ tools: [{ type: 'custom', name: 'run' }] });
    const stream = write(
      [started, { ...toolCall(0, 'run'), custom: true } as AnswerEvent, args(0, '{"input":1}'), ended],
      context,
    );
    expect(responseOf(stream)['output']).toMatchObject([{ type: 'custom_tool_call', input: '{"input":1}' }]);
  });

  test('calls tools of groups as the client does', () => {
    const tools = [{ type: 'namespace', name: 'mcp__files', tools: [{ type: 'function', name: 'read' }] }];
    const stream = write([started, toolCall(0, 'mcp__files__read'), ended], contextOf({ tools }));
    expect(responseOf(stream)['output']).toMatchObject([
      { type: 'function_call', name: 'read', namespace: 'mcp__files' },
    ]);
  });

  test.each([
    ['length', 'max_output_tokens'],
    ['filtered', 'content_filter'],
  ] as const)('that was cut (%s) says so', (kind, reason) => {
    const stream = write([started, text('a'), finished(kind), ended]);
    expect(typesOf(stream).at(-1)).toBe('incomplete');
    expect(responseOf(stream)).toMatchObject({
      status: 'incomplete',
      completed_at: null,
      incomplete_details: { reason },
      output: [{ status: 'incomplete' }],
    });
  });

  test.each<[Partial<Extract<AnswerEvent, { kind: 'failed' }>['error']>, string]>([
    [{}, 'server_error'],
    [{ status: 503 }, 'server_error'],
    [{ status: 400, code: 400 }, 'invalid_prompt'],
    [{ status: 429 }, 'rate_limit_exceeded'],
    [{ status: 400, code: 'invalid_image' }, 'invalid_image'],
    [{ status: 400, overflow: {} }, 'context_length_exceeded'],
  ])('that failed (%j) has the code %s', (error, code) => {
    const stream = write([started, text('a'), { kind: 'failed', error: { message: 'broken', ...error } }]);
    expect(typesOf(stream).slice(-2)).toEqual(['output_text.delta', 'failed']);
    expect(responseOf(stream)).toMatchObject({
      status: 'failed',
      error: { code, message: 'broken' },
      output: [{ status: 'incomplete', content: [{ text: 'a' }] }],
    });
  });

  test('that failed before it began has its beginning, too', () => {
    expect(typesOf(write([{ kind: 'failed', error: { message: 'broken' } }]))).toEqual([
      'created',
      'in_progress',
      'failed',
    ]);
  });

  test('holds one answer, whatever was asked for', () => {
    const other = { ...text('b'), choice: 1 } as AnswerEvent;
    expect(responseOf(write([started, text('a'), other, ended]))['output']).toMatchObject([
      { content: [{ text: 'a' }] },
    ]);
  });
});
