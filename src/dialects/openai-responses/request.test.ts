import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arbitraryChatRequest } from '../../../test/dialects/arbitrary-request.ts';
import { fullHabits, notingTarget } from '../../../test/dialects/habits.ts';
import type { EngineHabits } from '../../domain/engine-habits.ts';
import { RequestShapeError } from '../ir/request-shape-error.ts';
import type { ChatRequest, JsonObject, ModelRequest } from '../ir/request.ts';
import { readRequest } from './request.ts';
import { writeRequest } from './write-request.ts';

function read(members: JsonObject): ChatRequest {
  return readRequest({ model: 'm', input: 'hi', ...members });
}

function write(
  request: ModelRequest,
  changes: Partial<EngineHabits> = {},
): { body: JsonObject | undefined; dropped: readonly string[] } {
  const target = notingTarget({ ...fullHabits, ...changes });
  return { body: writeRequest(request, target), dropped: target.dropped };
}

function fieldOf(body: JsonObject): string {
  try {
    readRequest(body);
  } catch (error) {
    if (error instanceof RequestShapeError) return error.message;
    throw error;
  }
  return 'no error';
}

const said = (text: string) => ({ kind: 'text', text }) as const;

describe('a request', () => {
  test('is read with its defaults', () => {
    expect(read({})).toEqual({
      kind: 'chat',
      dialect: 'openai-responses',
      model: 'm',
      stream: false,
      usageInStream: true,
      messages: [{ role: 'user', parts: [said('hi')] }],
      sampling: {},
      own: {},
      extra: {},
      mirrored: {},
    });
  });

  test.each<[JsonObject, Partial<ChatRequest>]>([
    [{ stream: true }, { stream: true }],
    [
      { instructions: 'be brief' },
      {
        messages: [
          { role: 'system', parts: [said('be brief')] },
          { role: 'user', parts: [said('hi')] },
        ],
      },
    ],
    [{ instructions: null }, { messages: [{ role: 'user', parts: [said('hi')] }] }],
    [
      { max_output_tokens: 5, temperature: 0.5, top_p: 0.9 },
      { sampling: { maxTokens: 5, temperature: 0.5, topP: 0.9 } },
    ],
    [{ include: ['message.output_text.logprobs'] }, { sampling: { logprobs: true }, own: {} }],
    [{ top_logprobs: 2 }, { sampling: { logprobs: true, topLogprobs: 2 } }],
    [{ include: ['reasoning.encrypted_content'] }, { own: { include: ['reasoning.encrypted_content'] } }],
    [{ reasoning: { effort: 'high', summary: 'auto' } }, { reasoning: { effort: 'high', summary: 'auto' } }],
    [{ reasoning: { effort: 'none' } }, { reasoning: { enabled: false } }],
    [{ reasoning: { generate_summary: 'concise' } }, { reasoning: { summary: 'concise' } }],
    [
      { reasoning: { mode: 'pro', context: 'auto' } },
      { own: { 'reasoning.mode': 'pro', 'reasoning.context': 'auto' } },
    ],
    [
      { text: { format: { type: 'text' }, verbosity: 'low' } },
      { format: { kind: 'text' }, own: { 'text.verbosity': 'low' } },
    ],
    [{ text: { format: { type: 'json_object' } } }, { format: { kind: 'json' } }],
    [
      {
        text: {
          format: {
            type: 'json_schema',
            name: 'n',
            schema: { type: 'object' },
            strict: true,
            description: 'd',
          },
        },
      },
      { format: { kind: 'schema', name: 'n', schema: { type: 'object' }, strict: true, description: 'd' } },
    ],
    [
      { metadata: { a: 'b' }, user: 'u' },
      { metadata: { a: 'b' }, user: 'u' },
    ],
    [{ parallel_tool_calls: false }, { parallelToolCalls: false }],
    [{ tool_choice: 'required' }, { toolChoice: { kind: 'required' } }],
    [{ tool_choice: { type: 'function', name: 'f' } }, { toolChoice: { kind: 'tool', name: 'f' } }],
    [{ tool_choice: { type: 'custom', name: 'f' } }, { toolChoice: { kind: 'tool', name: 'f' } }],
    [
      {
        tool_choice: {
          type: 'allowed_tools',
          mode: 'required',
          tools: [{ type: 'function', name: 'f' }, { type: 'mcp' }],
        },
      },
      { toolChoice: { kind: 'allowed', names: ['f'], required: true } },
    ],
    [
      { tool_choice: { type: 'web_search_preview' } },
      { own: { tool_choice: { type: 'web_search_preview' } } },
    ],
    [
      { service_tier: 'auto', truncation: 'disabled', stream_options: { include_obfuscation: false } },
      { own: {} },
    ],
    [{ service_tier: 'flex', truncation: 'auto' }, { own: { service_tier: 'flex', truncation: 'auto' } }],
    [
      { prompt_cache_key: 'k', safety_identifier: 's' },
      { own: { prompt_cache_key: 'k', safety_identifier: 's' } },
    ],
    [
      { store: false, previous_response_id: 'resp_1', background: false, conversation: null },
      { own: {}, extra: {} },
    ],
    [{ top_k: 3, whatever: { a: 1 } }, { extra: { top_k: 3, whatever: { a: 1 } } }],
  ])('%j is read', (members, expected) => {
    expect(read(members)).toMatchObject(expected);
  });

  test('keeps for the answer what the answer repeats', () => {
    const members = {
      instructions: 'be brief',
      temperature: 0.2,
      store: false,
      tools: [],
      metadata: { a: 'b' },
    };
    expect(read({ ...members, prompt_cache_retention: '24h' }).mirrored).toEqual(members);
  });
});

