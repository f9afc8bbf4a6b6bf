import { describe, expect, test } from 'vitest';
import { Rig } from '../../test/scheduler/rig.ts';

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

  test('draining takes what is part of a request that was let in before', () => {
    const rig = new Rig();
    rig.backend('b1');
    rig.handle({ type: 'drainStarted' });
    expect(rig.arrive('part', { continues: true })).toBe('part→b1');
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
