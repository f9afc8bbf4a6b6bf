import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createMemoryPlanner } from './memory.ts';
import type { MemoryBudget, MemoryNeed } from './memory.ts';

/** Needs in one word: `8` of VRAM, `8/2` of VRAM and RAM, `?` where nothing is known. */
function planner(budget: MemoryBudget, needs: Readonly<Record<string, string>>) {
  const parsed = new Map(Object.entries(needs).map(([model, text]) => [model, parse(text)]));
  return createMemoryPlanner({ budget, needOf: (model) => parsed.get(model) });
}

function parse(text: string): MemoryNeed {
  const [vram, ram] = text.split('/').map((part) => (part === '?' ? undefined : Number(part)));
  return { vramBytes: vram, ramBytes: ram };
}

describe('a memory planner', () => {
  const needs = { a: '8', b: '8', c: '8', small: '2', big: '20', all: '24', free: '0', unknown: '?' };
  const known = planner({ vramBytes: 24 }, needs);

  test.each([
    ['evicts nobody while there is room', 'c', 'a b', '', ''],
    ['evicts the first one', 'c', 'b a small', '', 'b'],
    ['goes on until there is enough', 'big', 'a b', '', 'a b'],
    ['puts back what is not needed in the end', 'big', 'a small b', '', 'a b'],
    ['puts back all that a later victim made unnecessary', 'b', 'small big', '', 'big'],
    ['passes over what frees nothing', 'b', 'free big', '', 'big'],
    ['passes over a busy model when an idle one suffices', 'c', 'a b small', 'a', 'b'],
    ['names a busy one when the idle ones do not suffice', 'big', 'small a b', 'a b', 'a b'],
    ['keeps an idle one whose end would not help beside the busy one', 'all', 'free a', 'a', 'a'],
    [
      'of busy ones takes the one that leaves least unused',
      'small',
      'big small2 small3',
      'big small2 small3',
      'small3',
    ],
    ['evicts everybody for a model of unknown need', 'unknown', 'a free', '', 'a free'],
    ['evicts a model of unknown need for anybody', 'free', 'unknown a', '', 'unknown'],
  ])('%s', (_, target, running, engaged, evicted) => {
    const own = planner({ vramBytes: 24 }, { ...needs, small2: '2', small3: '3' });
    const words = (text: string): string[] => text.split(' ').filter((word) => word !== '');
    expect(own.evictionFor(target, words(running), new Set(words(engaged))).evict).toEqual(words(evicted));
  });

  test('names the budget as what allowed it, and nothing where the model runs alone', () => {
    expect(known.evictionFor('a', ['b']).because).toBe('memory');
    expect(known.evictionFor('unknown', ['b']).because).toBeUndefined();
    expect(known.evictionFor('never heard of', ['b'])).toEqual({ evict: ['b'], because: undefined });
  });

  test('says of a model that alone needs more than there is that it never fits, and evicts nobody for it', () => {
    const own = planner({ vramBytes: 24, ramBytes: 16 }, { wide: '?/17', a: '8/1' });
    expect(own.evictionFor('wide', ['a'])).toEqual({
      evict: [],
      because: undefined,
      misfit: { resource: 'ram', needBytes: 17, budgetBytes: 16 },
    });
    expect(own.evictionFor('a', []).misfit).toBeUndefined();
  });

  test('minds both kinds of memory', () => {
    const both = planner({ vramBytes: 24, ramBytes: 16 }, { a: '8/8', b: '2/8', c: '2/2', d: '20/0' });
    expect(both.evictionFor('c', ['a', 'b']).evict).toEqual(['a']);
    expect(both.evictionFor('d', ['b', 'c', 'a']).evict).toEqual(['a']);
  });

  test('takes no notice of memory without a budget', () => {
    const own = planner({ ramBytes: 16 }, { a: '?/8', b: '99/8', c: '?/?' });
    expect(own.evictionFor('a', ['b']).evict).toEqual([]);
    expect(own.evictionFor('a', ['c']).evict).toEqual(['c']);
  });

  test('holds together what is not known to be too much', () => {
    expect(known.canHoldAll(['a', 'b', 'c', 'a'])).toBe(true);
    expect(known.canHoldAll(['a', 'b', 'c', 'small'])).toBe(false);
    expect(known.canHoldAll(['all', 'unknown'])).toBe(true);
  });
});

interface Case {
  readonly budget: MemoryBudget;
  readonly target: MemoryNeed;
  readonly running: readonly MemoryNeed[];
  readonly engaged: readonly boolean[];
}

