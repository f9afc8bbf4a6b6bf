import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arbitraryChatRequest, arbitraryTextRequest } from '../../../test/dialects/arbitrary-request.ts';
import { fullHabits, notingTarget } from '../../../test/dialects/habits.ts';
import { requestSamples } from '../../../test/dialects/samples/anthropic-messages.ts';
import type { EngineHabits } from '../../domain/engine-habits.ts';
import type { ChatRequest, JsonObject, ModelRequest } from '../ir/request.ts';
import { anthropicMessages } from './index.ts';
import { maxTokensDefault } from './request.ts';

function write(request: ModelRequest, changes: Partial<EngineHabits> = {}) {
  const target = notingTarget({ ...fullHabits, ...changes });
  const body = anthropicMessages.writeRequest(request, target);
  return { body, dropped: target.dropped };
}

const hello = { role: 'user', content: 'Hello' };
function read(members: JsonObject): ChatRequest {
  const body = { model: 'm', max_tokens: 10, messages: [hello], ...members };
  return anthropicMessages.readRequest(body) as ChatRequest;
}

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