describe('tools', () => {
  test('are functions, custom tools and those that the service would run', () => {
    const format = { type: 'grammar', syntax: 'lark', definition: 'start: "x"' };
    expect(
      read({
        tools: [
          { type: 'function', name: 'f', description: 'd', parameters: { type: 'object' }, strict: true },
          { type: 'function', name: 'g', parameters: null, strict: null },
          { type: 'custom', name: 'apply_patch', format },
          { type: 'web_search', search_context_size: 'low' },
          { type: 'local_shell' },
        ],
      }).tools,
    ).toEqual([
      { kind: 'function', name: 'f', description: 'd', parameters: { type: 'object' }, strict: true },
      { kind: 'function', name: 'g' },
      { kind: 'custom', name: 'apply_patch', format },
      {
        kind: 'builtin',
        dialect: 'openai-responses',
        type: 'web_search',
        value: { type: 'web_search', search_context_size: 'low' },
      },
      { kind: 'builtin', dialect: 'openai-responses', type: 'local_shell', value: { type: 'local_shell' } },
    ]);
  });

  test('of a group are called after it, in the tools and in the calls', () => {
    const { tools, messages } = read({
      tools: [
        {
          type: 'namespace',
          name: 'mcp__files',
          description: 'd',
          tools: [{ type: 'function', name: 'read' }],
        },
        { type: 'namespace', name: 'web_', description: 'd', tools: [{ type: 'custom', name: 'get' }] },
      ],
      input: [
        { type: 'function_call', call_id: 'c', namespace: 'mcp__files', name: 'read', arguments: '{}' },
        { type: 'function_call_output', call_id: 'c', output: '' },
      ],
    });
    expect(tools).toEqual([
      { kind: 'function', name: 'mcp__files__read' },
      { kind: 'custom', name: 'web_get' },
    ]);
    expect(messages[0]?.parts).toMatchObject([{ kind: 'toolCall', name: 'mcp__files__read' }]);
  });

  test('may come as an item', () => {
    const tools = [{ type: 'function', name: 'late' }];
    const input = [{ type: 'additional_tools', role: 'developer', tools }];
    expect(read({ input, tools: [{ type: 'function', name: 'early' }] })).toMatchObject({
      messages: [],
      tools: [{ name: 'early' }, { name: 'late' }],
    });
  });
});

