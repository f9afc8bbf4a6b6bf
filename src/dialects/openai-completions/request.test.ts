import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arbitraryTextRequest } from '../../../test/dialects/arbitrary-request.ts';
import { chatRequest } from '../../../test/dialects/answers.ts';
import { fullHabits, notingTarget } from '../../../test/dialects/habits.ts';
import { requestSamples } from '../../../test/dialects/samples/openai-completions.ts';
import { RequestShapeError } from '../ir/request-shape-error.ts';
import type { JsonObject, TextRequest } from '../ir/request.ts';
import { readRequest, writeRequest } from './request.ts';

function read(members: JsonObject): TextRequest {
  return readRequest({ model: 'm', prompt: 'once', ...members });
}

test('a request that the dialect can say is the same after writing and reading', () => {
  const requests = arbitraryTextRequest({
    dialect: 'openai-completions',
    raw: true,
    textMembers: ['suffix', 'echo'],
    formats: [],
    reasoning: [],
    members: ['user', 'metadata'],
  });
  fc.assert(
    fc.property(requests, (request) => {
      const { logprobs, topLogprobs, ...sampling } = request.sampling;
      const alike: TextRequest = {
        ...request,
        sampling: { ...sampling, ...(logprobs === true && { logprobs, topLogprobs: topLogprobs ?? 0 }) },
      };
      const target = notingTarget();
      const body = JSON.parse(JSON.stringify(writeRequest(alike, target))) as JsonObject;
      expect({ ...readRequest(body), usageInStream: alike.usageInStream }).toEqual(alike);
      expect(target.dropped).toEqual([]);
    }),
  );
});

describe('a sample of what the API documents', () => {
  test.each(requestSamples.map(({ field, body }) => [field, body] as const))(
    'loses nothing: %s',
    (_field, body) => {
      const request = readRequest(body);
      const target = notingTarget();
      const written = writeRequest(request, target);
      expect(target.dropped).toEqual([]);
      expect({ ...readRequest(written ?? {}), usageInStream: request.usageInStream }).toEqual(request);
    },
  );
});

describe('a text request', () => {
  test.each([['a'], [['a', 'b']], [[1, 2]], [[[1], [2, 3]]], ['']])(
    'has the prompt %j as it came',
    (prompt) => {
      expect(read({ prompt }).prompt).toEqual(prompt);
    },
  );

  test.each<[JsonObject, string]>([
    [{ prompt: null }, 'prompt: is required'],
    [{ prompt: 5 }, 'prompt: must be a string, a list'],
    [{ prompt: ['a', 1] }, 'prompt: must be a string, a list'],
    [{ prompt: [['a']] }, 'prompt: must be a string, a list'],
    [{ suffix: 1 }, 'suffix: must be a string'],
    [{ logprobs: true }, 'logprobs: must be a number'],
  ])('with %j is refused: %s', (members, message) => {
    expect(() => read(members)).toThrow(RequestShapeError);
    expect(() => read(members)).toThrow(message);
  });

  test('asks for log probabilities by the number of alternatives', () => {
    expect(read({ logprobs: 0 }).sampling).toEqual({ logprobs: true, topLogprobs: 0 });
    expect(read({ logprobs: 3 }).sampling).toEqual({ logprobs: true, topLogprobs: 3 });
    expect(writeRequest({ ...read({}), sampling: { logprobs: true } }, notingTarget())).toMatchObject({
      logprobs: 0,
    });
    expect(writeRequest({ ...read({}), sampling: { logprobs: false } }, notingTarget())).not.toHaveProperty(
      'logprobs',
    );
  });

  test('keeps what only its API has', () => {
    const request = read({ best_of: 3, grammar: 'x' });
    expect(request).toMatchObject({ own: { best_of: 3 }, extra: { grammar: 'x' } });
    expect(writeRequest(request, notingTarget())).toMatchObject({ best_of: 3, grammar: 'x' });
  });

  test('for a template is none of this dialect', () => {
    const request: TextRequest = { ...read({}), dialect: 'ollama-generate', raw: false };
    expect(writeRequest(request, notingTarget())).toBeUndefined();
    expect(writeRequest({ ...request, suffix: '}' }, notingTarget())).toMatchObject({
      prompt: 'once',
      suffix: '}',
    });
    expect(writeRequest(chatRequest, notingTarget())).toBeUndefined();
  });

  test('reports what a text completion does not have', () => {
    const target = notingTarget({ ...fullHabits, unknownMembers: 'refused' });
    const request: TextRequest = {
      ...read({ grammar: 'x' }),
      suffix: '}',
      raw: false,
      system: 'be brief',
      images: [{ kind: 'image', source: { kind: 'url', url: 'https://a' } }],
      format: { kind: 'json' },
      reasoning: { enabled: true },
      keepAlive: 5,
    };
    expect(writeRequest(request, target)).toEqual({ model: 'm', stream: false, prompt: 'once', suffix: '}' });
    expect(target.dropped).toEqual(['system', 'images', 'format', 'reasoning', 'grammar', 'keep_alive']);
  });
});