const amount = fc.option(fc.nat(6), { nil: undefined, freq: 12 });
const need = fc.record({ vramBytes: amount, ramBytes: amount });
const cases: fc.Arbitrary<Case> = fc.record({
  budget: fc.oneof(
    fc.record({ vramBytes: fc.integer({ min: 1, max: 16 }), ramBytes: fc.integer({ min: 1, max: 16 }) }),
    fc.record({ vramBytes: fc.integer({ min: 1, max: 16 }) }),
  ),
  target: need,
  running: fc.array(need, { maxLength: 7 }),
  engaged: fc.array(fc.boolean(), { minLength: 7, maxLength: 7 }),
});

/** Whether these fit together, reckoned anew. */
function fits({ budget }: Case, ...needs: readonly MemoryNeed[]): boolean {
  return (['vramBytes', 'ramBytes'] as const).every((key) => {
    const limit = budget[key];
    if (limit === undefined) return true;
    const amounts = needs.map((each) => each[key]);
    if (amounts.includes(undefined)) return needs.length === 1;
    return amounts.reduce<number>((total, each) => total + (each ?? 0), 0) <= limit;
  });
}

function solve(given: Case) {
  const names = given.running.map((_, index) => `m${index}`);
  const needOf = (model: string): MemoryNeed | undefined =>
    model === 'target' ? given.target : given.running[names.indexOf(model)];
  const engaged = new Set(names.filter((_, index) => given.engaged[index] === true));
  const planned = createMemoryPlanner({ budget: given.budget, needOf });
  const eviction = planned.evictionFor('target', names, engaged);
  const isEvicted = given.running.map((_, index) => eviction.evict.includes(`m${index}`));
  return { eviction, isEvicted, again: () => planned.evictionFor('target', [...names], new Set(engaged)) };
}

function left(given: Case, isEvicted: readonly boolean[]): MemoryNeed[] {
  return given.running.filter((_, index) => isEvicted[index] !== true);
}

/** Every choice of victims after which the target fits. */
function sufficient(given: Case): (readonly boolean[])[] {
  const found: boolean[][] = [];
  for (let bits = 0; bits < 2 ** given.running.length; bits += 1) {
    const choice = given.running.map((_, index) => ((bits >> index) & 1) === 1);
    if (fits(given, given.target, ...left(given, choice))) found.push(choice);
  }
  return found;
}

describe('a memory plan, compared with every other choice of victims,', () => {
  const property = (check: (given: Case, solved: ReturnType<typeof solve>) => void): void => {
    fc.assert(
      fc.property(cases, (given) => {
        check(given, solve(given));
      }),
      { numRuns: 1000 },
    );
  };

  test('never overcommits, and is refused only where nothing would help', () => {
    property((given, { eviction, isEvicted }) => {
      const canFit = fits(given, given.target);
      expect(eviction.misfit === undefined).toBe(canFit);
      if (canFit) expect(fits(given, given.target, ...left(given, isEvicted))).toBe(true);
    });
  });

  test('stops nobody who could stay', () => {
    property((given, { eviction, isEvicted }) => {
      if (eviction.misfit !== undefined) return;
      for (const [index, gone] of isEvicted.entries()) {
        const kept = isEvicted.map((each, other) => each && other !== index);
        if (gone) expect(fits(given, given.target, ...left(given, kept))).toBe(false);
      }
    });
  });

  test('stops nobody busy where idle ones suffice', () => {
    property((given, { eviction, isEvicted }) => {
      if (eviction.misfit !== undefined) return;
      const isIdle = (choice: readonly boolean[]): boolean =>
        choice.every((gone, index) => !gone || given.engaged[index] !== true);
      if (sufficient(given).some(isIdle)) expect(isIdle(isEvicted)).toBe(true);
    });
  });

  test('stops nobody later in the order than any choice among the idle ones has to', () => {
    property((given, { eviction, isEvicted }) => {
      const idle = sufficient(given).filter((choice) =>
        choice.every((gone, index) => !gone || given.engaged[index] !== true),
      );
      if (eviction.misfit !== undefined || idle.length === 0) return;
      const newest = Math.min(...idle.map((choice) => choice.lastIndexOf(true)));
      expect(isEvicted.lastIndexOf(true)).toBe(newest);
    });
  });

  test('is the same for the same question, and in the order of what runs', () => {
    property((_, { eviction, again }) => {
      expect(again()).toEqual(eviction);
      expect(eviction.evict).toEqual([...eviction.evict].sort());
    });
  });
});
