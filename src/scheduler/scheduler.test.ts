import { describe, expect, test } from 'vitest';
import { facts, Rig } from '../../test/scheduler/rig.ts';

describe('grant and release', () => {
  test('a request is granted at once when a slot is free, else when one becomes free', () => {
    const rig = new Rig();
    rig.backend('b1');
    expect(rig.arrive('a')).toBe('a→b1');
    expect(rig.arrive('b')).toBe('');
    expect(rig.arrive('c')).toBe('');
    expect(rig.finish('a')).toBe('b→b1');
    expect(rig.finish('b')).toBe('c→b1');
  });

  test('a permit is released once, however often its end is reported', () => {
    const rig = new Rig();
    rig.backend('b1', { slotsTotal: 2 });
    rig.arrive('a');
    rig.arrive('b');
    rig.arrive('c');
    rig.arrive('d');
    expect(rig.finish('a')).toBe('c→b1');
    expect(rig.finish('a')).toBe('');
    expect(rig.retry('a')).toBe('');
    expect(rig.snapshot().backends.get('b1')?.inFlight).toBe(2);
  });

  test('a cancelled request is never granted', () => {
    const rig = new Rig();
    rig.backend('b1');
    rig.arrive('a');
    rig.arrive('b');
    rig.arrive('c');
    rig.cancel('b');
    rig.cancel('nobody');
    expect(rig.finish('a')).toBe('c→b1');
  });

  test('a cancel that comes too late releases the permit', () => {
    const rig = new Rig();
    rig.backend('b1');
    rig.arrive('a');
    rig.arrive('b');
    expect(rig.cancel('a')).toBe('b→b1');
    expect(rig.finish('a')).toBe('');
    expect(rig.snapshot().backends.get('b1')?.inFlight).toBe(1);
  });

  test('a cancel wins over a grant that is due at the same time', () => {
    const rig = new Rig({ stickyDelayMs: 1000 });
    rig.backend('b1', { models: ['x', 'y'] });
    rig.arrive('a', { model: 'x' });
    rig.finish('a');
    rig.arrive('b', { model: 'y' });
    rig.nowMs = 1000;
    expect(rig.cancel('b')).toBe('');
    expect(rig.snapshot().backends.get('b1')?.inFlight).toBe(0);
  });

  test('an id that is in use is refused', () => {
    const rig = new Rig();
    rig.backend('b1');
    rig.arrive('a');
    expect(() => rig.arrive('a')).toThrow("Request id 'a' is in use");
  });

  test('handle throws when an effect calls it', () => {
    const rig = new Rig();
    let thrown: unknown;
    rig.grants.push = () => {
      try {
        rig.finish('a');
      } catch (error) {
        thrown = error;
      }
      return 0;
    };
    rig.backend('b1');
    rig.arrive('a');
    expect(String(thrown)).toContain('from inside one of its effects');
  });

  test('the grant names the canonical model of the backend', () => {
    const rig = new Rig();
    rig.backend('b1', { models: new Map([['alias', 'real']]) });
    rig.arrive('a', { model: 'alias' });
    expect(rig.grants[0]?.model).toBe('real');
    expect(rig.snapshot().backends.get('b1')?.inFlightByModel).toEqual(new Map([['real', 1]]));
  });

  test('a request without a model goes to any live backend', () => {
    const rig = new Rig();
    rig.backend('b1', { state: 'dead' });
    rig.backend('b2', { models: [] });
    expect(rig.arrive('a', { model: undefined })).toBe('a→b2');
    expect(rig.grants[0]?.model).toBeUndefined();
  });
});

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

