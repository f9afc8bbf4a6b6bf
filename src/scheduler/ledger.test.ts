import { describe, expect, test } from 'vitest';
import { Rig } from '../../test/scheduler/rig.ts';

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
