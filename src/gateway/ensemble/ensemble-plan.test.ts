import { describe, expect, test } from 'vitest';
import { ensembleOf, type EnsembleConfig } from '../../config/schema-ensembles.ts';
import { finalModel, planAnswers, planCritiques } from './ensemble-plan.ts';

const of = (more: Partial<EnsembleConfig>): EnsembleConfig => ({ ...ensembleOf('a'), ...more });

describe('the answers of an ensemble', () => {
  test.each([
    [{ models: ['a'] }, ['a', 'a', 'a']],
    [{ models: ['a', 'b'] }, ['a', 'b', 'a']],
    [{ models: ['a', 'b', 'c', 'd'] }, ['a', 'b', 'c', 'd']],
    [{ models: ['a', 'b', 'c', 'd'], answers: 2 }, ['a', 'b']],
  ])('of %j come from %j', (more, models) => {
    expect(planAnswers(of(more))).toEqual(models);
  });
});

describe('the critiques of an ensemble', () => {
  test.each<[string, Partial<EnsembleConfig>, string[], [number, string][]]>([
    [
      'one for each answer that came',
      {},
      ['a', 'a'],
      [
        [0, 'a'],
        [1, 'a'],
      ],
    ],
    [
      'by the model after the author',
      { models: ['a', 'b', 'c'] },
      ['a', 'c'],
      [
        [0, 'b'],
        [1, 'a'],
      ],
    ],
    [
      'by the critic',
      { models: ['a', 'b'], critic: 'z' },
      ['a', 'b'],
      [
        [0, 'z'],
        [1, 'z'],
      ],
    ],
    [
      'spread over the answers, each round by another',
      { models: ['a', 'b', 'c'], critiques: 3 },
      ['a', 'b'],
      [
        [0, 'b'],
        [1, 'c'],
        [0, 'c'],
      ],
    ],
    ['none', { critiques: 0 }, ['a'], []],
    ['none without answers', { critiques: 2 }, [], []],
  ])('are %s', (_what, more, authors, expected) => {
    const planned = planCritiques(of(more), authors);
    expect(planned.map(({ answer, critic }) => [answer, critic])).toEqual(expected);
  });
});

test.each([
  [{ models: ['a', 'b'] }, 'a'],
  [{ models: ['a', 'b'], final: 'z' }, 'z'],
])('the final answer of %j comes from %s', (more, model) => {
  expect(finalModel(of(more))).toBe(model);
});
