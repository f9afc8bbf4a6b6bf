import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arbitraryChatRequest, arbitraryTextRequest } from '../../../test/dialects/arbitrary-request.ts';
import { requestSamples as chatSamples } from '../../../test/dialects/samples/ollama-chat.ts';
import { requestSamples as generateSamples } from '../../../test/dialects/samples/ollama-generate.ts';
import type { EngineHabits } from '../../domain/engine-habits.ts';
import type { ImagePart, Message } from '../ir/parts.ts';
import { RequestShapeError } from '../ir/request-shape-error.ts';
import type { ChatRequest, JsonObject, ModelRequest, TextRequest } from '../ir/request.ts';
import { mediaTypeOf } from './images.ts';
import { intentOf, ollamaChat, ollamaGenerate } from './index.ts';

const habits: EngineHabits = {
  unknownMembers: 'ignored',
  takesMoreSamplers: true,
  repeatPenaltyName: 'repeat_penalty',
  reasoningControl: 'none',
  reasoningMember: 'reasoning',
  takesDeveloperRole: false,
  takesToolChoice: false,
  takesImageUrls: false,
  wantsMaxCompletionTokens: false,
  streamsTellUsage: true,
  tellsProgress: false,
};
const png = Buffer.from('\x89PNG\r\n\x1a\n0000', 'latin1').toString('base64');

function readChat(members: JsonObject): ChatRequest {
  const request = ollamaChat.readRequest({ model: 'm', ...members });
  if (request.kind !== 'chat') throw new Error('not a chat');
  return request;
}

function readGenerate(members: JsonObject): TextRequest {
  const request = ollamaGenerate.readRequest({ model: 'm', ...members });
  if (request.kind !== 'text') throw new Error('not a text');
  return request;
}

function write(
  request: ModelRequest,
  dialect = ollamaChat,
): { body: JsonObject | undefined; dropped: string[] } {
  const dropped: string[] = [];
  const body = dialect.writeRequest(request, { habits, onDropped: (field) => dropped.push(field) });
  return { body, dropped };
}

const base = {
  model: 'm',
  stream: true,
  usageInStream: true,
  sampling: {},
  dialect: 'openai-chat',
  own: {},
  extra: {},
} as const;
const user = (...parts: Message['parts']): Message => ({ role: 'user', parts });
const text = (value: string) => ({ kind: 'text', text: value }) as const;

