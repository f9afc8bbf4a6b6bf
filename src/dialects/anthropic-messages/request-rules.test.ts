import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RequestShapeError } from '../ir/request-shape-error.ts';
import type { JsonObject } from '../ir/request.ts';
import { anthropicMessages } from './index.ts';

const hello = { role: 'user', content: 'Hello' };
const pixel = { type: 'base64', media_type: 'image/png', data: 'aGk=' };

function read(members: JsonObject) {
  const body = { model: 'm', max_tokens: 10, messages: [hello], ...members };
  return anthropicMessages.readRequest(body);
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

describe('a request that breaks a rule', () => {
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
