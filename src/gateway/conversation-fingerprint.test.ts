import { describe, expect, test } from 'vitest';

import { conversationFingerprint } from './conversation-fingerprint.ts';
import { peekBody } from './peek.ts';

function fingerprint(request: object, model = 'tiny'): string | undefined {
  const body = Buffer.from(JSON.stringify(request));
  const facts = peekBody({ body, contentType: 'application/json', query: '' });
  return conversationFingerprint(facts, body, model);
}

const system = { role: 'system', content: 'You are brief.' };
const user = { role: 'user', content: 'What is a "llama"?' };
const later = [
  { role: 'assistant', content: 'An animal.' },
  { role: 'user', content: 'Thanks' },
];
const chat = fingerprint({ messages: [system, user] });

describe('conversationFingerprint', () => {
  test('is the same for every turn of a chat', () => {
    expect(chat).toMatch(/^[0-9a-f]{16}$/);
    expect(fingerprint({ model: 'x', temperature: 1, messages: [system, user, ...later] })).toBe(chat);
  });

  test.each([
    ['another system text', { messages: [{ ...system, content: 'You are long.' }, user] }],
    ['no system text', { messages: [user] }],
    ['another first turn', { messages: [system, { ...user, content: 'What?' }] }],
    [
      'a border moved',
      {
        messages: [
          { ...system, content: 'You are brief.W' },
          { ...user, content: 'hat' },
        ],
      },
    ],
  ])('differs for %s', (_, request) => {
    expect(fingerprint(request)).toBeDefined();
    expect(fingerprint(request)).not.toBe(chat);
  });

  test('differs for another model', () => {
    expect(fingerprint({ messages: [system, user] }, 'other')).not.toBe(chat);
  });

  test('takes a text and a list of one text part for the same, whatever its cache mark', () => {
    const part = { type: 'text', text: user.content };
    for (const content of [[part], [{ ...part, cache_control: { type: 'ephemeral' } }]]) {
      expect(fingerprint({ messages: [system, { ...user, content }, ...later] })).toBe(chat);
    }
  });

  test('tells images apart, but not by their cache mark', () => {
    const image = (data: string, mark: object): string | undefined =>
      fingerprint({ messages: [{ role: 'user', content: [{ type: 'image', source: { data }, ...mark }] }] });
    const marked = { cache_control: { type: 'ephemeral' } };
    expect(image('a', marked)).toBe(image('a', {}));
    expect(image('a', {})).not.toBe(image('b', {}));
  });

  test('reads the system text of the messages API and leaves its changing block out', () => {
    const request = (number: string, text: string): object => ({
      system: [
        { type: 'text', text: `x-anthropic-billing-header: cch=${number};` },
        { type: 'text', text },
      ],
      messages: [user, ...later],
    });
    expect(fingerprint(request('1', 'a'))).toBe(fingerprint(request('2', 'a')));
    expect(fingerprint(request('1', 'a'))).not.toBe(fingerprint(request('1', 'b')));
    expect(fingerprint(request('1', 'a'))).toBe(fingerprint({ system: 'a', messages: [user] }));
  });

  test('reads instructions and input of the responses API', () => {
    const text = fingerprint({ instructions: 'Be brief', input: 'Hello' });
    const items = fingerprint({
      instructions: 'Be brief',
      input: [{ role: 'user', content: [{ type: 'input_text', text: 'Hello' }] }, { type: 'reasoning' }],
    });
    expect(text).toBeDefined();
    expect(items).toBe(text);
    expect(fingerprint({ instructions: null, input: 'Hello' })).toBe(fingerprint({ input: 'Hello' }));
    expect(fingerprint({ input: 'Hello' })).not.toBe(text);
  });

  test('hashes long texts by beginning, end and length', () => {
    const long = (text: string): string | undefined =>
      fingerprint({ messages: [{ role: 'user', content: text }] });
    const text = 'a'.repeat(600_000);
    expect(long(text)).toBe(long(text));
    expect(long(`b${text.slice(1)}`)).not.toBe(long(text));
    expect(long(`${text.slice(1)}b`)).not.toBe(long(text));
    expect(long(`${text}a`)).not.toBe(long(text));
  });

  test.each([
    ['no messages', { prompt: 'Hello' }],
    ['no user', { messages: [system, { role: 'assistant', content: 'Hello' }] }],
    ['a user who speaks too late', { messages: [...Array.from({ length: 64 }, () => system), user] }],
    ['no list', { messages: { role: 'user' } }],
    ['an empty list', { messages: [] }],
    ['messages that are no objects', { messages: ['user', 1] }],
  ])('is undefined for %s', (_, request) => {
    expect(fingerprint(request)).toBeUndefined();
  });

  test('is undefined for a body that is no JSON', () => {
    const facts = peekBody({ body: Buffer.from('x'), contentType: undefined, query: '' });
    expect(conversationFingerprint(facts, Buffer.from('x'), 'tiny')).toBeUndefined();
  });
});
