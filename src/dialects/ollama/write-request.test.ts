import { describe, expect, test } from 'vitest';
import { base, png, text, user, write } from '../../../test/dialects/ollama-requests.ts';
import type { ImagePart } from '../ir/parts.ts';
import type { ChatRequest, TextRequest } from '../ir/request.ts';
import { ollamaGenerate } from './index.ts';

describe('a request for an Ollama', () => {
  test('carries context, thinking, format and sampling', () => {
    const { body, dropped } = write({
      ...base,
      kind: 'chat',
      messages: [{ role: 'developer', parts: [text('be short')] }, user(text('a'), text('b'))],
      sampling: { maxTokens: 5, topK: 2, stop: ['x'] },
      contextTokens: 9000,
      reasoning: { effort: 'xhigh' },
      format: { kind: 'schema', schema: { type: 'object' } },
      keepAlive: '1h',
    });
    expect(body).toEqual({
      model: 'm',
      messages: [
        { role: 'system', content: 'be short' },
        { role: 'user', content: 'a\nb' },
      ],
      stream: true,
      format: { type: 'object' },
      think: 'high',
      keep_alive: '1h',
      options: { num_predict: 5, num_ctx: 9000, top_k: 2, stop: ['x'] },
    });
    expect(dropped).toEqual([]);
  });

  test('reports what it cannot carry', () => {
    const image = (source: ImagePart['source'], detail?: string): ImagePart => ({
      kind: 'image',
      source,
      ...(detail !== undefined && { detail }),
    });
    const { body, dropped } = write({
      ...base,
      kind: 'chat',
      messages: [
        {
          ...user(
            image({ kind: 'url', url: 'https://example.com/a.png' }),
            image({ kind: 'base64', mediaType: 'image/png', data: png }, 'low'),
            { kind: 'audio', data: png, format: 'wav' },
            { kind: 'document', source: { kind: 'url', url: 'https://example.com/a.pdf' } },
            { kind: 'document', source: { kind: 'text', text: 'words' }, title: 'a.txt' },
            { kind: 'opaque', dialect: 'x', type: 'citation', value: 1 },
          ),
          name: 'eve',
        },
        { role: 'assistant', parts: [{ kind: 'reasoning', text: 'hm', signature: 's' }] },
        { role: 'tool', parts: [{ kind: 'toolResult', callId: 'c', parts: [text('no')], isError: true }] },
      ],
      tools: [
        { kind: 'function', name: 'f', strict: true },
        { kind: 'builtin', dialect: 'openai-responses', type: 'web_search', value: {} },
      ],
      toolChoice: { kind: 'required' },
      parallelToolCalls: false,
      sampling: { choices: 2, logitBias: { 5: 1 } },
      reasoning: { enabled: true, budgetTokens: 5000, summary: 'auto' },
      format: { kind: 'schema', name: 'n', description: 'd', schema: {} },
      user: 'u',
      metadata: { a: 1 },
      own: { store: true },
    });
    expect(body).toMatchObject({
      messages: [
        { role: 'user', content: 'a.txt\n\nwords', images: [png] },
        { role: 'assistant', content: '', thinking: 'hm' },
        { role: 'tool', content: 'no', tool_call_id: 'c' },
      ],
      tools: [{ type: 'function', function: { name: 'f' } }],
      think: true,
      format: {},
    });
    expect(dropped.toSorted()).toEqual([
      'format.description',
      'format.name',
      'logit_bias',
      'messages[].content[].audio',
      'messages[].content[].citation',
      'messages[].content[].document',
      'messages[].content[].image.detail',
      'messages[].content[].image.url',
      'messages[].content[].reasoning.signature',
      'messages[].content[].toolResult.isError',
      'messages[].name',
      'metadata',
      'n',
      'parallel_tool_calls',
      'reasoning.budgetTokens',
      'reasoning.summary',
      'store',
      'tool_choice',
      'tools[].function.strict',
      'tools[].web_search',
      'user',
    ]);
  });

  test.each<[ChatRequest['toolChoice'], string[] | undefined, string[]]>([
    [{ kind: 'auto' }, ['f', 'g'], []],
    [{ kind: 'none' }, undefined, []],
    [{ kind: 'tool', name: 'g' }, ['g'], ['tool_choice']],
    [{ kind: 'allowed', names: ['f'], required: false }, ['f'], []],
    [{ kind: 'allowed', names: ['f'], required: true }, ['f'], ['tool_choice']],
  ])('offers the tools that a choice of %j leaves', (toolChoice, names, lost) => {
    const { body, dropped } = write({
      ...base,
      kind: 'chat',
      messages: [],
      tools: [
        { kind: 'function', name: 'f' },
        { kind: 'function', name: 'g' },
      ],
      ...(toolChoice && { toolChoice }),
    });
    const tools = body?.['tools'] as { function: { name: string } }[] | undefined;
    expect(tools?.map((tool) => tool.function.name)).toEqual(names);
    expect(dropped).toEqual(lost);
  });

  test('hands over calls as objects, whatever their arguments were', () => {
    const call = (args: string, custom?: boolean) =>
      ({ kind: 'toolCall', id: 'c', name: 'f', arguments: args, ...(custom && { custom }) }) as const;
    const { body } = write({
      ...base,
      kind: 'chat',
      messages: [
        {
          role: 'assistant',
          parts: [call('{"n":12345678901234567890}'), call(''), call('{"a":'), call('ls', true)],
        },
        { role: 'tool', parts: [{ kind: 'toolResult', callId: 'c', parts: [] }] },
      ],
    });
    const calls = ['{"n":12345678901234567890}', '{}', '{"input":"{\\"a\\":"}', '{"input":"ls"}'];
    expect(JSON.stringify(body?.['messages'])).toBe(
      `[{"role":"assistant","content":"","tool_calls":[${calls
        .map((args) => `{"id":"c","function":{"name":"f","arguments":${args}}}`)
        .join(',')}]},{"role":"tool","content":"","tool_name":"f","tool_call_id":"c"}]`,
    );
  });

  test('passes unknown members on: options of its own clients as options', () => {
    const chat = {
      ...base,
      kind: 'chat',
      messages: [],
      extra: { mirostat: 1, top_k: 5, model: 'x' },
    } as const;
    expect(write({ ...chat, dialect: 'ollama-chat' })).toEqual({
      body: { model: 'm', messages: [], stream: true, options: { mirostat: 1, model: 'x' } },
      dropped: ['top_k'],
    });
    expect(write(chat)).toEqual({
      body: { model: 'm', messages: [], stream: true, mirostat: 1, top_k: 5 },
      dropped: ['model'],
    });
  });

  test('turns a text into a chat where that is the same', () => {
    const request: TextRequest = { ...base, kind: 'text', prompt: ['p'], system: 's', raw: false };
    expect(write(request).body?.['messages']).toEqual([
      { role: 'system', content: 's' },
      { role: 'user', content: 'p' },
    ]);
    for (const other of [
      { raw: true },
      { suffix: 's' },
      { echo: true },
      { prompt: [1, 2] },
      { prompt: ['a', 'b'] },
    ]) {
      expect(write({ ...request, ...other }).body).toBeUndefined();
    }
  });

  test('is a text for generate, and a conversation never is', () => {
    const request: TextRequest = { ...base, kind: 'text', prompt: 'p', raw: true };
    expect(write(request, ollamaGenerate).body).toEqual({ model: 'm', prompt: 'p', raw: true, stream: true });
    // With a suffix the model's template has to be put around it.
    expect(write({ ...request, suffix: 's' }, ollamaGenerate).body).not.toHaveProperty('raw');
    expect(write({ ...base, kind: 'chat', messages: [] }, ollamaGenerate).body).toBeUndefined();
    expect(write({ ...request, echo: true }, ollamaGenerate).body).toBeUndefined();
    expect(write({ ...request, prompt: [[1]] }, ollamaGenerate).body).toBeUndefined();
  });
});
