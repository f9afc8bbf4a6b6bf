import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arbitraryChatRequest, arbitraryTextRequest } from '../../../test/dialects/arbitrary-request.ts';
import { fullHabits, notingTarget } from '../../../test/dialects/habits.ts';
import { requestSamples } from '../../../test/dialects/samples/anthropic-messages.ts';
import type { EngineHabits } from '../../domain/engine-habits.ts';
import { RequestShapeError } from '../ir/request-shape-error.ts';
import type { ChatRequest, JsonObject, ModelRequest } from '../ir/request.ts';
import { anthropicMessages } from './index.ts';
import { maxTokensDefault } from './request.ts';

function write(request: ModelRequest, changes: Partial<EngineHabits> = {}) {
  const target = notingTarget({ ...fullHabits, ...changes });
  const body = anthropicMessages.writeRequest(request, target);
  return { body, dropped: target.dropped };
}

const hello = { role: 'user', content: 'Hello' };
const pixel = { type: 'base64', media_type: 'image/png', data: 'aGk=' };

function read(members: JsonObject): ChatRequest {
  const body = { model: 'm', max_tokens: 10, messages: [hello], ...members };
  return anthropicMessages.readRequest(body) as ChatRequest;
}

function partsOf(content: unknown, role = 'user') {
  return read({ messages: [{ role, content }] }).messages.flatMap(({ parts }) => parts);
}

function refusalOf(members: JsonObject): string {
  try {
    read(members);
  } catch (error) {
    if (error instanceof RequestShapeError) return error.message;
    throw error;
  }
  return 'none';
}

const call = { type: 'tool_use', id: 'toolu_1', name: 'look', input: { at: 'sky' } };
const asked = { role: 'assistant', content: [call] };

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

  test.each<[string, JsonObject]>([
    ['model: is required', { model: null }],
    ['model: must be a string', { model: 7 }],
    ['max_tokens: is required', { max_tokens: null }],
    ['max_tokens: must be a whole number, 0 or more', { max_tokens: -1 }],
    ['messages: is required', { messages: null }],
    ['messages: must be a list', { messages: {} }],
    ['messages: must hold at least one message', { messages: [] }],
    ['messages[0]: must be an object', { messages: ['hi'] }],
    [
      'messages[0].role: must be "user", "assistant" or "system"',
      { messages: [{ role: 'tool', content: '' }] },
    ],
    ['messages[0].content: is required', { messages: [{ role: 'user' }] }],
    [
      'messages[0].content: must be a string or a list of blocks',
      { messages: [{ role: 'user', content: 7 }] },
    ],
    [
      'messages[0].content[1]: must be an object',
      { messages: [{ role: 'user', content: [{ type: 'text', text: '' }, 7] }] },
    ],
    ['messages[0].content[0].type: is required', { messages: [{ role: 'user', content: [{ text: 'x' }] }] }],
    [
      'messages[0].content[0].text: is required',
      { messages: [{ role: 'user', content: [{ type: 'text' }] }] },
    ],
    [
      'messages[0].content[0].source.type: must be "base64", "url" or "file"',
      { messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'x' } }] }] },
    ],
    [
      'messages[0].content[0].source.data: is required',
      {
        messages: [
          { role: 'user', content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png' } }] },
        ],
      },
    ],
    [
      'messages[0].content[0].type: "tool_use" belongs into messages of the assistant',
      { messages: [{ role: 'user', content: [call] }] },
    ],
    [
      'messages[0].content[0].type: "tool_result" belongs into messages of the user',
      { messages: [{ role: 'assistant', content: [{ type: 'tool_result', tool_use_id: 'x' }] }] },
    ],
    [
      'messages[0].content[0].tool_use_id: must be the id of a tool_use block of the previous message that has no other tool_result',
      { messages: [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 'x' }] }] },
    ],
    [
      'messages[3].content[0].tool_use_id: must be the id of a tool_use block of the previous message that has no other tool_result',
      {
        messages: [
          asked,
          hello,
          { role: 'assistant', content: 'No.' },
          { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1' }] },
        ],
      },
    ],
    [
      'messages[0].content[0].input: must be an object',
      { messages: [{ role: 'assistant', content: [{ ...call, input: [] }] }] },
    ],
    [
      'messages[0].content[0].id: must not be empty',
      { messages: [{ role: 'assistant', content: [{ ...call, id: '' }] }] },
    ],
    ['system[0].type: must be "text"', { system: [{ type: 'image', source: pixel }] }],
    ['tools[0].name: is required', { tools: [{ input_schema: {} }] }],
    ['tools[0].input_schema: is required', { tools: [{ name: 'look' }] }],
    ['tool_choice.type: must be "auto", "any", "tool" or "none"', { tool_choice: { type: 'x' } }],
    ['tool_choice.name: is required', { tool_choice: { type: 'tool' } }],
    ['thinking.type: must be "enabled", "disabled" or "adaptive"', { thinking: { type: 'x' } }],
    ['thinking.budget_tokens: is required', { thinking: { type: 'enabled' } }],
    ['output_config.format.type: must be "json_schema"', { output_config: { format: { type: 'x' } } }],
    ['output_config.format.schema: is required', { output_config: { format: { type: 'json_schema' } } }],
    ['stop_sequences[0]: must be a string', { stop_sequences: [7] }],
    ['stream: must be true or false', { stream: 'yes' }],
    ['metadata.user_id: must be a string', { metadata: { user_id: 7 } }],
  ])('refuses: %s', (expected, members) => {
    expect(refusalOf(members)).toBe(expected);
  });

  test('an input that nests without end is refused', () => {
    let input: JsonObject = {};
    for (let depth = 0; depth < 100_000; depth += 1) input = { input };
    expect(refusalOf({ messages: [{ role: 'assistant', content: [{ ...call, input }] }] })).toBe(
      'messages[0].content[0].input: nests too deep',
    );
  });

  test('anything at all is read or refused by its path', () => {
    const member = fc.constantFrom(
      'model',
      'max_tokens',
      'messages',
      'role',
      'content',
      'type',
      'text',
      'source',
      'tools',
      'tool_choice',
      'thinking',
      'output_config',
      'format',
      'input',
      'id',
      'name',
      'tool_use_id',
      'system',
      '__proto__',
      'toString',
    );
    const leaf = fc.oneof(
      fc.constantFrom(
        'user',
        'assistant',
        'system',
        'text',
        'tool_use',
        'tool_result',
        'thinking',
        'image',
        'document',
      ),
      fc.constantFrom('base64', 'content', 'enabled', 'json_schema', 'auto', ''),
      fc.anything(),
    );
    const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
      tree: fc.oneof(
        { depthSize: 'medium' },
        leaf,
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(member, tie('tree'), { maxKeys: 5 }),
      ),
    }));
    const body = fc.record({
      model: fc.constant('m'),
      max_tokens: fc.constant(1),
      messages: fc.array(fc.record({ role: leaf, content: tree })),
      rest: fc.dictionary(member, tree),
    });
    fc.assert(
      fc.property(body, ({ rest, ...fields }) => {
        const refusal = refusalOf({ ...rest, ...fields });
        expect(refusal).not.toBe('');
      }),
      { numRuns: 500 },
    );
  });
});