describe('slots', () => {
  test('slots that appear are used at once', () => {
    const rig = new Rig();
    rig.backend('b1');
    for (const id of ['a', 'b', 'c', 'd']) rig.arrive(id);
    expect(rig.backend('b1', { slotsTotal: 3 })).toBe('b→b1 c→b1');
  });

  test('fewer slots than permits means no grant until enough are released', () => {
    const rig = new Rig();
    rig.backend('b1', { slotsTotal: 3 });
    for (const id of ['a', 'b', 'c', 'd']) rig.arrive(id);
    rig.backend('b1', { slotsTotal: 1 });
    expect(rig.snapshot().backends.get('b1')?.free).toBe(-2);
    expect(rig.finish('a')).toBe('');
    expect(rig.finish('b')).toBe('');
    expect(rig.finish('c')).toBe('d→b1');
  });

  test('foreign use takes slots, own permits are not counted twice', () => {
    const rig = new Rig();
    rig.backend('b1', { slotsTotal: 3 });
    rig.arrive('a');
    rig.nowMs = 1000;
    rig.backend('b1', { slotsTotal: 3, slots: { busy: 3, probeStartedMs: 900 } });
    expect(rig.snapshot().backends.get('b1')).toMatchObject({ inFlight: 1, foreign: 2, free: 0 });
    expect(rig.arrive('b')).toBe('');
    rig.nowMs = 2000;
    expect(rig.backend('b1', { slotsTotal: 3, slots: { busy: 2, probeStartedMs: 1900 } })).toBe('b→b1');
  });

  test('a permit released after the probe was sent is not foreign use', () => {
    const rig = new Rig();
    rig.backend('b1', { slotsTotal: 2 });
    rig.arrive('a');
    rig.nowMs = 1000;
    rig.finish('a');
    rig.backend('b1', { slotsTotal: 2, slots: { busy: 1, probeStartedMs: 999 } });
    expect(rig.snapshot().backends.get('b1')?.foreign).toBe(0);
  });

  test('a reading that was seen before changes nothing', () => {
    const rig = new Rig();
    rig.backend('b1', { slotsTotal: 4, slots: { busy: 1, probeStartedMs: 1 } });
    rig.arrive('a');
    rig.backend('b1', { slotsTotal: 4, loaded: ['m'], slots: { busy: 1, probeStartedMs: 1 } });
    expect(rig.snapshot().backends.get('b1')?.foreign).toBe(1);
  });

  test('a lingering request holds its slot until a later reading shows it free', () => {
    const rig = new Rig();
    rig.backend('b1');
    rig.arrive('a');
    rig.arrive('b');
    rig.nowMs = 1000;
    expect(rig.finish('a', { lingers: true })).toBe('');
    expect(rig.backend('b1', { slots: { busy: 0, probeStartedMs: 999 } })).toBe('');
    expect(rig.backend('b1', { slots: { busy: 1, probeStartedMs: 1100 } })).toBe('');
    expect(rig.snapshot().backends.get('b1')).toMatchObject({ inFlight: 0, lingering: 1, foreign: 0 });
    expect(rig.backend('b1', { slots: { busy: 0, probeStartedMs: 1200 } })).toBe('b→b1');
  });

  test('a lingering request holds its slot for a limited time without readings', () => {
    const rig = new Rig({ lingerMsMax: 5000 });
    rig.backend('b1');
    rig.arrive('a');
    rig.arrive('b');
    rig.finish('a', { lingers: true });
    expect(rig.pass(4999)).toBe('');
    expect(rig.pass(1)).toBe('b→b1');
  });

  test('a backend that came back forgets readings, lingering and stickiness, not permits', () => {
    const rig = new Rig({ stickyDelayMs: 3000 });
    const fields = { models: ['x', 'y'], slotsTotal: 4 };
    rig.backend('b1', { ...fields, slots: { busy: 2, probeStartedMs: 5 } });
    rig.arrive('x1', { model: 'x' });
    rig.arrive('x2', { model: 'x' });
    rig.finish('x1', { lingers: true });
    expect(rig.snapshot().backends.get('b1')).toMatchObject({
      inFlight: 1,
      lingering: 1,
      foreign: 2,
      free: 0,
    });
    rig.backend('b1', { ...fields, epoch: 1 });
    expect(rig.snapshot().backends.get('b1')).toMatchObject({
      inFlight: 1,
      lingering: 0,
      foreign: 0,
      free: 3,
    });
    rig.finish('x2', { lingers: true });
    expect(rig.snapshot().backends.get('b1')).toMatchObject({ inFlight: 0, lingering: 0, free: 4 });
    rig.backend('b1', { ...fields, epoch: 2 });
    expect(rig.snapshot().backends.get('b1')?.stickyTo).toBeUndefined();
  });

  test('permits survive that their backend leaves and comes back', () => {
    const rig = new Rig();
    rig.backend('b1', { slotsTotal: 2 });
    rig.backend('b2');
    rig.arrive('a');
    rig.remove('b1');
    expect([...rig.snapshot().backends.keys()]).toEqual(['b2']);
    rig.backend('b1', { slotsTotal: 2 });
    expect(rig.snapshot().backends.get('b1')).toMatchObject({ inFlight: 1, free: 1 });
    rig.remove('b1');
    rig.finish('a');
    rig.backend('b1', { slotsTotal: 2 });
    expect(rig.snapshot().backends.get('b1')).toMatchObject({ inFlight: 0, free: 2 });
  });
});

