import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { errorIn, readError, writeError } from './errors.ts';

describe('an error answer', () => {
  test.each<[string, string, object]>([
    [
      'llama.cpp',
      '{"error":{"code":400,"message":"request (5953 tokens) exceeds the available context size (4096 tokens), try increasing it","type":"exceed_context_size_error","n_prompt_tokens":5953,"n_ctx":4096}}',
      { code: 400, type: 'exceed_context_size_error', overflow: { promptTokens: 5953, contextTokens: 4096 } },
    ],
    [
      'llama.cpp, in a pool',
      '{"error":{"code":500,"message":"Context size has been exceeded.","type":"server_error"}}',
      { overflow: {} },
    ],
    [
      'OpenAI',
      `{"error":{"message":"This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}`,
      {
        param: 'messages',
        code: 'context_length_exceeded',
        overflow: { promptTokens: 9001, contextTokens: 8192 },
      },
    ],
    [
      'vLLM',
      `{"object":"error","message":"This model's maximum context length is 16384 tokens. However, you requested 122946 tokens (112946 in the messages, 10000 in the completion).","type":"BadRequestError","param":null,"code":400}`,
      { type: 'BadRequestError', overflow: { promptTokens: 112946, contextTokens: 16384 } },
    ],
    [
      'vLLM, newer',
      `{"error":{"message":"This model's maximum context length is 200000 tokens. However, you requested 32768 output tokens and your prompt contains at least 167233 input tokens.","type":"BadRequestError","param":"input_tokens","code":400}}`,
      { overflow: { promptTokens: 167233, contextTokens: 200000 } },
    ],
    [
      'SGLang',
      `{"object":"error","message":"The input (61709 tokens) is longer than the model's context length (40960 tokens).","type":"BadRequestError","param":null,"code":400}`,
      { overflow: { promptTokens: 61709, contextTokens: 40960 } },
    ],
    ['Ollama', '{"error":"the input length exceeds the context length"}', { overflow: {} }],
    [
      'another fault',
      '{"error":{"message":"no such model","code":"model_not_found"}}',
      { message: 'no such model', code: 'model_not_found' },
    ],
    ['FastAPI', '{"detail":[{"msg":"field required"}]}', { message: '[{"msg":"field required"}]' }],
    ['a proxy', '<html>Bad Gateway</html>', { message: '<html>Bad Gateway</html>' }],
    ['nobody', '', { message: 'The engine answered with status 400' }],
  ])('of %s is understood', (_engine, text, expected) => {
    const error = readError(400, text);
    expect(error).toMatchObject({ status: 400, ...expected });
    expect('overflow' in error).toBe('overflow' in expected);
  });

  test('is read from anything', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (text) => {
        expect(readError(500, text).message).not.toBe('');
      }),
    );
  });
});

describe('an error for a client', () => {
  test.each([
    [400, 'invalid_request_error'],
    [401, 'authentication_error'],
    [403, 'permission_error'],
    [404, 'not_found_error'],
    [429, 'rate_limit_error'],
    [503, 'server_error'],
  ])('with status %d is called %s', (status, type) => {
    expect(writeError({ message: 'm' }, status)).toEqual({
      error: { message: 'm', type, param: null, code: null },
    });
  });

  test('about the context has the code that clients look for', () => {
    const error = { message: 'm', type: 'x', code: 400, overflow: { promptTokens: 9, contextTokens: 8 } };
    expect(writeError(error, 400)).toEqual({
      error: {
        message: 'm',
        type: 'x',
        param: null,
        code: 'context_length_exceeded',
        n_prompt_tokens: 9,
        n_ctx: 8,
      },
    });
  });
});

test('an answer is no error', () => {
  expect(errorIn({ choices: [], error: null })).toBeUndefined();
  expect(errorIn({ choices: [], detail: 'x' })).toBeUndefined();
});
