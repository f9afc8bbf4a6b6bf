import { describe, expect, test } from 'vitest';
import { readError, writeError } from './errors.ts';

describe('reading errors', () => {
  test.each([
    [
      404,
      '{"type":"error","error":{"type":"not_found_error","message":"No model x"},"request_id":"req_1"}',
      { message: 'No model x', status: 404, type: 'not_found_error' },
    ],
    [
      400,
      '{"error":{"code":400,"message":"\'messages\' is required","type":"invalid_request_error"}}',
      { message: "'messages' is required", status: 400, type: 'invalid_request_error', code: 400 },
    ],
    [404, '{"error":"model \'x\' not found"}', { message: "model 'x' not found", status: 404 }],
    [422, '{"detail":"Bad body"}', { message: 'Bad body', status: 422 }],
    [502, '<html>Bad gateway</html>', { message: '<html>Bad gateway</html>', status: 502 }],
    [502, '', { message: 'The engine answered with status 502', status: 502 }],
    [500, '{"x":1}', { message: 'The engine reported an error', status: 500 }],
    [
      400,
      '{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210118 tokens > 200000 maximum"}}',
      {
        message: 'prompt is too long: 210118 tokens > 200000 maximum',
        status: 400,
        type: 'invalid_request_error',
        overflow: { promptTokens: 210_118, contextTokens: 200_000 },
      },
    ],
  ])('%d %s', (status, text, expected) => {
    expect(readError(status, text)).toEqual(expected);
  });
});

describe('writing errors', () => {
  test.each([
    [400, 'invalid_request_error'],
    [401, 'authentication_error'],
    [403, 'permission_error'],
    [404, 'not_found_error'],
    [413, 'request_too_large'],
    [418, 'invalid_request_error'],
    [429, 'rate_limit_error'],
    [500, 'api_error'],
    [502, 'api_error'],
    [503, 'overloaded_error'],
    [504, 'timeout_error'],
    [529, 'overloaded_error'],
  ])('status %d is %s', (status, type) => {
    expect(writeError({ message: 'x' }, status)).toEqual({ type: 'error', error: { type, message: 'x' } });
  });

  test('an overflow without numbers keeps its message', () => {
    expect(writeError({ message: 'Context size has been exceeded.', overflow: {} }, 500)).toEqual({
      type: 'error',
      error: {
        type: 'invalid_request_error',
        message: 'prompt is too long: Context size has been exceeded.',
      },
    });
  });
});
