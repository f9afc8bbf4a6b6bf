import { describe, expect, test } from 'vitest';
import { parseExactJson } from '../../base/exact-json.ts';
import { cacheKey, cacheSpace, type CacheQuestion } from './cache-key.ts';

const messages = [
  { role: 'system', content: 'Be short.' },
  { role: 'user', content: 'yes' },
];
const question: CacheQuestion = {
  sharers: 'team',
  route: 'chat-completions',
  model: 'm',
  requested: 'm',
  circumstances: [],
  body: { model: 'm', messages, temperature: 0 },
};
const keyOf = (more: object, rest: Partial<CacheQuestion> = {}): string =>
  cacheKey({ ...question, ...rest, body: { ...question.body, ...more } });
const key = cacheKey(question);

describe('the key of a request', () => {
  test.each([
    ['history', { messages: [messages[0], { role: 'user', content: 'Delete it?' }, messages[1]] }],
    ['the system prompt', { messages: [{ role: 'system', content: 'Be long.' }, messages[1]] }],
    ['white space in a message', { messages: [messages[0], { role: 'user', content: 'yes ' }] }],
    ['sampling', { temperature: 0.1 }],
    ['a seed of many digits', parseExactJson('{"seed":12345678901234567891}') as object],
    ['another seed of many digits', parseExactJson('{"seed":12345678901234567892}') as object],
    ['tools', { tools: [{ type: 'function', function: { name: 'f' } }] }],
    ['the format', { response_format: { type: 'json_object' } }],
    ['limits', { max_tokens: 5 }],
    ['images', { messages: [messages[0], { role: 'user', content: [{ type: 'image_url' }] }] }],
    ['what nobody knows', { chat_template_kwargs: { x: 1 } }],
    ['a member that is null', { tools: null }],
  ])('changes with %s', (_what, more) => {
    expect(keyOf(more)).not.toBe(key);
  });

  test('tells numbers apart that a double cannot', () => {
    const seeds = ['12345678901234567891', '12345678901234567892'].map((seed) =>
      keyOf(parseExactJson(`{"seed":${seed}}`) as object),
    );
    expect(seeds[0]).not.toBe(seeds[1]);
  });

  test.each<[string, Partial<CacheQuestion>]>([
    ['who shares it', { sharers: 'others' }],
    ['the route', { route: 'messages' }],
    ['the model', { model: 'n' }],
    ['the name that was asked for', { requested: 'alias' }],
    ['a header that matters', { circumstances: ['beta'] }],
  ])('changes with %s', (_what, rest) => {
    expect(keyOf({}, rest)).not.toBe(key);
  });

  test('does not change with the order of members or with how the answer is delivered', () => {
    expect(
      cacheKey({ ...question, body: { temperature: 0, messages: reversed(messages), model: 'm' } }),
    ).toBe(key);
    expect(keyOf({ stream: true, stream_options: { include_usage: true } })).toBe(key);
    expect(keyOf({ user: 'u1', metadata: { a: 1 }, keep_alive: '5m' })).toBe(key);
  });

  test('changes with metadata where answers repeat it', () => {
    const route = 'responses';
    expect(keyOf({ metadata: { a: 1 } }, { route })).not.toBe(keyOf({}, { route }));
  });
});

describe('the space of a request', () => {
  test('is that of requests which differ in what varies only', () => {
    const space = (body: object, extra: unknown = 'x'): string =>
      cacheSpace({ ...question, body: { ...body } }, ['messages'], extra);
    expect(space({ messages, temperature: 0 })).toBe(space({ messages: [], temperature: 0 }));
    expect(space({ messages, temperature: 0 })).not.toBe(space({ messages, temperature: 1 }));
    expect(space({ messages })).not.toBe(space({ messages }, 'y'));
  });
});

function reversed(list: readonly Readonly<Record<string, string>>[]): object[] {
  return list.map((message) => Object.fromEntries(Object.entries(message).toReversed()));
}