describe('a chat request', () => {
  test('streams unless it says otherwise', () => {
    expect(readChat({ messages: [] })).toMatchObject({ stream: true, usageInStream: true });
    expect(readChat({ messages: [], stream: false }).stream).toBe(false);
  });

  test('keeps content, thoughts, images and calls of a message', () => {
    const { messages } = readChat({
      messages: [
        { role: 'User', content: 'look', images: [png] },
        {
          role: 'assistant',
          content: 'sure',
          thinking: 'hm',
          tool_calls: [{ id: 'c', function: { name: 'f', arguments: { a: 1 } } }],
        },
      ],
    });
    expect(messages).toEqual([
      user({ kind: 'image', source: { kind: 'base64', mediaType: 'image/png', data: png } }, text('look')),
      {
        role: 'assistant',
        parts: [
          { kind: 'reasoning', text: 'hm' },
          text('sure'),
          { kind: 'toolCall', id: 'c', name: 'f', arguments: '{"a":1}' },
        ],
      },
    ]);
  });

  test('gives calls without id one, and results the id of the oldest unanswered call of their name', () => {
    const call = (name: string) => ({ function: { name, arguments: {} } });
    const { messages } = readChat({
      messages: [
        { role: 'assistant', tool_calls: [call('f'), call('g'), call('f'), { id: 'call_3', ...call('h') }] },
        { role: 'tool', content: '1', tool_name: 'f' },
        { role: 'tool', content: '2', tool_name: 'g' },
        { role: 'tool', content: '3', name: 'f' },
        { role: 'tool', content: '4' },
        { role: 'tool', content: '5', tool_name: 'nobody' },
      ],
    });
    const ids = messages
      .flatMap(({ parts }) => parts)
      .map((part) => (part.kind === 'toolCall' ? part.id : part.kind === 'toolResult' ? part.callId : ''));
    expect(ids).toEqual([
      'call_0',
      'call_1',
      'call_2',
      'call_3',
      'call_0',
      'call_1',
      'call_2',
      'call_3',
      'call_4',
    ]);
  });

  test('sorts its options into sampling, loading and unknown ones', () => {
    const request = readChat({
      messages: [],
      options: { num_predict: -1, num_ctx: 4096, top_k: 3, stop: ['a'], num_gpu: 2, mirostat: 1, seed: null },
      logprobs: true,
      top_logprobs: 2,
      truncate: false,
      colour: 'red',
    });
    expect(request).toMatchObject({
      sampling: { topK: 3, stop: ['a'], logprobs: true, topLogprobs: 2 },
      contextTokens: 4096,
      own: { truncate: false, options: { num_gpu: 2, num_predict: -1 } },
      extra: { mirostat: 1, colour: 'red' },
    });
    expect(request.sampling).not.toHaveProperty('seed');
  });

  test.each<[unknown, unknown]>([
    ['json', { kind: 'json' }],
    [{ type: 'object' }, { kind: 'schema', schema: { type: 'object' } }],
    ['', undefined],
    [null, undefined],
  ])('reads format %j as %j', (format, read) => {
    expect(readChat({ messages: [], format }).format).toEqual(read);
  });

  test.each<[unknown, unknown]>([
    [true, { enabled: true }],
    [false, { enabled: false }],
    ['max', { enabled: true, effort: 'max' }],
    [null, undefined],
  ])('reads think %j as %j', (think, read) => {
    expect(readChat({ messages: [], think }).reasoning).toEqual(read);
  });

  test.each<[string, JsonObject]>([
    ['model', { model: '' }],
    ['model', { model: 7 }],
    ['stream', { stream: 'yes' }],
    ['messages', { messages: {} }],
    ['messages[0]', { messages: ['hi'] }],
    ['messages[0].role', { messages: [{ content: 'hi' }] }],
    ['messages[0].role', { messages: [{ role: 'robot' }] }],
    ['messages[1].content', { messages: [{ role: 'user' }, { role: 'user', content: [] }] }],
    ['messages[0].images', { messages: [{ role: 'user', images: 'a' }] }],
    ['messages[0].images[1]', { messages: [{ role: 'user', images: [png, 'https://example.com/a.png'] }] }],
    ['messages[0].images[0]', { messages: [{ role: 'user', images: [''] }] }],
    ['messages[0].tool_calls', { messages: [{ role: 'user', tool_calls: [{}] }] }],
    ['messages[0].tool_calls[0].function', { messages: [{ role: 'assistant', tool_calls: [{}] }] }],
    [
      'messages[0].tool_calls[0].function.name',
      { messages: [{ role: 'assistant', tool_calls: [{ function: { name: '' } }] }] },
    ],
    [
      'messages[0].tool_calls[0].function.arguments',
      { messages: [{ role: 'assistant', tool_calls: [{ function: { name: 'f', arguments: '{}' } }] }] },
    ],
    ['tools[0].function', { tools: [{ type: 'function' }] }],
    ['tools[0].function.parameters', { tools: [{ function: { name: 'f', parameters: [] } }] }],
    ['options', { options: [] }],
    ['options.temperature', { options: { temperature: '1' } }],
    ['options.stop', { options: { stop: 'END' } }],
    ['options.stop[0]', { options: { stop: [1] } }],
    ['format', { format: 'yaml' }],
    ['think', { think: 'hard' }],
    ['keep_alive', { keep_alive: 'soon' }],
    ['top_logprobs', { top_logprobs: 21 }],
  ])('is refused for a wrong %s: %j', (field, members) => {
    expect(() => readChat({ messages: [], ...members })).toThrow(
      expect.objectContaining({ name: 'RequestShapeError', field }) as Error,
    );
  });
});

describe('an image', () => {
  test.each([
    ['image/png', '\x89PNG\r\n\x1a\n'],
    ['image/jpeg', '\xff\xd8\xff\xe0'],
    ['image/gif', 'GIF89a'],
    ['image/webp', 'RIFF1234WEBPVP8 '],
    ['image/bmp', 'BM1234'],
    ['image/avif', '1234ftypavif'],
    ['image/png', 'what is this'],
  ])('is taken for %s by its first bytes', (type, bytes) => {
    expect(mediaTypeOf(Buffer.from(bytes, 'latin1').toString('base64'))).toBe(type);
  });

  test('may come as a data URL or in lines', () => {
    const { images } = readGenerate({
      images: [`data:image/x-thing;base64,${png}`, `${png.slice(0, 8)}\r\n${png.slice(8)}`],
    });
    const source = (mediaType: string) => ({
      kind: 'image',
      source: { kind: 'base64', mediaType, data: png },
    });
    expect(images).toEqual([source('image/x-thing'), source('image/png')]);
  });
});

describe('a generate request', () => {
  test('keeps prompt, suffix, system, images and what only Ollama knows', () => {
    expect(
      readGenerate({
        prompt: 'p',
        suffix: 's',
        system: 'y',
        images: [png],
        template: 't',
        context: [1],
        steps: 3,
      }),
    ).toMatchObject({
      kind: 'text',
      prompt: 'p',
      suffix: 's',
      system: 'y',
      raw: false,
      images: [{ kind: 'image' }],
      own: { template: 't', context: [1], steps: 3 },
    });
  });

  test('takes empty values for none', () => {
    const request = readGenerate({
      prompt: 'p',
      suffix: '',
      system: '',
      template: '',
      context: [],
      raw: true,
    });
    expect(request).toMatchObject({ raw: true, own: {} });
    expect(request).not.toHaveProperty('suffix');
    expect(request).not.toHaveProperty('system');
  });

  test.each([{ system: 'x' }, { template: 'x' }, { context: [1] }])(
    'is refused when raw with %j',
    (members) => {
      expect(() => readGenerate({ prompt: 'p', raw: true, ...members })).toThrow(RequestShapeError);
    },
  );
});

