import { describe, expect, test } from 'vitest';
import type { ResolvedSelector, SelectorStrategy, SelectorTarget } from '../config/models.ts';
import { Selectors, type Choice, type TargetState } from './selectors.ts';

const local = (model: string): SelectorTarget => ({ kind: 'model', model, requested: model });
const remote = (peer: string): SelectorTarget => ({ kind: 'peer', peer, model: 'm', requested: `${peer}/m` });

function rig(options: {
  strategy: SelectorStrategy;
  targets: readonly SelectorTarget[];
  spillover?: number;
}) {
  const selector: ResolvedSelector = {
    id: 's',
    spillover: 1,
    name: '',
    description: '',
    unlisted: false,
    metadata: {},
    ...options,
  };
  const selectors = new Selectors();
  const states = new Map<string, TargetState>();
  const nameOf = (target: SelectorTarget) => (target.kind === 'model' ? target.model : target.peer);
  const choose = (): Choice | undefined =>
    selectors.choose(selector, (target) => states.get(nameOf(target)) ?? 'cold');
  return {
    states,
    choose,
    pick: () => {
      const choice = choose();
      if (choice === undefined) throw new Error('nothing was chosen');
      return { name: nameOf(choice.target), release: () => choice.release() };
    },
  };
}

const abc = [local('a'), local('b'), local('c')];

describe('SRV-16', () => {
  test('pin takes the first, whatever the others are', () => {
    const { states, pick } = rig({ strategy: 'pin', targets: abc });
    states.set('b', 'ready');
    expect([pick().name, pick().name]).toEqual(['a', 'a']);
  });

  test.each<[string, Record<string, TargetState>, string]>([
    ['the first that is ready', { a: 'starting', b: 'ready', c: 'ready' }, 'b'],
    ['else the first that is starting', { b: 'unusable', c: 'starting' }, 'c'],
    ['else the first', {}, 'a'],
  ])('warm takes %s', (_name, states, expected) => {
    const it = rig({ strategy: 'warm', targets: abc });
    for (const [name, state] of Object.entries(states)) it.states.set(name, state);
    expect(it.pick().name).toBe(expected);
  });

  test('spillover fills a target to its cap, opens the next, then goes round those that are warm', () => {
    const { states, pick } = rig({ strategy: 'spillover', targets: abc, spillover: 2 });
    const picked = [pick(), pick(), pick()];
    expect(picked.map(({ name }) => name)).toEqual(['a', 'a', 'b']);
    for (const { release } of picked) release();
    for (const name of ['a', 'b', 'c']) states.set(name, 'ready');
    expect([pick().name, pick().name, pick().name]).toEqual(['c', 'a', 'b']);
  });

  test('spillover shares between targets that are warm already from the first request on', () => {
    const { states, pick } = rig({ strategy: 'spillover', targets: abc, spillover: 5 });
    states.set('b', 'ready').set('c', 'starting');
    expect([pick().name, pick().name, pick().name, pick().name]).toEqual(['b', 'c', 'b', 'c']);
  });

  test('spillover over peers: the second, then the first again once it is free', () => {
    const { pick } = rig({ strategy: 'spillover', targets: [remote('a'), remote('b')] });
    const first = pick();
    expect([first.name, pick().name]).toEqual(['a', 'b']);
    first.release();
    expect(pick().name).toBe('a');
  });

  test('the cap is soft: with nothing left to open the least busy takes more', () => {
    const { pick } = rig({ strategy: 'spillover', targets: [local('a'), local('b')] });
    const [first] = [pick(), pick(), pick(), pick(), pick()];
    expect(first.name).toBe('a');
    expect(pick().name).toBe('b');
  });

  test('spillover passes over what is being stopped, and has nothing when all are', () => {
    const { states, choose, pick } = rig({ strategy: 'spillover', targets: [local('a'), local('b')] });
    states.set('a', 'unusable');
    expect(pick().name).toBe('b');
    states.set('b', 'unusable');
    expect(choose()).toBeUndefined();
  });
});

test('a reservation is given back once, however often it is released', () => {
  const { pick } = rig({
    strategy: 'spillover',
    targets: [remote('a'), remote('b'), remote('c')],
    spillover: 2,
  });
  const [one, two] = [pick(), pick()];
  one.release();
  one.release();
  // Released once, `a` still has one of its two: there is room for another, and then the next is opened.
  expect([two.name, pick().name, pick().name]).toEqual(['a', 'a', 'b']);
});
