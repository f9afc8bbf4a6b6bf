import { expect, test } from 'vitest';
import { scanJsonObject } from '../base/json-scan.ts';
import { estimateTokens } from './token-estimate.ts';

const words = 'the river runs by the old stone house '.repeat(10);

test('a prompt has about a token for four bytes', () => {
  const body = Buffer.from(JSON.stringify({ messages: [{ role: 'user', content: words }] }));
  for (const route of ['chat-completions', 'messages', 'responses'] as const) {
    expect(estimateTokens(route, body)).toBe(Math.ceil(body.length / 4));
  }
});

test.each<[string, object]>([
  ['a picture', { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }],
  ['a picture in the Anthropic form', { type: 'image', source: { type: 'base64', data: 'AAAA' } }],
  ['a sound', { type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } }],
])('a prompt with %s has an unknown number of tokens', (_name, part) => {
  const body = Buffer.from(JSON.stringify({ messages: [{ role: 'user', content: [part] }] }));
  expect(estimateTokens('chat-completions', body)).toBe(0);
});

test.each(['embeddings', 'rerank', 'completions', 'native-completion', 'audio', 'images', 'other'] as const)(
  'a body for %s can hold many inputs or none, so its tokens are unknown',
  (route) => {
    expect(estimateTokens(route, Buffer.from(words))).toBe(0);
  },
);

test('a long text is no picture for speaking of one, and a long picture is one', () => {
  const estimate = (content: unknown): number => {
    const body = Buffer.from(JSON.stringify({ messages: [{ role: 'user', content }] }));
    return estimateTokens('chat-completions', body, scanJsonObject(body)?.longStrings);
  };
  expect(estimate(`${words.repeat(4)} base64 ${words}`)).toBeGreaterThan(0);
  const url = `data:image/png;base64,${'A'.repeat(4000)}`;
  expect(estimate([{ type: 'image_url', image_url: { url } }])).toBe(0);
  expect(estimate([{ type: 'text', text: words.repeat(4) }, { type: 'input_audio' }])).toBe(0);
});
