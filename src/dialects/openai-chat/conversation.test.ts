import { describe, expect, test } from 'vitest';
import { fullHabits, notingTarget, templateHabits } from '../../../test/dialects/habits.ts';
import type { EngineHabits } from '../../domain/engine-habits.ts';
import type { Message, Part } from '../ir/parts.ts';
import type { JsonObject } from '../ir/request.ts';
import { writeMessages } from './conversation.ts';
import { readRequest } from './request.ts';

function read(messages: readonly unknown[]): readonly Message[] {
  return readRequest({ model: 'm', messages }).messages;
}

function written(
  messages: readonly Message[],
  habits: EngineHabits = fullHabits,
): { messages: readonly JsonObject[]; dropped: readonly string[] } {
  const target = notingTarget(habits);
  return { messages: writeMessages(messages, target), dropped: target.dropped };
}

function user(...parts: readonly Part[]): Message {
  return { role: 'user', parts };
}

const text = (words: string): Part => ({ kind: 'text', text: words });
const image: Part = { kind: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'AAAA' } };
const imageUrl = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } };

describe('content of a chat message', () => {
  test.each<[unknown, readonly Part[]]>([
    ['hello', [text('hello')]],
    ['', []],
    [[{ type: 'text', text: 'a' }], [text('a')]],
    [[imageUrl], [image]],
    [[{ type: 'image_url', image_url: 'data:image/png;base64,AAAA' }], [image]],
    [
      [{ type: 'image_url', image_url: { url: 'https://a/b.png', detail: 'low' } }],
      [{ kind: 'image', source: { kind: 'url', url: 'https://a/b.png' }, detail: 'low' }],
    ],
    [
      [{ type: 'image_url', image_url: { url: 'data:image/svg+xml,<svg/>' } }],
      [{ kind: 'image', source: { kind: 'url', url: 'data:image/svg+xml,<svg/>' } }],
    ],
    [
      [{ type: 'image_url', image_url: { url: 'data:image/png;charset=x;base64,AA' } }],
      [{ kind: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'AA' } }],
    ],
    [
      [{ type: 'input_audio', input_audio: { data: 'AA', format: 'wav' } }],
      [{ kind: 'audio', data: 'AA', format: 'wav' }],
    ],
    [
      [{ type: 'file', file: { file_id: 'file-1' } }],
      [{ kind: 'document', source: { kind: 'file', id: 'file-1' } }],
    ],
    [
      [{ type: 'file', file: { file_data: 'data:application/pdf;base64,AA', filename: 'a.pdf' } }],
      [
        {
          kind: 'document',
          source: { kind: 'base64', mediaType: 'application/pdf', data: 'AA' },
          title: 'a.pdf',
        },
      ],
    ],
    [
      [{ type: 'video_url', video_url: { url: 'u' } }],
      [
        {
          kind: 'opaque',
          dialect: 'openai-chat',
          type: 'video_url',
          value: { type: 'video_url', video_url: { url: 'u' } },
        },
      ],
    ],
  ])('is read from %j', (content, parts) => {
    expect(read([{ role: 'user', content }])).toEqual([{ role: 'user', parts }]);
  });

  test.each([
    [{ role: 'user' }, 'messages[0].content: is required'],
    [{ role: 'user', content: 5 }, 'messages[0].content: must be a string or a list of parts'],
    [
      { role: 'user', content: [{ type: 'hologram' }] },
      'messages[0].content[0].type: is not a known type of content',
    ],
    [{ role: 'user', content: [{ type: 'text' }] }, 'messages[0].content[0].text: is required'],
    [{ role: 'user', content: [{ type: 'image_url' }] }, 'messages[0].content[0].image_url: is required'],
    [
      { role: 'user', content: [{ type: 'refusal', refusal: 'no' }] },
      'messages[0].content[0].type: cannot be in a message of this role',
    ],
    [
      { role: 'system', content: [imageUrl] },
      'messages[0].content[0].type: cannot be in a message of this role',
    ],
    [{ role: 'wizard', content: '' }, 'messages[0].role: must be system, developer, user, assistant or tool'],
    [{ role: 'tool', content: 'x' }, 'messages[0].tool_call_id: is required'],
    [
      { role: 'tool', content: 'x', tool_call_id: 'a' },
      'messages[0].tool_call_id: answers no tool call of the messages before',
    ],
    [
      { role: 'function', content: 'x', name: 'f' },
      'messages[0].name: answers no function call of the messages before',
    ],
    [
      { role: 'assistant', tool_calls: [{ function: { name: 'f' } }] },
      'messages[0].tool_calls[0].id: is required',
    ],
    [{ role: 'assistant', tool_calls: [{ id: 'a' }] }, 'messages[0].tool_calls[0].function: is required'],
    [
      { role: 'assistant', tool_calls: [{ id: 'a', type: 'magic' }] },
      'messages[0].tool_calls[0].type: must be function or custom',
    ],
  ])('%j is refused: %s', (message, words) => {
    expect(() => read([message])).toThrow(words);
  });
});