describe('requests without a slot', () => {
  test('they are granted on a full backend, by turns', () => {
    const rig = new Rig();
    rig.backend('b1');
    rig.backend('b2');
    rig.arrive('a');
    rig.arrive('b');
    expect(rig.arrive('t1', { slotless: true })).toBe('t1→b1');
    expect(rig.arrive('t2', { slotless: true })).toBe('t2→b2');
    expect(rig.arrive('t3', { slotless: true })).toBe('t3→b1');
    expect(rig.snapshot().backends.get('b1')?.inFlight).toBe(1);
    expect(rig.finish('t1')).toBe('');
    expect(rig.retry('t2')).toBe('t2→b1');
  });

  test('they prefer a backend that need not load the model', () => {
    const rig = new Rig();
    rig.backend('b1', { models: ['x', 'y'], loaded: ['y'] });
    rig.backend('b2', { models: ['x', 'y'], loaded: ['x'] });
    for (const id of ['t1', 't2']) {
      expect(rig.arrive(id, { slotless: true, model: 'x' })).toBe(`${id}→b2`);
    }
  });

  test('they wait for a live backend like others', () => {
    const rig = new Rig();
    rig.backend('b1', { state: 'dead' });
    rig.arrive('t1', { slotless: true });
    rig.pass(10_000);
    rig.arrive('t2', { slotless: true });
    expect(rig.pass(5000)).toBe('t1✗noBackend');
    expect(rig.backend('b1')).toBe('t2→b1');
  });
});

describe('failover', () => {
  test('a retried request goes to another backend and never back', () => {
    const rig = new Rig();
    rig.backend('b1');
    rig.backend('b2');
    rig.arrive('a');
    expect(rig.retry('a')).toBe('a→b2');
    expect(rig.grants.at(-1)?.attempt).toBe(2);
    expect(rig.retry('a')).toBe('a✗exhausted');
    expect(rig.snapshot().backends.get('b2')?.inFlight).toBe(0);
  });

  test('a retried request keeps its place in the queue', () => {
    const rig = new Rig();
    rig.backend('b1');
    rig.backend('b2');
    for (const id of ['a', 'b', 'c']) rig.arrive(id);
    expect(rig.retry('a')).toBe('c→b1');
    rig.arrive('d');
    expect(rig.queued()).toBe('a d');
    expect(rig.finish('b')).toBe('a→b2');
  });

  test('a retried request keeps its deadline', () => {
    const rig = new Rig({ queueTimeoutMs: 10_000 });
    rig.backend('b1');
    rig.backend('b2');
    rig.arrive('a');
    rig.arrive('b');
    rig.pass(6000);
    rig.retry('a');
    expect(rig.pass(3999)).toBe('');
    expect(rig.pass(1)).toBe('a✗queueTimeout');
  });

  test('backends that are dead are no alternative', () => {
    const rig = new Rig();
    rig.backend('b1');
    rig.backend('b2', { state: 'dead' });
    rig.arrive('a');
    expect(rig.retry('a')).toBe('a✗exhausted');
  });

  test('a backend that was not probed yet is an alternative', () => {
    const rig = new Rig();
    rig.backend('b1');
    rig.backend('b2', { state: 'unknown', models: [] });
    rig.arrive('a');
    expect(rig.retry('a')).toBe('');
    expect(rig.backend('b2', { models: ['other'] })).toBe('a✗exhausted');
  });

  test('a full queue does not keep a retried request out', () => {
    const rig = new Rig({ queueMax: 0 });
    rig.backend('b1');
    rig.backend('b2');
    rig.arrive('a');
    rig.arrive('b');
    expect(rig.retry('a')).toBe('');
    expect(rig.finish('b')).toBe('a→b2');
  });
});

