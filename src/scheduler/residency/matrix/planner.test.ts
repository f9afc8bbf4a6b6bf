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

const names = ['a', 'b', 'c', 'd', 'e'] as const;

/** Sets of which later ones may refer to earlier ones. */
const matrices = fc.array(
  fc.letrec<{ tree: Tree }>((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom<Tree>(...names, 0, 1),
      fc.record({
        op: fc.constantFrom('&' as const, '|' as const),
        parts: fc.array(tie('tree'), { minLength: 1, maxLength: 3 }),
      }),
    ),
  })).tree,
  { minLength: 1, maxLength: 3 },
);

test('MTX-6, MTX-7 the matrix planner agrees with listing every alternative of every set', () => {
  const cost = fc.integer({ min: 1, max: 3 });
  const allCosts = fc.record(Object.fromEntries(names.map((name) => [name, cost])));
  fc.assert(
    fc.property(
      matrices,
      allCosts,
      fc.constantFrom(...names),
      fc.shuffledSubarray([...names]),
      (trees, costs, target, running) => {
        const others = running.filter((name) => name !== target);
        const sets = trees.map((tree, index) => clamp(tree, index));
        const planner = plannerFor(
          Object.fromEntries(sets.map((tree, index) => [`s${index}`, print(tree)])),
          { costs },
        );
        const choices = sets.flatMap((_tree, index) =>
          alternatives(sets, index)
            .filter((allowed) => allowed.has(target))
            .map((allowed) => others.filter((name) => !allowed.has(name)))
            .map((evict) => ({ set: `s${index}`, evict, cost: sum(evict.map((name) => costs[name] ?? 1)) })),
        );
        const least = Math.min(...choices.map((choice) => choice.cost));
        const best = choices.filter((choice) => choice.cost === least);
        const { evict, because } = planner.evictionFor(target, running);
        if (best.length === 0) expect([evict, because]).toEqual([others, undefined]);
        else {
          expect(because).toBe(best[0]?.set);
          expect(best.filter(({ set }) => set === because).map((choice) => choice.evict)).toContainEqual(
            evict,
          );
        }
        const together = sets.some((_tree, index) =>
          alternatives(sets, index).some((allowed) => running.every((name) => allowed.has(name))),
        );
        expect(planner.canHoldAll(running)).toBe(together);
      },
    ),
    { numRuns: 500 },
  );
});

/** A number is a reference to the set of that index. */
type Tree = string | number | { op: '&' | '|'; parts: Tree[] };

/** References of a set to itself or to one that is not there become its first model. */
function clamp(tree: Tree, index: number): Tree {
  if (typeof tree === 'number') return tree < index ? tree : 'a';
  return typeof tree === 'string'
    ? tree
    : { op: tree.op, parts: tree.parts.map((part) => clamp(part, index)) };
}

function print(tree: Tree): string {
  if (typeof tree === 'number') return `+s${tree}`;
  return typeof tree === 'string' ? tree : `(${tree.parts.map(print).join(` ${tree.op} `)})`;
}

function alternatives(sets: readonly Tree[], index: number): Set<string>[] {
  const list = (tree: Tree): Set<string>[] => {
    if (typeof tree === 'number') return alternatives(sets, tree);
    if (typeof tree === 'string') return [new Set([tree])];
    const parts = tree.parts.map(list);
    if (tree.op === '|') return parts.flat();
    return parts.reduce((left, right) =>
      left.flatMap((one) => right.map((other) => new Set([...one, ...other]))),
    );
  };
  return list(sets[index] ?? 'a');
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