describe('an assistant’s message', () => {
  const call = { id: 'call_1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } };
  test.each<[JsonObject, readonly Part[]]>([
    [{ content: 'a', reasoning_content: 'b' }, [{ kind: 'reasoning', text: 'b' }, text('a')]],
    [{ content: 'a', reasoning: 'b' }, [{ kind: 'reasoning', text: 'b' }, text('a')]],
    [{ content: null, refusal: 'no' }, [{ kind: 'refusal', text: 'no' }]],
    [{ content: [{ type: 'refusal', refusal: 'no' }] }, [{ kind: 'refusal', text: 'no' }]],
    [
      {
        content: [
          { type: 'thinking', thinking: [{ type: 'text', text: 'b' }] },
          { type: 'text', text: 'a' },
        ],
      },
      [{ kind: 'reasoning', text: 'b' }, text('a')],
    ],
    [{ tool_calls: [call] }, [{ kind: 'toolCall', id: 'call_1', name: 'f', arguments: '{"a":1}' }]],
    [
      { tool_calls: [{ ...call, function: { name: 'f', arguments: { a: 1 } } }] },
      [{ kind: 'toolCall', id: 'call_1', name: 'f', arguments: '{"a":1}' }],
    ],
    [
      { tool_calls: [{ ...call, function: { name: 'f', arguments: '' } }] },
      [{ kind: 'toolCall', id: 'call_1', name: 'f', arguments: '{}' }],
    ],
    [
      { tool_calls: [{ id: 'call_1', type: 'custom', custom: { name: 'f', input: 'x' } }] },
      [{ kind: 'toolCall', id: 'call_1', name: 'f', arguments: 'x', custom: true }],
    ],
    [
      { function_call: { name: 'f', arguments: '{}' } },
      [{ kind: 'toolCall', id: 'call_0', name: 'f', arguments: '{}' }],
    ],
    [
      { audio: { id: 'audio_1' } },
      [{ kind: 'opaque', dialect: 'openai-chat', type: 'audio', value: { id: 'audio_1' } }],
    ],
  ])('is read from %j', (message, parts) => {
    expect(read([{ role: 'assistant', ...message }])).toEqual([{ role: 'assistant', parts }]);
  });

  test('has its thoughts in the member that the engine reads', () => {
    const messages: Message[] = [{ role: 'assistant', parts: [{ kind: 'reasoning', text: 'b' }, text('a')] }];
    expect(written(messages).messages).toEqual([{ role: 'assistant', content: 'a', reasoning_content: 'b' }]);
    expect(written(messages, { ...fullHabits, reasoningMember: 'reasoning' }).messages).toEqual([
      { role: 'assistant', content: 'a', reasoning: 'b' },
    ]);
  });

  test('loses what proves its thoughts, and that is reported', () => {
    const parts: Part[] = [
      { kind: 'reasoning', text: 'b', signature: 's' },
      { kind: 'reasoning', text: '', encrypted: 'e' },
      text('a'),
    ];
    expect(written([{ role: 'assistant', parts }])).toEqual({
      messages: [{ role: 'assistant', content: 'a', reasoning_content: 'b' }],
      dropped: ['messages[].content[].signature', 'messages[].content[].encrypted_content'],
    });
  });

  test('that refused shows it to a template as text', () => {
    const messages: Message[] = [{ role: 'assistant', parts: [{ kind: 'refusal', text: 'no' }] }];
    expect(written(messages).messages).toEqual([
      { role: 'assistant', content: [{ type: 'refusal', refusal: 'no' }] },
    ]);
    expect(written(messages, templateHabits).messages).toEqual([{ role: 'assistant', content: 'no' }]);
  });

  test('gets audio of an earlier answer back', () => {
    const message = { role: 'assistant', content: '', audio: { id: 'audio_1' } };
    expect(written(read([message])).messages).toEqual([message]);
  });
});

describe('the older function messages', () => {
  test('become a tool call and its result', () => {
    const messages = read([
      { role: 'assistant', content: null, function_call: { name: 'f', arguments: '{}' } },
      { role: 'function', name: 'f', content: '4' },
    ]);
    expect(written(messages).messages).toEqual([
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'call_0', type: 'function', function: { name: 'f', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'call_0', name: 'f', content: '4' },
    ]);
  });
});

describe('messages for a template', () => {
  test('have one system message at the beginning, with everything that stood there', () => {
    const messages: Message[] = [
      { role: 'system', parts: [text('a'), text('b')] },
      { role: 'developer', parts: [text('c')] },
      user(text('hi')),
      { role: 'developer', parts: [text('d')] },
    ];
    expect(written(messages, templateHabits).messages).toEqual([
      { role: 'system', content: 'a\nb\nc' },
      { role: 'user', content: 'hi' },
      { role: 'system', content: 'd' },
    ]);
    expect(written(messages).messages.map(({ role }) => role)).toEqual([
      'system',
      'developer',
      'user',
      'developer',
    ]);
  });

  test('have texts joined, but not those beside images', () => {
    expect(written([user(text('a'), text('b'))], templateHabits).messages).toEqual([
      { role: 'user', content: 'a\nb' },
    ]);
    expect(written([user(text('a'), image)], templateHabits).messages).toEqual([
      { role: 'user', content: [{ type: 'text', text: 'a' }, imageUrl] },
    ]);
  });

  test('know custom tools as functions', () => {
    const call: Part = { kind: 'toolCall', id: 'c', name: 'patch', arguments: 'text', custom: true };
    expect(written([{ role: 'assistant', parts: [call] }], templateHabits).messages).toEqual([
      {
        role: 'assistant',
        content: null,
        tool_calls: [
          { id: 'c', type: 'function', function: { name: 'patch', arguments: '{"input":"text"}' } },
        ],
      },
    ]);
  });
});

describe('media', () => {
  test('of tool results follow all results as a user’s message', () => {
    const result = (callId: string, ...parts: readonly Part[]): Message => ({
      role: 'tool',
      parts: [{ kind: 'toolResult', callId, parts: parts as never }],
    });
    const messages = [result('a', text('seen'), image), result('b', text('done')), user(text('and?'))];
    expect(written(messages).messages).toEqual([
      { role: 'tool', tool_call_id: 'a', content: 'seen' },
      { role: 'tool', tool_call_id: 'b', content: 'done' },
      { role: 'user', content: [imageUrl] },
      { role: 'user', content: 'and?' },
    ]);
    expect(written([result('a', image)]).messages).toEqual([
      { role: 'tool', tool_call_id: 'a', content: '' },
      { role: 'user', content: [imageUrl] },
    ]);
  });

  test.each<[Part, string]>([
    [{ kind: 'image', source: { kind: 'file', id: 'x' } }, 'messages[].content[].file_id'],
    [{ kind: 'document', source: { kind: 'url', url: 'https://a' } }, 'messages[].content[].document'],
    [
      { kind: 'opaque', dialect: 'anthropic-messages', type: 'citation', value: {} },
      'messages[].content[].citation',
    ],
  ])('that cannot be said are reported: %j', (part, field) => {
    expect(written([user(text('a'), part)])).toEqual({
      messages: [{ role: 'user', content: [{ type: 'text', text: 'a' }] }],
      dropped: [field],
    });
  });

  test('by URL are reported where the engine fetches none', () => {
    const byUrl: Part = { kind: 'image', source: { kind: 'url', url: 'https://a/b.png' } };
    const habits = { ...fullHabits, takesImageUrls: false };
    expect(written([user(byUrl)], habits)).toEqual({
      messages: [{ role: 'user', content: '' }],
      dropped: ['messages[].content[].image_url'],
    });
    expect(written([user(image)], habits).dropped).toEqual([]);
  });

  test('that are documents of text become text', () => {
    const document: Part = { kind: 'document', source: { kind: 'text', text: 'words' }, title: 'a.txt' };
    expect(written([user(document)]).messages).toEqual([
      { role: 'user', content: [{ type: 'text', text: 'a.txt\n\nwords' }] },
    ]);
  });

  test('of tool results that failed are reported to have lost that', () => {
    const message: Message = {
      role: 'tool',
      parts: [
        { kind: 'toolResult', callId: 'a', parts: [{ kind: 'text', text: 'no such file' }], isError: true },
      ],
    };
    expect(written([message])).toEqual({
      messages: [{ role: 'tool', tool_call_id: 'a', content: 'no such file' }],
      dropped: ['messages[].content[].is_error'],
    });
  });
});