describe('nobody to serve it', () => {
  test.each([
    ['no backend at all', [], 'a✗noBackend'],
    ['a model that nobody has', [['b1', {}]], 'a✗modelUnknown'],
    ['only backends that do not exist', [['b1', { models: ['n'] }]], 'a✗noBackend'],
    [
      'a prompt that is certainly too long',
      [['b1', { models: ['n'], contextTokens: { n: 4000 } }]],
      'a✗contextTooLong',
    ],
  ] as const)('%s is refused at once', (name, backends, expected) => {
    const rig = new Rig();
    for (const [id, fields] of backends) rig.backend(id, fields);
    const only = name.startsWith('only') ? { only: new Set(['gone']) } : {};
    expect(rig.arrive('a', { model: 'n', tokensEstimated: 9000, ...only })).toBe(expected);
  });

  test('an unknown model waits while a backend is unknown, and is refused when the last is known', () => {
    const rig = new Rig();
    rig.backend('b1');
    rig.backend('b2', { state: 'unknown', models: [] });
    rig.backend('b3', { state: 'unknown', models: [] });
    expect(rig.arrive('a', { model: 'n' })).toBe('');
    expect(rig.arrive('b', { model: 'p' })).toBe('');
    expect(rig.backend('b2', { models: ['p'] })).toBe('b→b2');
    expect(rig.backend('b3', { state: 'dead', models: [] })).toBe('a✗modelUnknown');
  });

  test('an unknown model waits no longer than for a dead one', () => {
    const rig = new Rig();
    rig.backend('b1', { state: 'unknown', models: [] });
    rig.arrive('a');
    expect(rig.pass(14_999)).toBe('');
    expect(rig.pass(1)).toBe('a✗noBackend');
  });

  test('the wait for a dead backend counts from its death or the arrival, whichever is later', () => {
    const rig = new Rig({ priorityAgeingMs: 1000 });
    rig.backend('b1');
    rig.arrive('running');
    rig.arrive('a');
    rig.pass(100_000);
    rig.backend('b1', { state: 'dead' });
    rig.pass(5000);
    rig.arrive('b');
    expect(rig.pass(9999)).toBe('');
    expect(rig.pass(1)).toBe('a✗noBackend');
    expect(rig.pass(4999)).toBe('');
    expect(rig.pass(1)).toBe('b✗noBackend');
  });

  test('a short death does not add up', () => {
    const rig = new Rig();
    rig.backend('b1');
    rig.arrive('running');
    rig.arrive('a');
    for (let n = 0; n < 5; n += 1) {
      rig.backend('b1', { state: 'dead' });
      rig.pass(10_000);
      rig.backend('b1', { state: 'degraded' });
      expect(rig.pass(1)).toBe('');
    }
    expect(rig.finish('running')).toBe('a→b1');
  });

  test('a draining backend takes nobody and keeps what it has', () => {
    const rig = new Rig();
    rig.backend('b1', { slotsTotal: 2 });
    rig.arrive('a');
    rig.backend('b1', { slotsTotal: 2, state: 'draining' });
    expect(rig.arrive('b')).toBe('');
    expect(rig.pass(15_000)).toBe('b✗noBackend');
    expect(rig.finish('a')).toBe('');
  });

  test('a backend that leaves takes the hope of those who wait for its model', () => {
    const rig = new Rig();
    rig.backend('b1', { models: ['n'] });
    rig.backend('b2');
    rig.arrive('a', { model: 'n' });
    rig.arrive('b', { model: 'n' });
    expect(rig.remove('b1')).toBe('b✗modelUnknown');
  });

  test('only prompts that are certainly too long are kept from a small context', () => {
    const rig = new Rig();
    rig.backend('small', { slotsTotal: 4, contextTokens: { m: 4096 } });
    rig.backend('large', { contextTokens: { m: 32_768 } });
    expect(rig.arrive('a', { tokensEstimated: 9000 })).toBe('a→large');
    expect(rig.arrive('b', { tokensEstimated: 9000 })).toBe('');
    expect(rig.arrive('c', { tokensEstimated: 8000 })).toBe('c→small');
    expect(rig.backend('small', { slotsTotal: 4, contextTokens: { m: 8192 } })).toBe('b→small');
  });
});

