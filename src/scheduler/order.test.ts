import { describe, expect, test } from 'vitest';
import { Rig } from '../../test/scheduler/rig.ts';

describe('order', () => {
  test('fifo without affinity bonus is exact over mixed models', () => {
    const rig = new Rig();
    rig.backend('b1', { models: ['x', 'y'], loaded: ['y'] });
    rig.arrive('first', { model: 'x' });
    const order = ['x1', 'y1', 'x2', 'y2', 'y3', 'x3'];
    for (const id of order) rig.arrive(id, { model: id.slice(0, 1) });
    expect(rig.queued()).toBe(order.join(' '));
    let running = 'first';
    for (const id of order) {
      expect(rig.finish(running)).toBe(`${id}→b1`);
      running = id;
    }
  });

  test('a better priority class goes first', () => {
    const rig = new Rig();
    rig.backend('b1');
    rig.arrive('a');
    rig.arrive('low', { priority: 2 });
    rig.arrive('normal');
    rig.arrive('high', { priority: 0 });
    expect(rig.queued()).toBe('high normal low');
    expect(rig.finish('a')).toBe('high→b1');
    expect(rig.finish('high')).toBe('normal→b1');
  });

  test('a low class ages until a stream of better ones cannot keep it waiting', () => {
    const rig = new Rig({ priorityAgeingMs: 1000 });
    rig.backend('b1');
    rig.arrive('running', { priority: 0 });
    rig.arrive('low', { priority: 2 });
    let running = 'running';
    let lowAtMs: number | undefined;
    for (let step = 0; step < 50 && lowAtMs === undefined; step += 1) {
      rig.arrive(`high${step}`, { priority: 0 });
      rig.pass(100);
      rig.finish(running);
      running = rig.grants.at(-1)?.id ?? '';
      if (running === 'low') lowAtMs = rig.nowMs;
    }
    expect(lowAtMs).toBeGreaterThanOrEqual(2000);
    expect(lowAtMs).toBeLessThanOrEqual(2200);
  });

  test('ageing never makes one class out of requests of equal priority', () => {
    const rig = new Rig({ ordering: 'fair', priorityAgeingMs: 1000 });
    rig.backend('b1');
    rig.arrive('running');
    for (let n = 0; n < 20; n += 1) rig.arrive(`flood${n}`, { flow: 'flood' });
    rig.pass(5000);
    rig.arrive('light', { flow: 'light' });
    expect(rig.finish('running')).toBe('flood0→b1');
    expect(rig.finish('flood0')).toBe('light→b1');
  });

  test('fair ordering gives a light flow its turn behind a flood', () => {
    const rig = new Rig({ ordering: 'fair' });
    rig.backend('b1');
    rig.arrive('running');
    for (let n = 0; n < 50; n += 1) rig.arrive(`flood${n}`, { flow: 'flood' });
    for (let n = 0; n < 3; n += 1) rig.arrive(`light${n}`, { flow: 'light' });
    expect(rig.queued().split(' ').slice(0, 8)).toEqual([
      'flood0',
      'light0',
      'flood1',
      'light1',
      'flood2',
      'light2',
      'flood3',
      'flood4',
    ]);
  });

  test('fair shares of a slow model do not suffer from a fast one', () => {
    const rig = new Rig({ ordering: 'fair' });
    rig.backend('slow', { models: ['slow'] });
    rig.backend('fast', { models: ['fast'] });
    rig.arrive('s', { model: 'slow' });
    for (let n = 0; n < 100; n += 1) rig.arrive(`flood${n}`, { model: 'slow', flow: 'flood' });
    rig.arrive('f0', { model: 'fast' });
    for (let n = 1; n < 200; n += 1) {
      rig.arrive(`f${n}`, { model: 'fast', flow: 'x' });
      rig.finish(`f${n - 1}`);
    }
    rig.arrive('light', { model: 'slow', flow: 'light' });
    expect(rig.finish('s')).toBe('flood0→slow');
    expect(rig.finish('flood0')).toBe('light→slow');
  });

  test('a change of the ordering sorts those who wait again', () => {
    const rig = new Rig();
    rig.backend('b1');
    rig.arrive('running');
    for (const id of ['f0', 'f1', 'f2']) rig.arrive(id, { flow: 'flood' });
    rig.arrive('light', { flow: 'light' });
    rig.configure({ ordering: 'fair' });
    expect(rig.queued()).toBe('f0 light f1 f2');
    rig.configure({ ordering: 'fifo' });
    expect(rig.queued()).toBe('f0 f1 f2 light');
  });

  test('position and waited time of a waiting request are known', () => {
    const rig = new Rig();
    rig.backend('b1', { models: ['x', 'y'] });
    rig.arrive('running', { model: 'x' });
    rig.arrive('x1', { model: 'x' });
    rig.arrive('y1', { model: 'y' });
    rig.nowMs = 500;
    expect(rig.scheduler.positionOf('y1', 500)).toEqual({ position: 2, waitedMs: 500 });
    expect(rig.scheduler.positionOf('running', 500)).toBeUndefined();
    rig.cancel('x1');
    expect(rig.scheduler.positionOf('y1')).toEqual({ position: 1, waitedMs: 500 });
  });
});

