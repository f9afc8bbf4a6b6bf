import { describe, expect, test } from 'vitest';
import { ProcessRig, residency } from '../../test/scheduler/process-rig.ts';
import { createMemoryPlanner } from './residency/memory.ts';

/** A budget of 16; needs of models are looked up, so that a test may change them. */
function memory(needs: Map<string, number | undefined>) {
  const needOf = (model: string) => ({ vramBytes: needs.get(model), ramBytes: undefined });
  return residency(createMemoryPlanner({ budget: { vramBytes: 16 }, needOf }));
}

const eights = () => memory(new Map(['a', 'b', 'c'].map((id) => [id, 8])));

/** Three models of which two fit, `a` and `b` loaded and idle; `b` was used last. */
function twoOfThree(): ProcessRig {
  const rig = new ProcessRig(eights()).add('abc');
  for (const id of 'ab') {
    rig.pass(10);
    rig.warm(id);
  }
  rig.pass(10);
  rig.news();
  return rig;
}

describe('with a memory budget', () => {
  test('models that fit are loaded beside each other', () => {
    const rig = new ProcessRig(eights()).add('abc');
    expect(rig.arrive('1', { model: 'a' })).toBe('load a');
    expect(rig.arrive('2', { model: 'b' })).toBe('load b');
    expect(rig.arrive('3', { model: 'c' })).toBe('');
  });

  test('the idle model that was not used for longest makes room, when none has been wanted again', () => {
    const rig = twoOfThree();
    expect(rig.arrive('1', { model: 'c' })).toBe('unload a evicted');
    expect(rig.stopped('a')).toBe('load c');
  });

  test('one use a moment ago makes nobody popular', () => {
    const rig = new ProcessRig(eights()).add('abc').warm('a');
    rig.pass(600);
    rig.warm('b').arrive('a1', { model: 'a' });
    rig.finish('a1');
    rig.pass(50);
    rig.news();
    expect(rig.arrive('1', { model: 'c' })).toBe('unload b evicted');
  });

  test('the idle model that is rarely wanted makes room, though it was used last', () => {
    const rig = new ProcessRig(eights()).add('abc').warm('b');
    rig.pass(5000);
    rig.warm('a');
    for (const id of ['a1', 'a2', 'a3', 'b1']) {
      rig.pass(1000);
      rig.arrive(id, { model: id.charAt(0) });
      rig.finish(id);
    }
    rig.news();
    expect(rig.arrive('1', { model: 'c' })).toBe('unload b evicted');
  });

  test('a popular model makes room once it was not wanted for long enough', () => {
    const rig = new ProcessRig(eights()).add('abc').warm('ab');
    for (const id of ['a1', 'a2', 'a3', 'b1']) {
      rig.pass(1000);
      rig.arrive(id, { model: id.charAt(0) });
      rig.finish(id);
    }
    for (const id of ['b2', 'b3', 'b4']) {
      rig.pass(4000);
      rig.arrive(id, { model: 'b' });
      rig.finish(id);
    }
    rig.news();
    expect(rig.arrive('1', { model: 'c' })).toBe('unload a evicted');
  });

  test('a use counts, whatever the order of the loads', () => {
    const rig = twoOfThree();
    rig.arrive('again', { model: 'a' });
    rig.pass(5);
    rig.finish('again');
    rig.news();
    expect(rig.arrive('1', { model: 'c' })).toBe('unload b evicted');
  });

  test('a busy model stays, and one in use more recently goes in its place', () => {
    const rig = twoOfThree();
    rig.arrive('busy', { model: 'a' });
    rig.news();
    expect(rig.arrive('1', { model: 'c' })).toBe('unload b evicted');
    expect(rig.stopped('b')).toBe('load c');
    expect(rig.ready('c')).toBe('1→c');
    expect(rig.finish('busy')).toBe('');
  });

  test('where all are busy the first that gets idle goes', () => {
    const rig = twoOfThree();
    rig.arrive('busy a', { model: 'a' });
    rig.arrive('busy b', { model: 'b' });
    rig.news();
    expect(rig.arrive('1', { model: 'c' })).toBe('');
    expect(rig.finish('busy b')).toBe('unload b evicted');
  });

  test('a model of unknown need runs alone, and beside others once it was measured', () => {
    const needs = new Map<string, number | undefined>([
      ['a', undefined],
      ['b', 8],
    ]);
    const rig = new ProcessRig(memory(needs)).add('ab');
    rig.arrive('1', { model: 'a' });
    rig.news();
    expect(rig.ready('a')).toBe('1→a');
    expect(rig.arrive('2', { model: 'b' })).toBe('');
    needs.set('a', 8);
    expect(rig.ready('a')).toBe('load b');
  });

  test('a model that alone is too large is refused, with its need and the budget', () => {
    const needs = new Map([
      ['a', 17],
      ['b', 8],
    ]);
    const rig = new ProcessRig(memory(needs)).add('ab').warm('b');
    rig.news();
    expect(rig.arrive('1', { model: 'a' })).toBe('1✗doesNotFit');
    expect(rig.rejections.at(-1)).toMatchObject({
      misfit: { resource: 'vram', needBytes: 17, budgetBytes: 16 },
      retryAfterMs: undefined,
    });
    expect(rig.snapshot().backends.get('b')?.process?.phase).toBe('ready');
  });

  test('those who wait are refused as well when a new budget is too small, and served when it is large enough', () => {
    const rig = twoOfThree();
    rig.arrive('busy a', { model: 'a' });
    rig.arrive('busy b', { model: 'b' });
    rig.arrive('1', { model: 'c' });
    rig.news();
    expect(rig.configure(memory(new Map(['a', 'b', 'c'].map((id) => [id, 17]))))).toBe('1✗doesNotFit');
    rig.configure(eights());
    expect(rig.arrive('2', { model: 'c' })).toBe('');
    expect(rig.finish('busy a')).toBe('unload a evicted');
  });

  test('what stops anyway is waited for before anything else is stopped', () => {
    const rig = twoOfThree();
    rig.stopping('b');
    rig.news();
    expect(rig.arrive('1', { model: 'c' })).toBe('');
    expect(rig.stopped('b')).toBe('load c');
  });

  test('what stops anyway is waited for no longer than it takes', () => {
    const needs = new Map([
      ['a', 6],
      ['b', 4],
      ['d', 4],
      ['c', 6],
    ]);
    const rig = new ProcessRig(memory(needs)).add('abcd').warm('abd');
    rig.stopping('b');
    rig.stopping('d');
    rig.news();
    expect(rig.arrive('1', { model: 'c' })).toBe('');
    expect(rig.stopped('b')).toBe('load c');
  });

  test('of models that are never idle the one drains that leaves the least memory unused', () => {
    const needs = new Map([
      ['a', 10],
      ['b', 2],
      ['c', 6],
    ]);
    const rig = new ProcessRig({ ...memory(needs), swapPatienceMs: 1000 }).add('abc').warm('ab');
    rig.arrive('busy a', { model: 'a' });
    rig.arrive('busy b', { model: 'b' });
    rig.arrive('1', { model: 'c' });
    rig.pass(1000);
    rig.news();
    expect(rig.arrive('more a', { model: 'a' })).toBe('more a→a');
    expect(rig.arrive('more b', { model: 'b' })).toBe('');
    expect(rig.finish('busy b')).toBe('unload b evicted');
  });
});