describe('limits of the queue', () => {
  test('only a request that has to wait is refused by a full queue', () => {
    const rig = new Rig({ queueMax: 1 });
    rig.backend('b1');
    rig.backend('b2', { models: ['other'] });
    rig.arrive('a');
    rig.arrive('b');
    expect(rig.arrive('c')).toBe('c✗queueFull');
    expect(rig.arrive('d', { model: 'other' })).toBe('d→b2');
    expect(rig.rejections[0]).toMatchObject({ queued: 1, waitedMs: 0, retryAfterMs: undefined });
  });

  test('the guess when to come back follows from the rate of releases', () => {
    const rig = new Rig({ queueMax: 9 });
    rig.backend('b1');
    rig.arrive('r0');
    for (let n = 1; n <= 30; n += 1) {
      rig.nowMs += 500;
      rig.arrive(`r${n}`);
      rig.finish(`r${n - 1}`);
    }
    for (let n = 0; n < 9; n += 1) rig.arrive(`w${n}`);
    rig.arrive('late');
    expect(rig.rejections[0]?.reason).toBe('queueFull');
    expect(rig.rejections[0]?.retryAfterMs).toBeGreaterThan(4500);
    expect(rig.rejections[0]?.retryAfterMs).toBeLessThan(5500);
  });

  test('nobody waits longer than the queue timeout', () => {
    const rig = new Rig({ queueTimeoutMs: 1000 });
    rig.backend('b1');
    rig.arrive('a');
    rig.arrive('b');
    rig.pass(400);
    rig.arrive('c');
    expect(rig.pass(599)).toBe('');
    expect(rig.pass(1)).toBe('b✗queueTimeout');
    expect(rig.pass(400)).toBe('c✗queueTimeout');
    expect(rig.rejections[0]?.waitedMs).toBe(1000);
  });

  test('a changed timeout counts for those who wait already', () => {
    const rig = new Rig();
    rig.backend('b1');
    rig.arrive('a');
    rig.arrive('b');
    rig.configure({ queueTimeoutMs: 500 });
    expect(rig.pass(500)).toBe('b✗queueTimeout');
  });

  test('draining refuses arrivals and serves who waits', () => {
    const rig = new Rig();
    rig.backend('b1');
    rig.arrive('a');
    rig.arrive('b');
    rig.handle({ type: 'drainStarted' });
    expect(rig.arrive('c')).toBe('c✗draining');
    expect(rig.finish('a')).toBe('b→b1');
    expect(rig.snapshot().draining).toBe(true);
  });

  test('an early wake-up is asked for again', () => {
    const rig = new Rig({ queueTimeoutMs: 1000 });
    rig.backend('b1');
    rig.arrive('a');
    rig.arrive('b');
    expect(rig.wakeMs).toBe(1000);
    rig.wakeMs = Infinity;
    rig.nowMs = 999;
    rig.handle({ type: 'timePassed' });
    expect(rig.wakeMs).toBe(1000);
    rig.cancel('b');
    expect(rig.wakeMs).toBe(Infinity);
  });
});

