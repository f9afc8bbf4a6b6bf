import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arbitraryChatRequest } from '../../../test/dialects/arbitrary-request.ts';
import '../../../test/property-seed.ts';
import type { Message } from '../ir/parts.ts';
import type { ChatRequest } from '../ir/request.ts';
import { withoutTools } from './without-tools.ts';

const plain: ChatRequest = {
  kind: 'chat',
  dialect: 'openai-chat',
  model: 'm',
  stream: true,
  usageInStream: true,
  messages: [{ role: 'user', parts: [{ kind: 'text', text: 'Hi' }] }],
  sampling: { temperature: 0.5 },
  own: { store: true },
  extra: { cache_prompt: true },
};
const look = { kind: 'function', name: 'look' } as const;

function user(...texts: readonly string[]): Message {
  return { role: 'user', parts: texts.map((text) => ({ kind: 'text', text })) };
}

describe('the tools', () => {
  test('go with everything that is about them, and nothing else does', () => {
    const request: ChatRequest = {
      ...plain,
      tools: [look],
      toolChoice: { kind: 'required' },
      parallelToolCalls: false,
    };
    expect(withoutTools(request)).toEqual(plain);
  });

  test('that are not there cannot go', () => {
    expect(withoutTools(plain)).toBeUndefined();
  });
});

describe('earlier calls', () => {
  const call = (id: string, name: string, text: string) =>
    ({ kind: 'toolCall', id, name, arguments: text }) as const;
  const result = (callId: string, text: string, isError = false): Message => ({
    role: 'tool',
    parts: [
      { kind: 'toolResult', callId, parts: [{ kind: 'text', text }], ...(isError && { isError: true }) },
    ],
  });

  test('and their results are told in words, assistant and user in turn', () => {
    const messages: readonly Message[] = [
      user('Weather?'),
      {
        role: 'assistant',
        parts: [
          { kind: 'text', text: 'Let me see.' },
          call('a', 'look', '{"in":"Oslo"}'),
          call('b', 'look', '{"in":"Rome"}'),
        ],
      },
      result('a', 'rain'),
      result('b', 'no such city', true),
      user('And?'),
    ];
    expect(withoutTools({ ...plain, messages })?.messages).toEqual([
      user('Weather?'),
      {
        role: 'assistant',
        parts: [
          { kind: 'text', text: 'Let me see.' },
          { kind: 'text', text: '[called look with {"in":"Oslo"}]' },
          { kind: 'text', text: '[called look with {"in":"Rome"}]' },
        ],
      },
      user('[result of look:]', 'rain', '[error of look:]', 'no such city', 'And?'),
    ]);
  });

  test('of which the last ones wait for an answer end with the user', () => {
    const messages: readonly Message[] = [
      user('Weather?'),
      { role: 'assistant', parts: [call('a', 'look', '{}')] },
      result('a', 'rain'),
    ];
    expect(withoutTools({ ...plain, messages })?.messages.at(-1)).toEqual(user('[result of look:]', 'rain'));
  });

  test('leave no trace in any conversation, and no text of it is lost', () => {
    fc.assert(
      fc.property(arbitraryChatRequest({ dialect: 'openai-chat' }), (request) => {
        const { messages, tools } = withoutTools(request) ?? request;
        expect(tools).toBeUndefined();
        for (const { role, parts } of messages) {
          expect(role).not.toBe('tool');
          for (const { kind } of parts) expect(['toolCall', 'toolResult']).not.toContain(kind);
        }
        const written = JSON.stringify(messages);
        for (const { parts } of request.messages) {
          for (const part of parts) {
            if (part.kind === 'text') expect(written).toContain(JSON.stringify(part.text));
            if (part.kind === 'toolCall')
              expect(written).toContain(JSON.stringify(part.arguments).slice(1, -1));
          }
        }
      }),
    );
  });
});
