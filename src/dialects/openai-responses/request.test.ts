import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RequestShapeError } from '../ir/request-shape-error.ts';
import { requestSamples } from '../../../test/dialects/samples/openai-responses.ts';
import type { ChatRequest, JsonObject } from '../ir/request.ts';
import { readRequest } from './request.ts';

function read(members: JsonObject): ChatRequest {
  return readRequest({ model: 'm', input: 'hi', ...members });
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
    [
      {
        tools: [
          {
            type: 'function',
            name: 'f',
            output_schema: {},
            defer_loading: true,
            allowed_callers: ['direct'],
          },
        ],
        input: [
          {
            role: 'user',
            phase: null,
            content: [
              { type: 'input_file', file_id: 'f', detail: 'low' },
              { type: 'input_text', text: 'a', prompt_cache_breakpoint: { mode: 'explicit' } },
            ],
          },
          {
            type: 'message',
            role: 'assistant',
            phase: 'commentary',
            id: 'm',
            status: 'completed',
            content: [{ type: 'output_text', text: 'a', annotations: [] }],
          },
        ],
      },
      { own: { 'tools[].output_schema': true, 'input[].content[].detail': true, 'input[].phase': true } },
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

const call = (id: string, name = 'f') => ({ type: 'function_call', call_id: id, name, arguments: '{}' });
const output = (id: string) => ({ type: 'function_call_output', call_id: id, output: `of ${id}` });

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

test.each(requestSamples)('the sample of $field is a request', ({ body }) => {
  expect(fieldOf(body)).toBe('no error');
  expect(readRequest(body).extra).toEqual({});
});