describe('placement', () => {
  test('equals take turns, per model, in the order of the configuration', () => {
    const rig = new Rig();
    for (const id of ['b1', 'b2', 'b3']) rig.backend(id, { slotsTotal: 9, models: ['x', 'y'] });
    const where = (id: string, model: string): string => rig.arrive(id, { model });
    expect(where('x1', 'x')).toBe('x1→b1');
    expect(where('x2', 'x')).toBe('x2→b2');
    expect(where('y1', 'y')).toBe('y1→b1');
    expect(where('x3', 'x')).toBe('x3→b3');
    expect(where('x4', 'x')).toBe('x4→b1');
    expect(where('y2', 'y')).toBe('y2→b2');
  });

  test('a conversation goes back to its backend while that has room and it is remembered', () => {
    const rig = new Rig({ sessionTtlMs: 10_000, sessionsMax: 2 });
    for (const id of ['b1', 'b2']) rig.backend(id, { slotsTotal: 2 });
    const say = (id: string, session: string): string => {
      const news = rig.arrive(id, { session });
      rig.finish(id);
      return news.slice(-2);
    };
    expect([say('1', 's'), say('2', 's'), say('3', 't'), say('4', 's')]).toEqual(['b1', 'b1', 'b2', 'b1']);
    expect(rig.snapshot().sessions).toBe(2);
    rig.pass(10_000);
    expect(rig.snapshot().sessions).toBe(0);
    rig.arrive('busy1', { session: 's' });
    const backend = rig.grants.at(-1)?.backend ?? '';
    rig.arrive('busy2', { session: 's' });
    expect(rig.grants.at(-1)?.backend).toBe(backend);
    rig.arrive('third', { session: 's' });
    expect(rig.grants.at(-1)?.backend).not.toBe(backend);
  });

  test('one session asked for two models has two homes', () => {
    const rig = new Rig();
    rig.backend('b1', { models: ['x'] });
    rig.backend('b2', { models: ['y'], slotsTotal: 4 });
    rig.backend('b3', { models: ['x', 'y'], slotsTotal: 4 });
    rig.arrive('1', { model: 'x', session: 's' });
    rig.arrive('2', { model: 'y', session: 's' });
    expect(rig.snapshot().sessions).toBe(2);
  });

  test('the decision names the winner and why others were left out', () => {
    const rig = new Rig();
    rig.backend('b1', { models: ['other'] });
    rig.backend('b2', { state: 'dead' });
    rig.backend('b3');
    rig.backend('b4', { state: 'draining' });
    rig.backend('b5');
    rig.arrive('a');
    rig.nowMs = 70;
    rig.arrive('b');
    const decision = rig.grants[1]?.decision;
    expect(decision).toMatchObject({
      request: 'b',
      model: 'm',
      backend: 'b5',
      picker: 'max-score',
      attempt: 1,
    });
    expect(decision?.candidates.map((one) => [one.backend, one.excludedBy])).toEqual([
      ['b5', undefined],
      ['b1', 'serves-model'],
      ['b2', 'healthy'],
      ['b3', 'free-slot'],
      ['b4', 'not-draining'],
    ]);
    expect(decision?.candidates[0]?.scores).toEqual({ 'session-affinity': 0 });
  });

  test('a decision keeps no more candidates than the setting, the winner among them', () => {
    const rig = new Rig({ decisionCandidatesMax: 2, scorers: [{ name: 'free-slot-share', weight: 1 }] });
    for (let n = 0; n < 9; n += 1) rig.backend(`b${n}`, { slotsTotal: 1 });
    rig.backend('winner', { slotsTotal: 10, slots: { busy: 0, probeStartedMs: 0 } });
    for (let n = 0; n < 10; n += 1) rig.arrive(`r${n}`);
    for (const { backend, decision } of rig.grants) {
      expect(decision.candidates).toHaveLength(2);
      expect(decision.candidates.map((one) => one.backend)).toContain(backend);
    }
  });

  test('settings that name no policy are refused and the old ones stay', () => {
    const rig = new Rig();
    rig.backend('b1');
    expect(() => rig.configure({ picker: 'nope' })).toThrow("No picker is called 'nope'");
    expect(() => rig.configure({ scorers: [{ name: 'nope', weight: 1 }] })).toThrow(
      "No scorer is called 'nope'",
    );
    expect(rig.arrive('a')).toBe('a→b1');
  });

  test('the same events and seed give the same trace', () => {
    const run = (): readonly string[] => {
      const rig = new Rig({ picker: 'power-of-two' }, 42);
      for (let n = 0; n < 5; n += 1) rig.backend(`b${n}`, { slotsTotal: 3 });
      for (let n = 0; n < 30; n += 1) rig.arrive(`r${n}`);
      for (let n = 0; n < 10; n += 1) rig.finish(`r${n}`);
      return rig.log;
    };
    expect(run()).toEqual(run());
    expect(facts('a').priority).toBe(1);
  });
});
