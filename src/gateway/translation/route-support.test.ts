import { describe, expect, test } from 'vitest';
import type { Backend } from '../../engines/backend.ts';
import { openai } from '../../engines/kinds/openai.ts';
import { matchRoute } from '../routes.ts';
import { lacksRoute, mayBePutDifferently, mayLackRoute, RouteSupport } from './route-support.ts';

const paths = {
  messages: '/v1/messages',
  'chat-completions': '/v1/chat/completions',
  'count-tokens': '/v1/messages/count_tokens',
};

test.each([
  [404, '{"detail":"Not Found"}', true],
  [404, '{"error":"model \'x\' not found"}', false],
  [404, '{"error":{"message":"No endpoints found for x","code":404}}', false],
  [405, '', true],
  [501, '{"error":{"message":"no such model"}}', true],
  [501, '{"error":{"message":"no embeddings here","type":"not_supported_error"}}', false],
  [200, '{"error":"Unexpected endpoint or method. (POST /v1/messages)"}', true],
  [200, '{"error":"Unexpected end"}', false],
])('an answer of %i with %s says that the route is missing: %s', (status, body, isMissing) => {
  expect(mayLackRoute(status, body.length)).toBe(true);
  expect(lacksRoute(status, body, 'messages')).toBe(isMissing);
});

test('an engine that does not support a count lacks the route, though it may have the model', () => {
  const body = '{"error":{"message":"no counts here","type":"not_supported_error"}}';
  expect(lacksRoute(501, body, 'count-tokens')).toBe(true);
  expect(lacksRoute(404, '{"error":"model \'x\' not found"}', 'count-tokens')).toBe(false);
});

test.each([
  [200, 400],
  [200, undefined],
  [400, 60],
  [500, 60],
])('an answer of %i with %s bytes is taken for what it is', (status, bytes) => {
  expect(mayLackRoute(status, bytes)).toBe(false);
});

test.each([
  ['messages', 'messages', true],
  ['messages', 'chat-completions', true],
  ['chat-completions', 'chat-completions', false],
  ['count-tokens', 'count-tokens', true],
] as const)('a request of %s that went to %s may be put in another way: %s', (route, tried, may) => {
  const inbound = { route: matchRoute('POST', paths[route]), modelInPath: undefined };
  expect(mayBePutDifferently(inbound, { route: tried })).toBe(may);
  expect(mayBePutDifferently({ ...inbound, modelInPath: 'm' }, { route: tried })).toBe(false);
});

describe('what an engine is believed to have', () => {
  const backend = {
    kind: openai,
    config: {},
    version: '1',
    view: { epoch: 1 },
  } as unknown as Backend;

  test('shrinks with each route that it turns out to lack', () => {
    const support = new RouteSupport();
    expect(support.lacks(backend, { route: 'messages', tried: 'messages' })).toBe(true);
    expect(support.lacks(backend, { route: 'messages', tried: 'chat-completions' })).toBe(true);
    expect(support.has(backend, 'chat-completions')).toBe(false);
    expect(support.has(backend, 'responses')).toBe(true);
  });

  test('is everything again when it would be nothing', () => {
    const support = new RouteSupport();
    support.lacks(backend, { route: 'messages', tried: 'messages' });
    support.lacks(backend, { route: 'messages', tried: 'chat-completions' });
    expect(support.lacks(backend, { route: 'messages', tried: 'responses' })).toBe(false);
    expect(support.has(backend, 'messages')).toBe(true);
  });

  test('does not matter for counts, which need no engine', () => {
    const support = new RouteSupport();
    expect(support.lacks(backend, { route: 'count-tokens', tried: 'count-tokens' })).toBe(true);
    expect(support.has(backend, 'count-tokens')).toBe(false);
  });
});
