import { expect, test } from 'vitest';
import type { RouteName } from '../../domain/routes.ts';
import { hasOtherWays, lacksRoute, mayLackRoute } from './route-support.ts';

test.each([
  [404, '{"detail":"Not Found"}', true],
  [404, '{"error":"model \'x\' not found"}', false],
  [405, '', true],
  [501, '{"error":{"message":"no such model"}}', true],
  [200, '{"error":"Unexpected endpoint or method. (POST /v1/messages)"}', true],
  [200, '{"error":"Unexpected end"}', false],
])('an answer of %i with %s says that the route is missing: %s', (status, body, isMissing) => {
  expect(mayLackRoute(status, body.length)).toBe(true);
  expect(lacksRoute(status, body)).toBe(isMissing);
});

test.each([
  [200, 400],
  [200, undefined],
  [400, 60],
  [500, 60],
])('an answer of %i with %s bytes is taken for what it is', (status, bytes) => {
  expect(mayLackRoute(status, bytes)).toBe(false);
});

test.each<[RouteName, RouteName[], boolean]>([
  ['messages', ['messages', 'chat-completions'], true],
  ['messages', ['messages'], false],
  ['chat-completions', ['chat-completions', 'responses'], false],
  ['count-tokens', ['count-tokens'], true],
])('a request of %s to an engine of %j can be put in another way: %s', (route, routes, can) => {
  expect(hasOtherWays(route, new Set(routes))).toBe(can);
});