const call = (id: string, name = 'f') => ({ type: 'function_call', call_id: id, name, arguments: '{}' });
const output = (id: string) => ({ type: 'function_call_output', call_id: id, output: `of ${id}` });
const callPart = (id: string, name = 'f') => ({ kind: 'toolCall', id, name, arguments: '{}' });
const result = (id: string) => ({
  role: 'tool',
  parts: [{ kind: 'toolResult', callId: id, parts: [said(`of ${id}`)] }],
});
const thought = (text: string) => ({
  type: 'reasoning',
  id: 'rs_1',
  summary: [],
  content: [{ type: 'reasoning_text', text }],
});
const user = (text: string) => ({ role: 'user', content: text });
const assistant = (text: string) => ({
  type: 'message',
  role: 'assistant',
  content: [{ type: 'output_text', text }],
});

describe('items', () => {
  test('of one turn of the assistant are one message', () => {
    const input = [
      user('a'),
      thought('hm'),
      assistant('b'),
      call('1'),
      call('2', 'g'),
      output('2'),
      output('1'),
      user('c'),
    ];
    expect(read({ input }).messages).toEqual([
      { role: 'user', parts: [said('a')] },
      {
        role: 'assistant',
        parts: [{ kind: 'reasoning', text: 'hm' }, said('b'), callPart('1'), callPart('2', 'g')],
      },
      result('2'),
      result('1'),
      { role: 'user', parts: [said('c')] },
    ]);
  });

  test('that hold outputs follow their calls at once, whatever stands between', () => {
    const input = [
      call('1'),
      call('2'),
      output('1'),
      { role: 'developer', content: 'now' },
      output('2'),
      call('3'),
      output('3'),
    ];
    expect(read({ input }).messages).toEqual([
      { role: 'assistant', parts: [callPart('1'), callPart('2')] },
      result('1'),
      result('2'),
      { role: 'developer', parts: [said('now')] },
      { role: 'assistant', parts: [callPart('3')] },
      result('3'),
    ]);
  });

  test('stay apart where a new thought or a second message begins', () => {
    const input = [
      assistant('a'),
      assistant('b'),
      thought('c'),
      call('1'),
      thought('d'),
      call('2'),
      output('2'),
      output('1'),
    ];
    expect(read({ input }).messages.map(({ role, parts }) => [role, parts.length])).toEqual([
      ['assistant', 1],
      ['assistant', 1],
      ['assistant', 2],
      ['tool', 1],
      ['assistant', 2],
      ['tool', 1],
    ]);
  });

  test('of thoughts give these, else their summary', () => {
    const summary = [
      { type: 'summary_text', text: 'one' },
      { type: 'summary_text', text: 'two' },
    ];
    const content = [{ type: 'reasoning_text', text: 'all' }];
    const partOf = (item: JsonObject) =>
      read({ input: [{ type: 'reasoning', id: 'r', ...item }, assistant('')] }).messages[0]?.parts[0];
    expect(partOf({ summary })).toEqual({ kind: 'reasoning', text: 'one\n\ntwo' });
    expect(partOf({ summary, content })).toEqual({ kind: 'reasoning', text: 'all' });
    expect(partOf({ summary: [], encrypted_content: 'x' })).toEqual({
      kind: 'reasoning',
      text: '',
      encrypted: 'x',
    });
    expect(partOf({ summary: [], content: null, encrypted_content: null })).toEqual(said(''));
  });

  test('hold parts of every kind', () => {
    const content = [
      { type: 'input_text', text: 'a' },
      { type: 'input_image', detail: 'low', image_url: 'https://example.org/a.png' },
      { type: 'input_image', image_url: 'data:image/png;base64,AAAA' },
      { type: 'input_image', detail: 'auto', file_id: 'file-1' },
      { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,AAAA' },
      { type: 'input_file', file_url: 'https://example.org/a.pdf' },
      { type: 'input_file', file_id: 'file-2' },
      { type: 'input_audio', input_audio: { data: 'AAAA', format: 'mp3' } },
    ];
    expect(read({ input: [{ role: 'user', content }] }).messages[0]?.parts).toEqual([
      said('a'),
      { kind: 'image', source: { kind: 'url', url: 'https://example.org/a.png' }, detail: 'low' },
      { kind: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'AAAA' } },
      { kind: 'image', source: { kind: 'file', id: 'file-1' }, detail: 'auto' },
      {
        kind: 'document',
        source: { kind: 'base64', mediaType: 'application/pdf', data: 'AAAA' },
        title: 'a.pdf',
      },
      { kind: 'document', source: { kind: 'url', url: 'https://example.org/a.pdf' } },
      { kind: 'document', source: { kind: 'file', id: 'file-2' } },
      { kind: 'audio', data: 'AAAA', format: 'mp3' },
    ]);
  });

  test('of custom tools hold free text, outputs may hold parts', () => {
    const input = [
      { type: 'custom_tool_call', call_id: 'c', name: 'apply_patch', input: '*** Begin Patch' },
      {
        type: 'custom_tool_call_output',
        call_id: 'c',
        output: [
          { type: 'input_text', text: 'ok' },
          { type: 'input_image', image_url: 'https://example.org/a.png' },
        ],
      },
    ];
    expect(read({ input }).messages).toEqual([
      {
        role: 'assistant',
        parts: [
          { kind: 'toolCall', id: 'c', name: 'apply_patch', arguments: '*** Begin Patch', custom: true },
        ],
      },
      {
        role: 'tool',
        parts: [
          {
            kind: 'toolResult',
            callId: 'c',
            parts: [said('ok'), { kind: 'image', source: { kind: 'url', url: 'https://example.org/a.png' } }],
          },
        ],
      },
    ]);
  });

  test.each(['web_search_call', 'local_shell_call', 'compaction', 'mcp_call', 'thing_of_tomorrow'])(
    'of type %s are kept for an engine that knows them',
    (type) => {
      const item = { type, id: 'x', more: [1] };
      const request = read({ input: [user('a'), item, user('b')] });
      expect(request.messages[1]?.parts).toEqual([
        { kind: 'opaque', dialect: 'openai-responses', type, value: item },
      ]);
      expect(write(request).body?.['input']).toContainEqual(item);
    },
  );
});

