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