describe('writing', () => {
  const text = (value: string) => ({ kind: 'text' as const, text: value });

  function chat(members: Partial<ChatRequest>): ChatRequest {
    return { ...read({}), dialect: 'openai-chat', sampling: {}, ...members };
  }

  test('a limit is given where the client gave none', () => {
    expect(write(chat({})).body).toEqual({ model: 'm', max_tokens: maxTokensDefault, messages: [hello] });
    expect(write(chat({ reasoning: { budgetTokens: 9000 } })).body).toMatchObject({
      max_tokens: maxTokensDefault + 9000,
      thinking: { type: 'enabled', budget_tokens: 9000 },
    });
  });

  test('results of tools and what the user says then are one message', () => {
    const toolCall = {
      kind: 'toolCall' as const,
      id: 'functions.look:0',
      name: 'look',
      arguments: '{"at":"sky"}',
    };
    const { body, dropped } = write(
      chat({
        messages: [
          { role: 'developer', parts: [text('Be terse.')] },
          { role: 'user', parts: [text('Look!'), text('')] },
          { role: 'assistant', parts: [text(''), toolCall, { ...toolCall, id: 'b', arguments: '{"at":' }] },
          {
            role: 'tool',
            parts: [{ kind: 'toolResult', callId: 'functions.look:0', parts: [text('blue')] }],
          },
          { role: 'tool', parts: [{ kind: 'toolResult', callId: 'b', parts: [], isError: true }] },
          { role: 'user', parts: [text('And?')] },
          { role: 'user', parts: [text('Quick.')] },
          { role: 'assistant', parts: [] },
        ],
      }),
    );
    const id = 'toolu_x_ZnVuY3Rpb25zLmxvb2s6MA';
    expect(body).toMatchObject({
      system: 'Be terse.',
      messages: [
        { role: 'user', content: 'Look!' },
        {
          role: 'assistant',
          content: [
            { type: 'tool_use', id, name: 'look', input: { at: 'sky' } },
            { type: 'tool_use', id: 'b', name: 'look', input: { INVALID_JSON: '{"at":' } },
          ],
        },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: id, content: 'blue' },
            { type: 'tool_result', tool_use_id: 'b', is_error: true },
            { type: 'text', text: 'And?' },
          ],
        },
        { role: 'user', content: 'Quick.' },
      ],
    });
    expect(dropped).toEqual([]);
  });

  test('what the API cannot say is reported', () => {
    const { body, dropped } = write(
      chat({
        messages: [
          {
            role: 'user',
            name: 'ann',
            parts: [
              { kind: 'audio', data: '', format: 'wav' },
              { kind: 'image', detail: 'low', source: { kind: 'url', url: 'https://x/y' } },
              { kind: 'opaque', dialect: 'openai-responses', type: 'item_reference', value: {} },
              text('Hi'),
            ],
          },
        ],
        sampling: { seed: 1, minP: 0.1, logprobs: true, choices: 2, logitBias: {} },
        format: { kind: 'json' },
        reasoning: { effort: 'minimal', summary: 'auto' },
        toolChoice: { kind: 'required' },
        metadata: { a: 'b' },
        keepAlive: '5m',
        contextTokens: 4096,
        own: { store: true },
        extra: { chat_template_kwargs: {}, max_tokens: 5 },
      }),
      { takesImageUrls: false },
    );
    expect(body).toEqual({
      model: 'm',
      max_tokens: maxTokensDefault,
      messages: [{ role: 'user', content: 'Hi' }],
      output_config: { effort: 'low' },
      chat_template_kwargs: {},
    });
    expect(dropped.toSorted()).toEqual(
      [
        'messages[].name',
        'messages[].content[].audio',
        'messages[].content[].image.detail',
        'messages[].content[].image.url',
        'messages[].content[].item_reference',
        'seed',
        'min_p',
        'logprobs',
        'n',
        'logit_bias',
        'format',
        'reasoning.summary',
        'tool_choice',
        'metadata',
        'keep_alive',
        'num_ctx',
        'store',
        'max_tokens',
      ].toSorted(),
    );
  });

  test('members that nobody knows stay away from engines that refuse them', () => {
    const { body, dropped } = write(chat({ extra: { odd: 1 } }), { unknownMembers: 'refused' });
    expect(body).not.toHaveProperty('odd');
    expect(dropped).toEqual(['odd']);
  });

  test('a choice among some tools leaves the others out', () => {
    const tool = (name: string) => ({ kind: 'function' as const, name });
    const { body } = write(
      chat({ tools: [tool('a'), tool('b')], toolChoice: { kind: 'allowed', names: ['b'], required: true } }),
    );
    expect(body).toMatchObject({
      tools: [{ name: 'b', input_schema: { type: 'object', properties: {} } }],
      tool_choice: { type: 'any' },
    });
  });

  test('a tool for free text becomes one with a parameter', () => {
    const { body } = write(chat({ tools: [{ kind: 'custom', name: 'patch' }] }));
    expect(body).toMatchObject({ tools: [{ name: 'patch', input_schema: { required: ['input'] } }] });
  });

  test('a text request is a message of the user, unless it is for the model as it stands', () => {
    const { kind: _kind, messages: _messages, ...base } = chat({});
    const request = { ...base, kind: 'text' as const, prompt: 'Hi', raw: false, system: 'Be terse.' };
    expect(write(request).body).toMatchObject({
      system: 'Be terse.',
      messages: [{ role: 'user', content: 'Hi' }],
    });
    expect(write({ ...request, prompt: ['Hi'] }).body).toMatchObject({ messages: [{ content: 'Hi' }] });
    for (const change of [
      { raw: true },
      { suffix: 'x' },
      { echo: true },
      { prompt: ['a', 'b'] },
      { prompt: [1] },
      { prompt: '' },
    ]) {
      expect(write({ ...request, ...change }).body).toBeUndefined();
    }
  });

  test('every conversation that the API can hold is the same after writing and reading it', () => {
    const request = arbitraryChatRequest({
      dialect: 'anthropic-messages',
      systemRoles: ['system'],
      userParts: ['text', 'image', 'document'],
      assistantParts: ['reasoning', 'text', 'toolCall'],
      imageDetail: false,
      resultMembers: ['isError'],
      messageNames: false,
      tools: ['function'],
      toolChoices: ['auto', 'none', 'required', 'tool'],
      formats: ['schema'],
      formatMembers: [],
      reasoning: ['effort'],
      sampling: ['maxTokens', 'temperature', 'topP', 'topK', 'stop'],
      members: ['user'],
      usageInStream: true,
    });
    fc.assert(
      fc.property(request, (given) => {
        const limited = { ...given, sampling: { maxTokens: 7, ...given.sampling } };
        const { body, dropped } = write(limited);
        expect(dropped).toEqual([]);
        const tools = limited.tools?.map((tool) => ({
          parameters: { type: 'object', properties: {} },
          ...tool,
        }));
        const reasoning = limited.reasoning?.effort === 'minimal' ? { reasoning: { effort: 'low' } } : {};
        expect(anthropicMessages.readRequest(JSON.parse(JSON.stringify(body)) as JsonObject)).toEqual({
          ...limited,
          ...(tools !== undefined && { tools }),
          ...reasoning,
        });
      }),
      { numRuns: 200 },
    );
  });

  test('any request of any API can be written, and the service would read it', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          arbitraryChatRequest({ dialect: 'openai-responses' }),
          arbitraryTextRequest({ dialect: 'ollama-generate' }),
        ),
        (given) => {
          const { body } = write(given);
          if (body !== undefined) anthropicMessages.readRequest(body);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('samples', () => {
  test.each(requestSamples.map(({ field, body }) => [field, body] as const))(
    '%s is read and written again',
    (_, body) => {
      const { body: written } = write(anthropicMessages.readRequest(body));
      expect(written).toMatchObject({ model: body['model'], max_tokens: body['max_tokens'] });
    },
  );
});
