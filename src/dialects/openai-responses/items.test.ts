import { describe, expect, test } from 'vitest';
import { notingTarget } from '../../../test/dialects/habits.ts';
import type { ChatRequest, JsonObject } from '../ir/request.ts';
import { readRequest } from './request.ts';
import { writeRequest } from './write-request.ts';

function read(members: JsonObject): ChatRequest {
  return readRequest({ model: 'm', input: 'hi', ...members });
}

const said = (text: string) => ({ kind: 'text', text }) as const;

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
      mirrored: { tools: [{ name: 'early' }, { name: 'late' }] },
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

  test.each([
    'web_search_call',
    'local_shell_call',
    'compaction',
    'mcp_call',
    'thing_of_tomorrow',
    'constructor',
  ])('of type %s are kept for an engine that knows them', (type) => {
    const item = { type, id: 'x', more: [1] };
    const request = read({ input: [user('a'), item, user('b')] });
    expect(request.messages[1]?.parts).toEqual([
      { kind: 'opaque', dialect: 'openai-responses', type, value: item },
    ]);
    expect(writeRequest(request, notingTarget())?.['input']).toContainEqual(item);
  });
});
