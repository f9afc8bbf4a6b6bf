import { describe, expect, test } from 'vitest';
import { engineErrorMessage, lateErrorEvent } from './late-error.ts';

test.each([
  ['{"error":{"message":"too long","type":"x"}}', 'too long'],
  ['{"error":"no such model"}', 'no such model'],
  ['{"message":"not now"}', 'not now'],
  ['{"detail":"Not Found"}', 'Not Found'],
  ['{"error":{"message":""},"detail":"second"}', 'second'],
  ['{"error":{"message":5},"message":{"x":1}}', '400 Bad Request'],
  ['[1]', '400 Bad Request'],
  ['not JSON', '400 Bad Request'],
  ['', '400 Bad Request'],
])('MET-3: the message of %j is %j', (body, message) => {
  expect(engineErrorMessage(400, Buffer.from(body))).toBe(message);
});

describe('an error for a stream that has begun', () => {
  test.each<[number, string, string]>([
    [
      400,
      '{"error":{"message":"a","type":"t","code":7,"param":"p"}}',
      '{"message":"a","type":"t","param":"p","code":7}',
    ],
    [422, '{"detail":"b"}', '{"message":"b","type":"invalid_request_error","param":null,"code":422}'],
    [500, 'oops', '{"message":"oops","type":"server_error","param":null,"code":500}'],
    [
      502,
      '',
      '{"message":"The engine answered with status 502","type":"server_error","param":null,"code":502}',
    ],
    [
      200,
      '{"choices":[]}',
      '{"message":"The engine did not answer with a stream","type":"server_error","param":null,"code":"backend_protocol"}',
    ],
  ])('of status %i with %j is one event', (status, body, error) => {
    expect(lateErrorEvent(status, Buffer.from(body), 'openai')).toBe(`data: {"error":${error}}\n\n`);
  });

  test('is one line, whatever the engine wrote', () => {
    const event = lateErrorEvent(500, Buffer.from('line\n\ndata: two'), 'anthropic');
    expect(event.match(/\n\n/g)).toHaveLength(1);
  });
});
