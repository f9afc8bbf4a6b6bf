import { describe, expect, test } from 'vitest';
import { cosine, findNearest, toVector, tryMix, tryNormalise, vectorBytes } from './vectors.ts';

const of = (...values: number[]): Float32Array => Float32Array.from(values);

describe('cosine', () => {
  test('is 1 for the same, 0 for unrelated, -1 for opposite vectors, whatever their length', () => {
    expect(cosine(of(1, 2), of(2, 4))).toBeCloseTo(1);
    expect(cosine(of(1, 0), of(0, 3))).toBe(0);
    expect(cosine(of(1, 1), of(-1, -1))).toBeCloseTo(-1);
  });

  test('is 0 where one has no direction', () => {
    expect(cosine(of(0, 0), of(1, 2))).toBe(0);
  });

  test('refuses vectors of two models', () => {
    expect(() => cosine(of(1), of(1, 0))).toThrow(RangeError);
  });
});

describe('findNearest', () => {
  const among = [
    { key: 'near', vector: of(1, 0.1) },
    { key: 'nearer', vector: of(1, 0.05) },
    { key: 'far', vector: of(0, 1) },
    { key: 'of another model', vector: of(1, 0, 0) },
  ];

  test('finds the best from the threshold on', () => {
    expect(findNearest(among, of(1, 0), 0.9)?.kept.key).toBe('nearer');
    expect(findNearest(among.slice(0, 1), of(1, 0), 0.9)?.similarity).toBeCloseTo(0.995, 3);
  });

  test('finds nothing below the threshold', () => {
    expect(findNearest(among, of(1, 0), 0.9999)).toBeUndefined();
    expect(findNearest([], of(1, 0), 0)).toBeUndefined();
  });
});

describe('vectors', () => {
  test('get the length 1, where they have any', () => {
    expect([...(tryNormalise([3, 4]) ?? [])]).toEqual([...of(0.6, 0.8)]);
    expect(tryNormalise([0, 0])).toBeUndefined();
    expect(tryNormalise([1, Number.NaN])).toBeUndefined();
    expect(tryNormalise([])).toBeUndefined();
  });

  test('are mixed by weight', () => {
    const mixed = tryMix(of(1, 0), of(0, 1), 0.25);
    expect(mixed?.[1]).toBeCloseTo((mixed?.[0] ?? 0) * 3);
    expect(tryMix(of(1, 0), of(-1, 0), 0.5)).toBeUndefined();
    expect(() => tryMix(of(1), of(1, 0), 0.5)).toThrow(RangeError);
  });

  test('come back from their bytes', () => {
    const vector = of(0.1, -2, 3e20);
    expect(toVector(vectorBytes(vector))).toEqual(vector);
  });
});