describe('model affinity', () => {
  const affinity = { modelAffinityBonusMs: 1000, overtakenMax: 2 };

  test('a request whose model is loaded overtakes, within the bonus', () => {
    const rig = new Rig(affinity);
    rig.backend('b1', { models: ['x', 'y'], loaded: ['x'], modelsMax: 1 });
    rig.arrive('x0', { model: 'x' });
    rig.arrive('y1', { model: 'y' });
    rig.arrive('x1', { model: 'x' });
    expect(rig.finish('x0')).toBe('x1→b1');
    expect(rig.grants.at(-1)?.decision.overtook).toBe(1);
    expect(rig.snapshot().queued[0]?.overtaken).toBe(1);
    rig.pass(1000);
    rig.arrive('x2', { model: 'x' });
    expect(rig.finish('x1')).toBe('y1→b1');
  });

  test('those who arrived together are served by model, however long they waited', () => {
    const rig = new Rig(affinity);
    rig.backend('b1', { models: ['x', 'y'], loaded: ['x'] });
    rig.arrive('x0', { model: 'x' });
    rig.arrive('y1', { model: 'y' });
    rig.pass(999);
    rig.arrive('x1', { model: 'x' });
    rig.pass(60_000);
    expect(rig.finish('x0')).toBe('x1→b1');
  });

  test('nobody is overtaken more often than the limit', () => {
    const rig = new Rig(affinity);
    rig.backend('b1', { models: ['x', 'y'], loaded: ['x'] });
    rig.arrive('x0', { model: 'x' });
    rig.arrive('y1', { model: 'y' });
    for (const id of ['x1', 'x2', 'x3']) rig.arrive(id, { model: 'x' });
    expect(rig.finish('x0')).toBe('x1→b1');
    expect(rig.finish('x1')).toBe('x2→b1');
    expect(rig.finish('x2')).toBe('y1→b1');
  });

  test('an old request beats an endless stream for the loaded model', () => {
    const rig = new Rig({ modelAffinityBonusMs: 2000, stickyDelayMs: 3000 });
    rig.backend('b1', { models: ['x', 'y'], loaded: ['x'], modelsMax: 1, slotsTotal: 2 });
    rig.arrive('x0', { model: 'x' });
    rig.arrive('y', { model: 'y' });
    let grantedMs: number | undefined;
    for (let step = 1; step < 400 && grantedMs === undefined; step += 1) {
      rig.arrive(`x${step}`, { model: 'x' });
      rig.pass(50);
      // One of the stream always runs, so the backend is never idle by itself.
      const oldest = rig.grants.find(({ id }) => id === `x${step - 1}`);
      if (oldest !== undefined) rig.finish(oldest.id);
      if (rig.grants.some(({ id }) => id === 'y')) grantedMs = rig.nowMs;
    }
    expect(grantedMs).toBeGreaterThanOrEqual(5000);
    expect(grantedMs).toBeLessThanOrEqual(5000 + 3000 + 200);
  });

  test('models swap back and forth, in batches, when two endless streams are more than a backend can take', () => {
    const rig = new Rig({ modelAffinityBonusMs: 500, queueMax: 10_000 });
    rig.backend('b1', { models: ['x', 'y'], loaded: ['x'], modelsMax: 1, slotsTotal: 2 });
    let runs = 0;
    let last: string | undefined;
    for (let step = 0; step < 400; step += 1) {
      rig.arrive(`x${step}`, { model: 'x' });
      rig.arrive(`y${step}`, { model: 'y' });
      rig.pass(50);
      const inFlight = rig.snapshot().backends.get('b1')?.inFlightByModel;
      expect(inFlight?.size).toBe(1);
      const model = inFlight?.keys().next().value;
      if (model !== last) runs += 1;
      last = model;
      rig.finish(rig.grants[step]?.id ?? '');
    }
    // 20 s with a patience of half a second: about one swap in each.
    expect(runs).toBeGreaterThan(20);
    expect(runs).toBeLessThan(60);
  });
});