describe('a request that breaks a rule is refused', () => {
  test.each<[JsonObject, string]>([
    [{ model: undefined }, 'model: is required'],
    [{ model: 5 }, 'model: must be a string'],
    [{ input: null }, 'input: is required'],
    [{ input: 5 }, 'input: must be a string or a list'],
    [{ input: ['a'] }, 'input[0]: must be an object'],
    [
      { input: [{ role: 'king', content: 'a' }] },
      'input[0].role: must be user, assistant, system or developer',
    ],
    [{ input: [{ role: 'user' }] }, 'input[0].content: is required'],
    [{ input: [{ role: 'user', content: {} }] }, 'input[0].content: must be a string or a list'],
    [
      { input: [{ role: 'user', content: [{ type: 'text', text: 'a' }] }] },
      'input[0].content[0].type: must be input_text, input_image, input_file, input_audio, output_text or refusal',
    ],
    [{ input: [{ role: 'user', content: [{ type: 'input_image' }] }] }, 'image_url: is required'],
    [
      { input: [{ role: 'user', content: [{ type: 'refusal', refusal: '' }] }] },
      'input[0].content[0].type: belongs to the assistant only',
    ],
    [{ input: [{ type: 5 }] }, 'input[0].type: must be a string'],
    [
      { input: [output('x')] },
      'input[0].call_id: No tool call found for function call output with call_id x.',
    ],
    [
      { input: [output('x'), call('x')] },
      'input[0].call_id: No tool call found for function call output with call_id x.',
    ],
    [{ input: [call('x')] }, 'input[0].call_id: No tool output found for function call x.'],
    [{ input: [call('x'), call('x')] }, 'input[1].call_id: Duplicate call_id x.'],
    [{ input: [{ ...call('x'), call_id: '' }] }, 'input[0].call_id: must not be empty'],
    [{ input: [{ type: 'item_reference', id: 'rs_1' }] }, "input[0].id: Item with id 'rs_1' not found."],
    [{ input: [{ id: 'rs_1' }] }, "input[0].id: Item with id 'rs_1' not found."],
    [{ tools: {} }, 'tools: must be a list'],
    [{ tools: [{ type: 'function' }] }, 'tools[0].name: is required'],
    [{ tools: [{ name: 'f' }] }, 'tools[0].type: is required'],
    [{ tool_choice: 'any' }, 'tool_choice: must be auto, none, required or an object'],
    [{ tool_choice: { type: 'allowed_tools' } }, 'tool_choice.tools: is required'],
    [{ text: { format: { type: 'xml' } } }, 'text.format.type: must be text, json_object or json_schema'],
    [{ text: { format: { type: 'json_schema' } } }, 'text.format.schema: is required'],
    [{ include: [1] }, 'include[0]: must be a string'],
    [{ temperature: 'warm' }, 'temperature: must be a number'],
    [{ store: 'yes' }, 'store: must be true or false'],
    [{ background: true }, 'background: is not supported'],
    [{ conversation: 'conv_1' }, 'conversation: is not supported'],
    [{ prompt: { id: 'pmpt_1' } }, 'prompt: is not supported'],
  ])('%j', (members, message) => {
    expect(fieldOf({ model: 'm', input: 'hi', ...members })).toContain(message);
  });

  test('and no other error is ever thrown', () => {
    const names = [
      'model',
      'input',
      'tools',
      'tool_choice',
      'text',
      'reasoning',
      'include',
      'instructions',
      'metadata',
    ];
    const types = fc.constantFrom(
      'message',
      'function_call',
      'function_call_output',
      'reasoning',
      'namespace',
      'custom',
      'input_file',
      'json_schema',
    );
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom<unknown>(null, true, 5, '', 'user', 'assistant', 'x'),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(
          fc.constantFrom(
            'type',
            'role',
            'content',
            'id',
            'call_id',
            'name',
            'output',
            'arguments',
            'tools',
            'format',
            'summary',
            'text',
          ),
          fc.oneof(types, tie('value')),
          { maxKeys: 5 },
        ),
      ),
    }));
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names), value), (members) => {
        expect(fieldOf({ model: 'm', input: 'hi', ...members })).not.toBe('');
      }),
    );
  });
});

