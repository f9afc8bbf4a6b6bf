import { expect, test } from 'vitest';
import type { RouteName } from '../../domain/routes.ts';
import { peekBody } from '../peek.ts';
import { estimateCost, outputTokensDefault } from './cost-estimate.ts';

function estimate(name: RouteName, content: object, takesSlot = true) {
  const body = Buffer.from(JSON.stringify(content));
  const cost = estimateCost({ name, takesSlot }, body, peekBody({ body, contentType: undefined, query: '' }));
  return { ...cost, quarter: Math.ceil(body.length / 4) };
}

test.each<[RouteName, object, number]>([
  ['chat-completions', { max_tokens: 7 }, 7],
  ['chat-completions', { max_tokens: 7, max_completion_tokens: 5 }, 5],
  ['chat-completions', { max_tokens: 7, n: 3 }, 21],
  ['chat-completions', { max_tokens: null }, outputTokensDefault],
  ['chat-completions', { max_tokens: -1 }, outputTokensDefault],
  ['chat-completions', { max_tokens: '9' }, outputTokensDefault],
  ['responses', { max_output_tokens: 8 }, 8],
  ['messages', { max_tokens: 9 }, 9],
  ['ollama-chat', { options: { num_predict: 4 } }, 4],
  ['ollama-generate', { options: { num_predict: -1 } }, outputTokensDefault],
  ['ollama-generate', { options: null }, outputTokensDefault],
  ['native-completion', { n_predict: 6 }, 6],
  ['embeddings', { input: 'some text' }, 0],
  ['rerank', { query: 'x', max_tokens: 5 }, 0],
])('%s with %o reserves %d for its answer, beside its prompt', (route, body, output) => {
  const found = estimate(route, body);
  expect(found).toMatchObject({ output, input: found.quarter });
});

test('pictures and sounds are not taken for text', () => {
  const image = { image_url: { url: `data:image/png;base64,${'A'.repeat(4000)}` } };
  expect(estimate('chat-completions', { messages: [{ content: [image] }] }).input).toBe(0);
  expect(estimate('ollama-chat', { messages: [{ images: ['A'.repeat(4000)] }] }).input).toBe(0);
});

test('what an engine answers beside its slots costs nothing, nor does what is no JSON', () => {
  expect(estimate('count-tokens', { max_tokens: 5 }, false)).toMatchObject({ input: 0, output: 0 });
  const body = Buffer.from('not json');
  const peeked = peekBody({ body, contentType: 'audio/wav', query: '' });
  expect(estimateCost({ name: 'audio', takesSlot: true }, body, peeked)).toEqual({ input: 0, output: 0 });
});
