import { describe, expect, test } from 'vitest';
import type { ChatRequest, JsonObject } from '../ir/request.ts';
import { anthropicMessages } from './index.ts';

const hello = { role: 'user', content: 'Hello' };
const pixel = { type: 'base64', media_type: 'image/png', data: 'aGk=' };

function read(members: JsonObject): ChatRequest {
  const body = { model: 'm', max_tokens: 10, messages: [hello], ...members };
  return anthropicMessages.readRequest(body) as ChatRequest;
}

function partsOf(content: unknown, role = 'user') {
  return read({ messages: [{ role, content }] }).messages.flatMap(({ parts }) => parts);
}

const call = { type: 'tool_use', id: 'toolu_1', name: 'look', input: { at: 'sky' } };

describe('reading', () => {
  test('the least that a request may be', () => {
    expect(read({})).toEqual({
      kind: 'chat',
      dialect: 'anthropic-messages',
      model: 'm',
      stream: false,
      usageInStream: true,
      messages: [{ role: 'user', parts: [{ kind: 'text', text: 'Hello' }] }],
      sampling: { maxTokens: 10 },
      own: {},
      extra: {},
    });
  });

  test.each<[JsonObject, Partial<ChatRequest>]>([
    [{ stream: true }, { stream: true }],
    [
      { temperature: 0.5, top_p: 0.9, top_k: 5, stop_sequences: ['END'] },
      { sampling: { maxTokens: 10, temperature: 0.5, topP: 0.9, topK: 5, stop: ['END'] } },
    ],
    [{ metadata: { user_id: 'ann' } }, { user: 'ann' }],
    [{ metadata: { user_id: null, team: 'x' } }, { metadata: { team: 'x' } }],
    [
      { thinking: { type: 'enabled', budget_tokens: 2048 } },
      { reasoning: { enabled: true, budgetTokens: 2048 } },
    ],
    [{ thinking: { type: 'disabled' } }, { reasoning: { enabled: false } }],
    [{ thinking: { type: 'adaptive' } }, { reasoning: { enabled: true } }],
    [
      { thinking: { type: 'adaptive' }, output_config: { effort: 'high' } },
      { reasoning: { enabled: true, effort: 'high' } },
    ],
    [
      { output_config: { format: { type: 'json_schema', schema: { type: 'object' } } } },
      { format: { kind: 'schema', schema: { type: 'object' } } },
    ],
    [
      { output_format: { type: 'json_schema', schema: { type: 'array' } } },
      { format: { kind: 'schema', schema: { type: 'array' } } },
    ],
    [{ tool_choice: { type: 'any' } }, { toolChoice: { kind: 'required' } }],
    [
      { tool_choice: { type: 'auto', disable_parallel_tool_use: true } },
      { toolChoice: { kind: 'auto' }, parallelToolCalls: false },
    ],
    [{ tool_choice: { type: 'tool', name: 'look' } }, { toolChoice: { kind: 'tool', name: 'look' } }],
    [{ tool_choice: { type: 'none' } }, { toolChoice: { kind: 'none' } }],
    [{ tools: [] }, {}],
    [
      { tools: [{ name: 'look', description: 'Looks', input_schema: { type: 'object' }, strict: true }] },
      {
        tools: [
          {
            kind: 'function',
            name: 'look',
            description: 'Looks',
            parameters: { type: 'object' },
            strict: true,
          },
        ],
      },
    ],
    [
      { tools: [{ type: 'bash_20250124', name: 'bash' }] },
      {
        tools: [
          {
            kind: 'builtin',
            dialect: 'anthropic-messages',
            type: 'bash_20250124',
            value: { type: 'bash_20250124', name: 'bash' },
          },
        ],
      },
    ],
    [
      { speed: 'fast', container: null, ttl: 7 },
      { own: { speed: 'fast' }, extra: { ttl: 7 } },
    ],
  ])('%j', (members, expected) => {
    expect(read(members)).toMatchObject(expected);
  });

  test('the system prompt comes first, as one message', () => {
    const { messages } = read({
      system: [
        { type: 'text', text: 'You are terse.', cache_control: { type: 'ephemeral' } },
        { type: 'text', text: 'And kind.' },
      ],
    });
    expect(messages).toEqual([
      {
        role: 'system',
        parts: [
          { kind: 'text', text: 'You are terse.' },
          { kind: 'text', text: 'And kind.' },
        ],
      },
      { role: 'user', parts: [{ kind: 'text', text: 'Hello' }] },
    ]);
    expect(read({ system: '' }).messages).toHaveLength(1);
  });

  test('instructions in the middle stay where they are', () => {
    const { messages } = read({ messages: [hello, { role: 'system', content: 'Be brief.' }] });
    expect(messages.map(({ role }) => role)).toEqual(['user', 'system']);
  });

  test('results of tools become messages of their own, before the rest of their message', () => {
    const { messages } = read({
      messages: [
        hello,
        { role: 'assistant', content: [call, { ...call, id: 'toolu_2' }] },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Go on.' },
            { type: 'tool_result', tool_use_id: 'toolu_1', content: 'blue' },
            {
              type: 'tool_result',
              tool_use_id: 'toolu_2',
              is_error: true,
              content: [
                { type: 'text', text: 'no' },
                { type: 'image', source: pixel },
              ],
            },
          ],
        },
      ],
    });
    expect(messages.slice(2)).toEqual([
      {
        role: 'tool',
        parts: [{ kind: 'toolResult', callId: 'toolu_1', parts: [{ kind: 'text', text: 'blue' }] }],
      },
      {
        role: 'tool',
        parts: [
          {
            kind: 'toolResult',
            callId: 'toolu_2',
            isError: true,
            parts: [
              { kind: 'text', text: 'no' },
              { kind: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'aGk=' } },
            ],
          },
        ],
      },
      { role: 'user', parts: [{ kind: 'text', text: 'Go on.' }] },
    ]);
  });

  test('results may come in several messages of the user', () => {
    const result = (id: string) => ({ role: 'user', content: [{ type: 'tool_result', tool_use_id: id }] });
    const { messages } = read({
      messages: [
        hello,
        { role: 'assistant', content: [call, { ...call, id: 'toolu_2' }] },
        result('toolu_2'),
        result('toolu_1'),
      ],
    });
    expect(messages.slice(2).map(({ role }) => role)).toEqual(['tool', 'tool']);
  });

  test.each([
    [
      [{ type: 'image', source: { type: 'url', url: 'https://x/y.png' } }],
      [{ kind: 'image', source: { kind: 'url', url: 'https://x/y.png' } }],
    ],
    [
      [{ type: 'image', source: { type: 'file', file_id: 'file_1' } }],
      [{ kind: 'image', source: { kind: 'file', id: 'file_1' } }],
    ],
    [
      [
        {
          type: 'document',
          title: 'Rivers',
          context: 'From a lexicon',
          source: { type: 'text', media_type: 'text/plain', data: 'The Nile' },
        },
      ],
      [
        { kind: 'text', text: 'From a lexicon' },
        { kind: 'document', title: 'Rivers', source: { kind: 'text', text: 'The Nile' } },
      ],
    ],
    [
      [
        {
          type: 'document',
          source: {
            type: 'content',
            content: [
              { type: 'text', text: 'one' },
              { type: 'image', source: pixel },
            ],
          },
        },
      ],
      [
        { kind: 'document', source: { kind: 'text', text: 'one' } },
        { kind: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'aGk=' } },
      ],
    ],
    [
      [
        {
          type: 'search_result',
          source: 'https://x',
          title: 'X',
          content: [{ type: 'text', text: 'found' }],
        },
      ],
      [{ kind: 'document', title: 'X (https://x)', source: { kind: 'text', text: 'found' } }],
    ],
    [
      [{ type: 'container_upload', file_id: 'file_1' }],
      [
        {
          kind: 'opaque',
          dialect: 'anthropic-messages',
          type: 'container_upload',
          value: { type: 'container_upload', file_id: 'file_1' },
        },
      ],
    ],
  ])('a block of the user: %j', (content, parts) => {
    expect(partsOf(content)).toEqual(parts);
  });

  test('blocks of the assistant', () => {
    expect(
      partsOf(
        [
          { type: 'thinking', thinking: 'hm', signature: 'c2ln' },
          { type: 'thinking', thinking: 'so', signature: '' },
          { type: 'redacted_thinking', data: 'eHg=' },
          { type: 'text', text: 'Well', citations: null },
          { ...call, caller: { type: 'direct' } },
          { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: {} },
        ],
        'assistant',
      ),
    ).toEqual([
      { kind: 'reasoning', text: 'hm', signature: 'c2ln' },
      { kind: 'reasoning', text: 'so' },
      { kind: 'reasoning', text: '', encrypted: 'eHg=' },
      { kind: 'text', text: 'Well' },
      { kind: 'toolCall', id: 'toolu_1', name: 'look', arguments: '{"at":"sky"}' },
      {
        kind: 'opaque',
        dialect: 'anthropic-messages',
        type: 'server_tool_use',
        value: { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: {} },
      },
    ]);
  });

  test('nested members without a place are kept by their paths', () => {
    const { own } = read({
      messages: [
        {
          role: 'user',
          content: [
            {
              type: 'document',
              source: { type: 'text', media_type: 'text/plain', data: 'x' },
              citations: { enabled: true },
              cache_control: { type: 'ephemeral' },
            },
          ],
        },
      ],
      tools: [{ name: 'look', input_schema: { type: 'object' }, defer_loading: true, cache_control: {} }],
      thinking: { type: 'adaptive', display: 'omitted' },
      output_config: { task_budget: { type: 'tokens', total: 9 } },
    });
    expect(Object.keys(own)).toEqual([
      'messages[].content[].citations',
      'tools[].defer_loading',
      'output_config.task_budget',
      'thinking.display',
    ]);
  });
});
