import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../ir/request.ts';
import { readEmbedRequest, readOldEmbedRequest, writeEmbedAnswer, writeOldEmbedAnswer } from './embed.ts';

const context = { model: 'm:latest', arrivedMs: 1000, nowMs: 1002.5 };

describe('a request for vectors', () => {
  test('takes one text or several, with dimensions', () => {
    expect(readEmbedRequest({ model: 'm', input: 'a' })).toEqual({
      model: 'm',
      inputs: ['a'],
      keepAlive: undefined,
      body: { model: 'm', input: ['a'], encoding_format: 'float' },
      dropped: [],
    });
    expect(
      readEmbedRequest({
        model: 'm',
        input: ['a', 'b'],
        dimensions: 4,
        truncate: true,
        options: { num_ctx: 5 },
        keep_alive: '5m',
      }),
    ).toMatchObject({
      keepAlive: '5m',
      body: { input: ['a', 'b'], dimensions: 4 },
      dropped: ['options.num_ctx', 'truncate'],
    });
    expect(readEmbedRequest({ model: 'm' }).inputs).toEqual([]);
    expect(readOldEmbedRequest({ model: 'm', prompt: 'a' }).inputs).toEqual(['a']);
    expect(readOldEmbedRequest({ model: 'm' }).inputs).toEqual([]);
  });

  test.each<[JsonObject, string]>([
    [{}, 'model'],
    [{ model: '' }, 'model'],
    [{ model: 'm', input: 5 }, 'input'],
    [{ model: 'm', input: ['a', 5] }, 'input[1]'],
    [{ model: 'm', truncate: 'yes' }, 'truncate'],
    [{ model: 'm', dimensions: '5' }, 'dimensions'],
  ])('is refused when it is %j', (body, field) => {
    expect(() => readEmbedRequest(body)).toThrow(expect.objectContaining({ field }) as Error);
  });

  test('of the old kind is refused for a prompt that is no text', () => {
    expect(() => readOldEmbedRequest({ model: 'm', prompt: [] })).toThrow('prompt');
  });
});

describe('an answer with vectors', () => {
  test('has all of them in the order of the inputs, in numbers', () => {
    const base64 = Buffer.from(new Float32Array([0.5, -2]).buffer).toString('base64');
    const answer = {
      object: 'list',
      data: [
        { index: 1, embedding: [3, 4] },
        { index: 0, embedding: base64 },
      ],
      usage: { prompt_tokens: 7 },
    };
    expect(writeEmbedAnswer(answer, context)).toEqual({
      model: 'm:latest',
      embeddings: [
        [0.5, -2],
        [3, 4],
      ],
      total_duration: 2_500_000,
      load_duration: 0,
      prompt_eval_count: 7,
    });
    expect(writeOldEmbedAnswer(answer)).toEqual({ embedding: [0.5, -2] });
  });

  test('has zeros for what is no number of JSON', () => {
    const base64 = Buffer.from(new Float32Array([Number.NaN, 1, Infinity]).buffer).toString('base64');
    const answer = { data: [{ embedding: [0.5, null] }, { embedding: base64 }] };
    expect(writeEmbedAnswer(answer, context)).toMatchObject({
      embeddings: [
        [0.5, 0],
        [0, 1, 0],
      ],
    });
  });

  test.each([{}, { data: {} }, { data: [{ index: 0 }] }, { data: [5] }, { data: [{ embedding: ['x'] }] }])(
    'is none when the engine says %j',
    (answer) => {
      expect(writeEmbedAnswer(answer, context)).toBeUndefined();
      expect(writeOldEmbedAnswer(answer)).toBeUndefined();
    },
  );
});