describe('the intent of a request', () => {
  test.each<[JsonObject, string]>([
    [{}, 'load'],
    [{ keep_alive: '5m' }, 'load'],
    [{ keep_alive: -1 }, 'load'],
    [{ keep_alive: 0 }, 'unload'],
    [{ keep_alive: '0' }, 'unload'],
    [{ keep_alive: '0m0s' }, 'unload'],
    [{ keep_alive: 0, prompt: 'x', messages: [{ role: 'user', content: 'x' }] }, 'generate'],
  ])('of %j is %s', (members, intent) => {
    expect(intentOf(readChat(members))).toBe(intent);
    expect(intentOf(readGenerate(members))).toBe(intent);
  });

  test('is text for requests of other APIs', () => {
    expect(intentOf({ ...base, kind: 'chat', messages: [] })).toBe('generate');
  });
});

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

describe('reading what was written', () => {
  const sampling = [
    'maxTokens',
    'temperature',
    'topP',
    'topK',
    'minP',
    'typicalP',
    'seed',
    'stop',
    'frequencyPenalty',
    'presencePenalty',
    'repeatPenalty',
    'repeatLastN',
    'logprobs',
    'topLogprobs',
  ] as const;
  const common = {
    usageInStream: true,
    formats: ['json', 'schema'],
    formatMembers: [],
    reasoning: ['enabled'],
    sampling,
    members: ['keepAlive', 'contextTokens'],
  } as const;

  function again(request: ModelRequest, dialect: typeof ollamaChat): ModelRequest {
    const { body, dropped } = write(request, dialect);
    expect(dropped).toEqual([]);
    return dialect.readRequest(JSON.parse(JSON.stringify(body)) as JsonObject);
  }

  /** What Ollama does not say is found again by other means. */
  function expected(request: ModelRequest): unknown {
    return JSON.parse(JSON.stringify(request), (_key, value: unknown) => {
      const object = value as Record<string, unknown> | null;
      if (object?.['kind'] === 'base64') object['mediaType'] = mediaTypeOf(String(object['data']));
      if (object?.['kind'] === 'function') object['parameters'] ??= { type: 'object', properties: {} };
      return value;
    }) as unknown;
  }

  test('gives the same conversation', () => {
    const arbitrary = arbitraryChatRequest({
      ...common,
      dialect: 'ollama-chat',
      systemRoles: ['system'],
      userParts: ['text', 'image'],
      assistantParts: ['reasoning', 'text', 'toolCall'],
      resultParts: ['text', 'image'],
      partsMax: 1,
      imageSources: ['base64'],
      imageDetail: false,
      reasoningProofs: [],
      resultMembers: ['name'],
      messageNames: false,
      tools: ['function'],
      toolMembers: ['description', 'parameters'],
      toolChoices: [],
    });
    fc.assert(
      fc.property(arbitrary, (request) => {
        expect(again(request, ollamaChat)).toEqual(expected(request));
      }),
      { numRuns: 300 },
    );
  });

  test('gives the same text', () => {
    const shape = { ...common, dialect: 'ollama-generate', prompts: ['text'] } as const;
    const arbitrary = fc.oneof(
      arbitraryTextRequest({ ...shape, raw: false, textMembers: ['suffix', 'system', 'images'] }),
      arbitraryTextRequest({ ...shape, raw: true, textMembers: ['images'] }),
    );
    fc.assert(
      fc.property(arbitrary, (request) => {
        expect(again(request, ollamaGenerate)).toEqual(expected(request));
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    ...chatSamples.map((sample) => ({ ...sample, dialect: ollamaChat })),
    ...generateSamples.map((sample) => ({ ...sample, dialect: ollamaGenerate })),
  ])('gives the same for the sample of $field', ({ body, dialect }) => {
    const request = dialect.readRequest(body);
    expect(again(request, dialect)).toEqual(expected(request));
  });
});

test('hostile bodies throw nothing but errors of shape', () => {
  const names = [
    'messages',
    'tools',
    'options',
    'role',
    'content',
    'images',
    'tool_calls',
    'function',
    'name',
  ];
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom(null, true, 0, -1, 1e300, '', 'user', 'tool', 'assistant', 'x'),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...names, '__proto__', 'constructor'), tie('value'), { maxKeys: 4 }),
    ),
  }));
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...names, 'stream', 'format'), value), (members) => {
      for (const read of [readChat, readGenerate]) {
        try {
          read(members);
        } catch (error) {
          expect(error).toBeInstanceOf(RequestShapeError);
        }
      }
    }),
    { numRuns: 500 },
  );
});
