import { describe, expect, test } from 'vitest';
import type { PromptChain } from '../domain/prompt-chain.ts';
import type { RouteName } from '../domain/routes.ts';
import { peekBody } from './peek.ts';
import { readPromptChain } from './prompt-chain.ts';

function chainOf(body: object, route: RouteName = 'chat-completions'): PromptChain | undefined {
  const bytes = Buffer.from(JSON.stringify({ model: 'm', ...body }));
  return readPromptChain(route, peekBody({ body: bytes, contentType: undefined, query: '' }), bytes);
}

/** Bytes that two prompts share, in whole blocks. */
function sharedBytes(one: PromptChain | undefined, other: PromptChain | undefined): number {
  if (one === undefined || other === undefined) return 0;
  let at = 0;
  while (
    at < one.ends.length &&
    one.hashes[2 * at] === other.hashes[2 * at] &&
    one.hashes[2 * at + 1] === other.hashes[2 * at + 1]
  ) {
    at += 1;
  }
  return one.ends[at - 1] ?? 0;
}

function words(count: number, seed = 'word'): string {
  return Array.from({ length: count }, (_, at) => `${seed}${at}`).join(' ');
}

const system = { role: 'system', content: words(300, 'rule') };
const turn = (role: string, seed: string, count = 100): object => ({ role, content: words(count, seed) });
const talk = [system, turn('user', 'ask'), turn('assistant', 'say'), turn('user', 'more')];

describe('the chain of a prompt', () => {
  test('of a conversation goes on where its last request ended, but for a last short piece', () => {
    const before = chainOf({ messages: talk });
    const after = chainOf({ messages: [...talk, turn('assistant', 'reply'), turn('user', 'thanks')] });
    const whole = before?.bytes ?? 0;
    expect(sharedBytes(after, before)).toBeGreaterThan(whole - 640);
    expect(sharedBytes(after, before)).toBeLessThanOrEqual(whole);
  });

  test('of conversations with one system text shares that and nothing after it', () => {
    const one = chainOf({ messages: [system, turn('user', 'cats', 300)] });
    const other = chainOf({ messages: [system, turn('user', 'dogs', 300)] });
    expect(sharedBytes(one, other)).toBe(JSON.stringify(system.content).length);
  });

  test('changes with the tools, after the system text', () => {
    const tool = { type: 'function', function: { name: 'find', description: words(200, 'tool') } };
    const with1 = chainOf({ messages: talk, tools: [tool] });
    const with2 = chainOf({
      messages: talk,
      tools: [{ ...tool, function: { ...tool.function, name: 'list' } }],
    });
    expect(sharedBytes(with1, with2)).toBe(JSON.stringify(system.content).length);
    expect(sharedBytes(with1, chainOf({ tools: [tool], messages: talk }))).toBeGreaterThan(3500);
  });

  test.each([
    ['model', { model: 'other' }],
    ['sampling', { temperature: 0.3, max_tokens: 7 }],
    ['who asks', { user: 'somebody' }],
    ['stream', { stream: true }],
  ])('does not depend on %s', (_what, fields) => {
    expect(chainOf({ ...fields, messages: talk })).toEqual(chainOf({ messages: talk }));
  });

  test('skips the text that some agents change in front of each request', () => {
    const agent = (number: number): PromptChain | undefined =>
      chainOf(
        {
          system: [
            { type: 'text', text: `x-anthropic-billing-header: cc_version=2; cch=${number}` },
            { type: 'text', text: words(300, 'rule'), cache_control: { type: 'ephemeral' } },
          ],
          messages: [turn('user', 'ask', 200)],
        },
        'messages',
      );
    expect(agent(1)).toEqual(agent(2));
  });

  test('tells pictures apart by their beginning, end and length, and does not read what is between', () => {
    const picture = (fill: string, length: number): PromptChain | undefined =>
      chainOf({
        messages: [
          {
            role: 'user',
            content: [
              {
                type: 'image_url',
                image_url: { url: `data:image/png;base64,${'iVBOR'.repeat(500)}${fill.repeat(length)}` },
              },
              { type: 'text', text: words(200) },
            ],
          },
        ],
      });
    const one = picture('A', 200_000);
    expect(one?.bytes).toBeLessThan(5000);
    expect(sharedBytes(one, picture('A', 200_000))).toBeGreaterThan(3000);
    expect(sharedBytes(one, picture('A', 200_001))).toBeLessThan(1024);
    expect(sharedBytes(one, picture('B', 200_000))).toBeLessThan(2048);
  });

  test('takes long text without blanks for what it is', () => {
    const text = '日本語の長い文章です。'.repeat(800);
    const one = chainOf({ messages: [{ role: 'user', content: `${text}終` }] });
    const other = chainOf({ messages: [{ role: 'user', content: `${text}了` }] });
    expect(sharedBytes(one, other)).toBeGreaterThan(25_000);
  });

  test.each<[RouteName, object]>([
    ['completions', { prompt: words(300) }],
    ['native-completion', { prompt: words(300) }],
    ['ollama-generate', { prompt: words(300), system: words(20) }],
    ['ollama-chat', { messages: talk }],
    ['responses', { instructions: words(100), input: words(300) }],
    ['responses', { input: talk }],
  ])('is read on the route %s', (route, body) => {
    expect(chainOf(body, route)?.ends.length).toBeGreaterThan(2);
  });

  test.each<[string, object, RouteName]>([
    ['a body without a prompt', { input: words(300) }, 'embeddings'],
    [
      'a prompt that goes on from a kept answer',
      { previous_response_id: 'r', input: words(300) },
      'responses',
    ],
    ['a prompt that goes on from a context', { context: [1, 2], prompt: words(300) }, 'ollama-generate'],
    ['a short prompt', { messages: [{ role: 'user', content: 'hi' }] }, 'chat-completions'],
  ])('is none for %s', (_what, body, route) => {
    expect(chainOf(body, route)).toBeUndefined();
  });
});
