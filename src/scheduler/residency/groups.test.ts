import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createGroupPlanner, type Group } from './groups.ts';

const group = (name: string, members: string[], flags: Partial<Group> = {}): Group => ({
  name,
  members,
  swap: true,
  exclusive: true,
  persistent: false,
  ...flags,
});

describe('GRP-1 the group planner', () => {
  test.each([
    ['stops the sibling of a swap group', [group('g', ['a', 'b'])], 'a', ['b'], ['b']],
    ['keeps siblings without swap', [group('g', ['a', 'b'], { swap: false })], 'a', ['b'], []],
    ['stops other groups for an exclusive one', [group('g', ['a']), group('h', ['b'])], 'a', ['b'], ['b']],
    [
      'keeps other groups for one that is not exclusive',
      [group('g', ['a'], { exclusive: false }), group('h', ['b'])],
      'a',
      ['b'],
      [],
    ],
    [
      'never stops a persistent group',
      [group('g', ['a']), group('h', ['b'], { persistent: true })],
      'a',
      ['b'],
      [],
    ],
    [
      'stops siblings of a persistent swap group',
      [group('g', ['a', 'b'], { persistent: true })],
      'a',
      ['b'],
      ['b'],
    ],
    ['treats a model in no group as swap and exclusive', [], 'a', ['b'], ['b']],
  ])('%s', (_name, groups, target, running, evict) => {
    expect(createGroupPlanner(groups).evictionFor(target, running).evict).toEqual(evict);
  });

  test('holds members of one group without swap together, and nothing else', () => {
    const planner = createGroupPlanner([group('g', ['a', 'b'], { swap: false }), group('h', ['c', 'd'])]);
    expect(planner.canHoldAll(['a', 'b'])).toBe(true);
    expect(planner.canHoldAll(['a', 'a'])).toBe(true);
    expect(planner.canHoldAll(['a', 'c'])).toBe(false);
    expect(planner.canHoldAll(['c', 'd'])).toBe(false);
  });
});

const names = ['a', 'b', 'c', 'd', 'e', 'f'] as const;

/** Disjoint groups of some of the models; whoever is in none stands alone. */
const partitions = fc
  .tuple(
    fc.array(fc.nat(3), { minLength: names.length, maxLength: names.length }),
    fc.array(fc.record({ swap: fc.boolean(), exclusive: fc.boolean(), persistent: fc.boolean() }), {
      minLength: 3,
      maxLength: 3,
    }),
  )
  .map(([homes, flags]) =>
    flags.map((each, index) =>
      group(
        `g${index}`,
        names.filter((_name, at) => homes[at] === index),
        each,
      ),
    ),
  );

/** The rules, said of a whole set of residents instead of one pair: may `kept` stay while `target` is loaded? */
function mayStay(groups: readonly Group[], target: string, kept: readonly string[]): boolean {
  const own = groups.find(({ members }) => members.includes(target));
  const siblings = kept.filter((model) => own?.members.includes(model));
  const strangers = kept.filter((model) => !siblings.includes(model));
  const persistent = groups.filter((each) => each.persistent).flatMap(({ members }) => members);
  if (own === undefined) return strangers.every((model) => persistent.includes(model));
  if (own.swap && siblings.length > 0) return false;
  return !own.exclusive || strangers.every((model) => persistent.includes(model));
}

test('GRP-1 the group planner agrees with the largest set of residents that the rules allow', () => {
  fc.assert(
    fc.property(partitions, fc.constantFrom(...names), fc.subarray([...names]), (groups, target, running) => {
      const others = running.filter((model) => model !== target);
      const choices = Array.from({ length: 2 ** others.length }, (_none, bits) =>
        others.filter((_model, index) => ((bits >> index) & 1) === 1),
      ).filter((kept) => mayStay(groups, target, kept));
      const most = Math.max(...choices.map(({ length }) => length));
      const largest = choices.filter(({ length }) => length === most);
      const { evict } = createGroupPlanner(groups).evictionFor(target, running);
      expect(largest).toEqual([others.filter((model) => !evict.includes(model))]);
    }),
    { numRuns: 500 },
  );
});
