import { describe, expect, test } from 'vitest';
import { errorTable, LlameroError, type ErrorCode } from '../domain/errors.ts';
import { errorBody, errorEvent } from './error-response.ts';

const error = new LlameroError('queue_full', 'No room', { retryAfterS: 3 });

describe('UTL-6: the envelope', () => {
  test('has message, type, param and code, param being null where nothing is at fault', () => {
    expect(JSON.parse(errorBody(error, 'openai'))).toEqual({
      error: { message: 'No room', type: 'rate_limit_error', param: null, code: 'queue_full' },
    });
    const named = new LlameroError('model_not_found', 'Who?', { param: 'model' });
    expect(JSON.parse(errorBody(named, 'openai'))).toMatchObject({ error: { param: 'model' } });
  });

  test('is of the Messages API on its routes', () => {
    expect(JSON.parse(errorBody(error, 'anthropic'))).toEqual({
      type: 'error',
      error: { type: 'rate_limit_error', message: 'No room', code: 'queue_full' },
    });
  });

  test.each<[number, string]>([
    [400, 'invalid_request_error'],
    [401, 'authentication_error'],
    [404, 'invalid_request_error'],
    [409, 'invalid_request_error'],
    [429, 'rate_limit_error'],
    [502, 'server_error'],
    [503, 'server_error'],
    [500, 'server_error'],
  ])('has with status %i the type %s', (status, type) => {
    const entries = Object.values(errorTable).filter((entry) => entry.status === status);
    expect(entries.length).toBeGreaterThan(0);
    expect(new Set(entries.map((entry) => entry.type))).toEqual(new Set([type]));
  });

  test('has with status 504 the type of its cause: an engine too slow, or a wish that nothing kept can fulfil', () => {
    const types = Object.values(errorTable).flatMap(({ status, type }) => (status === 504 ? [type] : []));
    expect(new Set(types)).toEqual(new Set(['server_error', 'invalid_request_error']));
  });

  test.each(['openai', 'openai-responses', 'anthropic'] as const)(
    'is one event in a stream of %s',
    (dialect) => {
      for (const code of Object.keys(errorTable) as ErrorCode[]) {
        const event = errorEvent(new LlameroError(code, 'line one\n\nline two'), dialect);
        expect(event.match(/\n\n/g)).toHaveLength(1);
        expect(event).toMatch(/(?:^|\n)data: \{.*\}\n\n$/);
      }
    },
  );
});

test('UTL-6: what is no error of ours becomes an internal one, without its words', () => {
  const stranger = LlameroError.from(new Error('secret path /etc/x'));
  expect([stranger.status, stranger.message]).toEqual([500, 'Internal error']);
  expect(LlameroError.from(error)).toBe(error);
});
