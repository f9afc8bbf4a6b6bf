import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { base, png, readChat, readGenerate, text, user } from '../../../test/dialects/ollama-requests.ts';
import { RequestShapeError } from '../ir/request-shape-error.ts';
import type { JsonObject } from '../ir/request.ts';
import { mediaTypeOf } from './images.ts';
import { intentOf } from './request.ts';

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