describe('a request for an engine', () => {
  test('says again what it was read from', () => {
    const shape = {
      dialect: 'openai-responses',
      documentSources: ['base64', 'url', 'file'],
      reasoningProofs: ['encrypted'],
      resultMembers: [],
      messageNames: false,
      reasoning: ['effort', 'summary'],
      sampling: ['maxTokens', 'temperature', 'topP'],
      members: ['user', 'metadata', 'parallelToolCalls'],
      usageInStream: true,
    } as const;
    fc.assert(
      fc.property(arbitraryChatRequest(shape), (request) => {
        const { body, dropped } = write(request);
        const { mirrored: _, ...again } = readRequest(JSON.parse(JSON.stringify(body)) as JsonObject);
        expect(again).toEqual(normal(request));
        expect(dropped).toEqual([]);
      }),
    );
  });

  test('keeps the members of its own API', () => {
    const own = {
      max_tool_calls: 3,
      include: ['x'],
      'text.verbosity': 'low',
      'reasoning.mode': 'pro',
      tool_choice: { type: 'mcp' },
    };
    const { body, dropped } = write({ ...read({ reasoning: { effort: 'low' } }), own });
    expect(body).toMatchObject({
      max_tool_calls: 3,
      include: ['x'],
      text: { verbosity: 'low' },
      reasoning: { effort: 'low', mode: 'pro' },
      tool_choice: { type: 'mcp' },
    });
    expect(dropped).toEqual([]);
  });

  test('names what it cannot say', () => {
    const request: ChatRequest = {
      ...read({}),
      dialect: 'anthropic-messages',
      own: { container: 'c' },
      keepAlive: '5m',
      contextTokens: 4096,
      reasoning: { enabled: true, budgetTokens: 100 },
      sampling: { topK: 3, seed: 1, choices: 2, stop: ['a'] },
      extra: { more: 1, truncation: 'auto' },
      tools: [{ kind: 'builtin', dialect: 'anthropic-messages', type: 'bash_20250124', value: {} }],
      messages: [
        { role: 'user', name: 'n', parts: [said('a')] },
        {
          role: 'assistant',
          parts: [
            { kind: 'reasoning', text: 'hm', signature: 's' },
            { kind: 'opaque', dialect: 'anthropic-messages', type: 'server_tool_use', value: {} },
            { kind: 'toolCall', id: '1', name: 'f', arguments: '{}' },
          ],
        },
        { role: 'tool', parts: [{ kind: 'toolResult', callId: '1', parts: [], isError: true }] },
      ],
    };
    const { body, dropped } = write(request, { takesMoreSamplers: false, unknownMembers: 'refused' });
    expect(dropped.toSorted()).toEqual(
      [
        'container',
        'keep_alive',
        'num_ctx',
        'reasoning.budget_tokens',
        'top_k',
        'seed',
        'n',
        'stop',
        'more',
        'truncation',
        'tools[].bash_20250124',
        'messages[].name',
        'messages[].content[].signature',
        'messages[].content[].server_tool_use',
        'messages[].content[].is_error',
      ].toSorted(),
    );
    expect(body).toEqual({
      model: 'm',
      input: [
        { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'a' }] },
        { type: 'reasoning', id: 'rs_1', summary: [], content: [{ type: 'reasoning_text', text: 'hm' }] },
        { type: 'function_call', call_id: '1', name: 'f', arguments: '{}' },
        { type: 'function_call_output', call_id: '1', output: [] },
      ],
      store: false,
    });
  });

  test('of another API has tools that are not strict unless that was said', () => {
    const tools = [{ kind: 'function', name: 'f' }] as const;
    expect(write({ ...read({}), dialect: 'openai-chat', tools }).body?.['tools']).toEqual([
      { type: 'function', name: 'f', strict: false },
    ]);
    expect(write({ ...read({}), tools }).body?.['tools']).toEqual([{ type: 'function', name: 'f' }]);
  });

  test('may be a text to go on with, if that can be a message', () => {
    const text: ModelRequest = {
      kind: 'text',
      dialect: 'ollama-generate',
      model: 'm',
      stream: false,
      usageInStream: true,
      prompt: 'go on',
      system: 'be brief',
      raw: false,
      sampling: { topK: 3, repeatPenalty: 1.1 },
      own: {},
      extra: {},
    };
    expect(write(text).body).toEqual({
      model: 'm',
      instructions: 'be brief',
      input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'go on' }] }],
      top_k: 3,
      repeat_penalty: 1.1,
      store: false,
    });
    for (const changes of [
      { raw: true },
      { suffix: 'x' },
      { echo: true },
      { prompt: ['a', 'b'] },
      { prompt: [1] },
    ]) {
      expect(write({ ...text, ...changes }).body).toBeUndefined();
    }
  });
});

/** What the API has no other words for: images have a detail, schemas a name, no effort is no thinking. */
function normal(request: ChatRequest): ChatRequest {
  const withDetail = JSON.parse(JSON.stringify(request), (_key, value: unknown) => {
    const part = value as JsonObject | null;
    if (part?.['kind'] === 'image') return { detail: 'auto', ...part };
    if (part?.['kind'] === 'schema') return { name: 'response', ...part };
    return value;
  }) as ChatRequest;
  return withDetail;
}
