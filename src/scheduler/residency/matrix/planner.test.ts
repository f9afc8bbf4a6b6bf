import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileMatrix } from './compile.ts';
import { MatrixError } from './expression.ts';
import { createMatrixPlanner } from './planner.ts';

function plannerFor(
  sets: Record<string, string>,
  options: { vars?: Record<string, string>; costs?: Record<string, number>; models?: readonly string[] } = {},
) {
  const models = options.models;
  const program = compileMatrix({
    vars: new Map(Object.entries(options.vars ?? {})),
    sets: new Map(Object.entries(sets)),
    isModel: (name) => models === undefined || models.includes(name),
  });
  return createMatrixPlanner({ program, evictCosts: new Map(Object.entries(options.costs ?? {})) });
}

describe('the matrix planner', () => {
  test.each([
    ['keeps what shares a set with the target', { s: 'a & b' }, 'a', ['b'], []],
    ['stops what does not', { s: 'a | b' }, 'a', ['b'], ['b']],
    ['lets & bind tighter than |', { s: 'a | b & c' }, 'b', ['a', 'c'], ['a']],
    ['multiplies parentheses', { s: '(a | b) & (c | d)' }, 'a', ['b', 'c'], ['b']],
    ['follows references', { base: 'a | b', s: '+base & c' }, 'a', ['c', 'b'], ['b']],
    ['stops everything for a model in no set', { s: 'a & b' }, 'x', ['a', 'b'], ['a', 'b']],
    ['never stops for a smaller alternative inside a larger one', { s: 'a | a & b' }, 'a', ['b'], []],
  ])('%s', (_name, sets, target, running, evict) => {
    expect(plannerFor(sets).evictionFor(target, running).evict).toEqual(evict);
  });

  test('MTX-7 takes the first set on a tie and keeps what is dear to stop', () => {
    const sets = { first: 't & a', second: 't & b' };
    expect(plannerFor(sets).evictionFor('t', ['a', 'b'])).toEqual({ evict: ['b'], because: 'first' });
    expect(plannerFor(sets, { costs: { b: 5 } }).evictionFor('t', ['a', 'b'])).toEqual({
      evict: ['a'],
      because: 'second',
    });
  });

  test('MTX-1 reads vars before models', () => {
    const planner = plannerFor({ s: 'g & b' }, { vars: { g: 'gemma' }, models: ['gemma', 'b', 'g'] });
    expect(planner.canHoldAll(['gemma', 'b'])).toBe(true);
    expect(planner.canHoldAll(['g', 'b'])).toBe(false);
  });

  test('MTX-6 answers for a million alternatives and for more than 64 models that run', () => {
    const factors = Array.from(
      { length: 6 },
      (_, row) => `(${Array.from({ length: 10 }, (_none, column) => `m${row}-${column}`).join(' | ')})`,
    );
    const planner = plannerFor({ huge: factors.join(' & ') });
    expect(planner.evictionFor('m0-0', ['m0-1', 'm1-3', 'm5-9']).evict).toEqual(['m0-1']);
    expect(planner.canHoldAll(['m0-0', 'm1-1', 'm2-2', 'm3-3', 'm4-4', 'm5-5'])).toBe(true);
    const many = Array.from({ length: 100 }, (_, index) => `n${index}`);
    const wide = plannerFor({ all: many.join(' & ') });
    expect(wide.evictionFor('n0', many.slice(1)).evict).toEqual([]);
  });
});

test.each([
  ['', 'empty expression'],
  ['a @ b', "unexpected character '@' at position 2"],
  ['a + b', "unexpected character '+' at position 2"],
  ['(a | b', 'missing closing parenthesis'],
  ['a )', "unexpected token ')'"],
  ['()', "unexpected token ')'"],
  ['nope', "unknown var or model 'nope'"],
  ['+other', "reference to undefined set 'other'"],
  ['+s', "circular reference through set 's'"],
])('MTX-5 the set %j is refused: %s', (text, message) => {
  expect(() => plannerFor({ s: text }, { models: ['a', 'b'] })).toThrow(
    new MatrixError(`set 's': ${message}`),
  );
});

test('MTX-5 a matrix without sets is refused', () => {
  expect(() => plannerFor({})).toThrow('matrix has no sets');
});

test('the matrix planner agrees with listing every alternative', () => {
  const names = ['a', 'b', 'c', 'd', 'e'] as const;
  const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom(...names),
      fc.record({
        op: fc.constantFrom('&' as const, '|' as const),
        parts: fc.array(tie('tree'), { minLength: 1, maxLength: 3 }),
      }),
    ),
  }));
  fc.assert(
    fc.property(tree, fc.constantFrom(...names), fc.subarray([...names]), (expression, target, running) => {
      const others = running.filter((name) => name !== target);
      const planner = plannerFor({ s: print(expression) });
      const costs = alternatives(expression)
        .filter((set) => set.has(target))
        .map((set) => others.filter((name) => !set.has(name)).length);
      const expected = costs.length === 0 ? others.length : Math.min(...costs);
      expect(planner.evictionFor(target, others).evict.length).toBe(expected);
    }),
    { numRuns: 500 },
  );
});

type Tree = string | { op: '&' | '|'; parts: Tree[] };

function print(tree: Tree): string {
  return typeof tree === 'string' ? tree : `(${tree.parts.map(print).join(` ${tree.op} `)})`;
}

function alternatives(tree: Tree): Set<string>[] {
  if (typeof tree === 'string') return [new Set([tree])];
  const parts = tree.parts.map(alternatives);
  if (tree.op === '|') return parts.flat();
  return parts.reduce((left, right) =>
    left.flatMap((one) => right.map((other) => new Set([...one, ...other]))),
  );
}
