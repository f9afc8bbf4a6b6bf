import { describe, expect, test } from 'vitest';
import { Rig } from '../../test/scheduler/rig.ts';

describe('models on a backend', () => {
  test('two models on a backend with room for one never overlap', () => {
    const rig = new Rig();
    rig.backend('b1', { models: ['x', 'y'], modelsMax: 1, slotsTotal: 4 });
    expect(rig.arrive('x1', { model: 'x' })).toBe('x1→b1');
    expect(rig.arrive('x2', { model: 'x' })).toBe('x2→b1');
    expect(rig.arrive('y1', { model: 'y' })).toBe('');
    rig.pass(0);
    expect(rig.arrive('x3', { model: 'x' })).toBe('');
    expect(rig.finish('x1')).toBe('');
    expect(rig.finish('x2')).toBe('y1→b1');
    expect(rig.finish('y1')).toBe('x3→b1');
  });

  test('names of one model count as one', () => {
    const rig = new Rig();
    const models = new Map([
      ['x', 'x'],
      ['alias', 'x'],
      ['y', 'y'],
    ]);
    rig.backend('b1', { models, modelsMax: 1, slotsTotal: 2 });
    rig.arrive('a', { model: 'x' });
    expect(rig.arrive('b', { model: 'alias' })).toBe('b→b1');
  });

  test('an idle model may be evicted', () => {
    const rig = new Rig();
    rig.backend('b1', { models: ['x', 'y'], loaded: ['x'], modelsMax: 1 });
    expect(rig.arrive('y1', { model: 'y' })).toBe('y1→b1');
  });

  test('a model limit holds over the whole fleet, lingering requests included', () => {
    const rig = new Rig({ modelLimits: new Map([['m', 1]]) });
    rig.backend('b1');
    rig.backend('b2');
    rig.arrive('a');
    expect(rig.arrive('b')).toBe('');
    expect(rig.finish('a')).toBe('b→b2');
    expect(rig.arrive('c')).toBe('');
    expect(rig.finish('b', { lingers: true })).toBe('');
    expect(rig.pass(59_999)).toBe('');
    expect(rig.pass(1)).toBe('c→b1');
  });

  test('a raised model limit lets waiting requests go', () => {
    const rig = new Rig({ modelLimits: new Map([['m', 1]]) });
    rig.backend('b1', { slotsTotal: 4 });
    for (const id of ['a', 'b', 'c', 'd']) rig.arrive(id);
    expect(rig.configure({ modelLimits: new Map([['m', 3]]) })).toBe('b→b1 c→b1');
  });

  test('a backend drains for a starving model, but not while that model is at its limit', () => {
    const rig = new Rig({ modelLimits: new Map([['y', 1]]), modelAffinityBonusMs: 100 });
    rig.backend('b1', { models: ['x', 'y'], modelsMax: 1, slotsTotal: 2 });
    rig.backend('b2', { models: ['y'] });
    rig.arrive('x0', { model: 'x' });
    rig.arrive('y1', { model: 'y', only: new Set(['b1']) });
    rig.pass(1000);
    const claimedFor = (): unknown => rig.snapshot().backends.get('b1')?.claimedFor;
    expect(claimedFor()).toBe('y1');
    expect(rig.arrive('x1', { model: 'x' })).toBe('');
    expect(rig.arrive('y2', { model: 'y' })).toBe('y2→b2 x1→b1');
    expect(claimedFor()).toBeUndefined();
    rig.finish('y2');
    expect(claimedFor()).toBe('y1');
    rig.finish('x0');
    expect(rig.finish('x1')).toBe('y1→b1');
  });
});

describe('sticky window', () => {
  const settings = { stickyDelayMs: 3000 };

  test('a backend stays reserved for its last model, and is free on time', () => {
    const rig = new Rig(settings);
    rig.backend('b1', { models: ['x', 'y'], modelsMax: 1 });
    rig.arrive('x1', { model: 'x' });
    rig.arrive('y1', { model: 'y' });
    rig.pass(1000);
    expect(rig.finish('x1')).toBe('');
    expect(rig.snapshot().backends.get('b1')).toMatchObject({ stickyTo: 'x', stickyUntilMs: 4000 });
    expect(rig.pass(2999)).toBe('');
    expect(rig.pass(1)).toBe('y1→b1');
  });

  test('a follow-up of the same model passes', () => {
    const rig = new Rig(settings);
    rig.backend('b1', { models: ['x', 'y'], modelsMax: 1 });
    rig.arrive('x1', { model: 'x' });
    rig.arrive('y1', { model: 'y' });
    rig.finish('x1');
    expect(rig.arrive('x2', { model: 'x' })).toBe('x2→b1');
  });

  test('whoever waited long enough is kept out by one more window at most', () => {
    const rig = new Rig(settings);
    rig.backend('b1', { models: ['x', 'y'], modelsMax: 1 });
    rig.arrive('x0', { model: 'x' });
    rig.arrive('y', { model: 'y' });
    rig.pass(10_000);
    rig.finish('x0');
    expect(rig.arrive('x1', { model: 'x' })).toBe('x1→b1');
    rig.pass(100);
    expect(rig.finish('x1')).toBe('');
    expect(rig.pass(2899)).toBe('');
    expect(rig.pass(1)).toBe('y→b1');
  });

  test('a backend with one model is never sticky', () => {
    const rig = new Rig(settings);
    rig.backend('b1', {
      models: new Map([
        ['m', 'm'],
        ['alias', 'm'],
      ]),
      modelsMax: 1,
    });
    rig.arrive('a');
    rig.finish('a');
    expect(rig.snapshot().backends.get('b1')?.stickyTo).toBeUndefined();
  });

  test('a model that is loaded beside the last one need not wait', () => {
    const rig = new Rig(settings);
    rig.backend('b1', { models: ['x', 'y', 'z'], modelsMax: 2, loaded: ['x', 'y'] });
    rig.arrive('x1', { model: 'x' });
    rig.finish('x1');
    expect(rig.arrive('z1', { model: 'z' })).toBe('');
    expect(rig.arrive('y1', { model: 'y' })).toBe('y1→b1');
  });

  test('a late listing of a model that had to go does not let it in', () => {
    const rig = new Rig(settings);
    rig.backend('b1', { models: ['x', 'y'], modelsMax: 1, loaded: ['x', 'y'] });
    rig.arrive('x1', { model: 'x' });
    rig.finish('x1');
    expect(rig.arrive('y1', { model: 'y' })).toBe('');
  });

  test('an engine that came back is not reserved for what lingered on it', () => {
    const rig = new Rig(settings);
    rig.backend('b1', { models: ['x', 'y'] });
    rig.arrive('x1', { model: 'x' });
    rig.finish('x1', { lingers: true });
    rig.backend('b1', { models: ['x', 'y'], epoch: 1 });
    expect(rig.arrive('y1', { model: 'y' })).toBe('y1→b1');
  });

  test('the window ends with the setting', () => {
    const rig = new Rig(settings);
    rig.backend('b1', { models: ['x', 'y'], modelsMax: 1 });
    rig.arrive('x1', { model: 'x' });
    rig.arrive('y1', { model: 'y' });
    rig.finish('x1');
    expect(rig.configure({ stickyDelayMs: 0 })).toBe('y1→b1');
  });
});
