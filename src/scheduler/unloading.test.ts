import { describe, expect, test } from 'vitest';
import { crash, oneAtATime, ProcessRig } from '../../test/scheduler/process-rig.ts';

describe('the time to live of a process', () => {
  test('counts from its last request, with or without a slot', () => {
    const rig = new ProcessRig().add('a', { ttlMs: 1000 }).warm('a');
    rig.pass(900);
    rig.arrive('1', { model: 'a' });
    rig.pass(5000);
    rig.finish('1');
    rig.pass(900);
    rig.arrive('2', { model: 'a', slotless: true });
    rig.pass(5000);
    rig.finish('2');
    rig.news();
    expect(rig.pass(999)).toBe('');
    expect(rig.pass(1)).toBe('unload a ttl');
    expect(rig.stopped('a')).toBe('');
    expect(rig.snapshot().footprint.alarms).toBe(0);
  });

  test('counts from ready for one that nobody used', () => {
    const rig = new ProcessRig().add('a', { ttlMs: 1000 });
    rig.arrive('1', { model: 'a' });
    rig.cancel('1');
    rig.pass(5000);
    rig.news();
    rig.ready('a');
    expect(rig.pass(999)).toBe('');
    expect(rig.pass(1)).toBe('unload a ttl');
  });

  test('does not run while a request lingers', () => {
    const rig = new ProcessRig({ lingerMsMax: 3000 }).add('a', { ttlMs: 1000 }).warm('a');
    rig.arrive('1', { model: 'a' });
    rig.finish('1', { lingers: true });
    rig.news();
    expect(rig.pass(3999)).toBe('');
    expect(rig.pass(1)).toBe('unload a ttl');
  });

  test('sets no alarm while it serves', () => {
    const rig = new ProcessRig().add('a', { ttlMs: 1000 }).warm('a');
    expect(rig.snapshot().footprint.alarms).toBe(1);
    rig.arrive('1', { model: 'a' });
    expect(rig.snapshot().footprint.alarms).toBe(0);
  });

  test('of 0 never ends', () => {
    const rig = new ProcessRig().add('a').warm('a');
    rig.news();
    expect(rig.pass(1_000_000_000)).toBe('');
  });

  test('that becomes shorter counts at once', () => {
    const rig = new ProcessRig().add('a', { ttlMs: 100_000 }).warm('a');
    rig.pass(5000);
    rig.news();
    rig.ready('a', { ttlMs: 1000 });
    expect(rig.pass(0)).toBe('unload a ttl');
  });

  test('that has ended makes the next request wait for a new load', () => {
    const rig = new ProcessRig().add('a', { ttlMs: 1000 }).warm('a');
    rig.pass(1000);
    rig.news();
    expect(rig.arrive('1', { model: 'a' })).toBe('');
    rig.stopping('a');
    expect(rig.stopped('a')).toBe('load a');
    expect(rig.ready('a')).toBe('1→a');
  });
});

describe('the wish to unload a process', () => {
  test('RTR-2 stops an idle one at once, once, and no other', () => {
    const rig = new ProcessRig().add('ab').warm('ab');
    rig.news();
    expect(rig.unloadWish('a')).toBe('unload a requested');
    expect(rig.unloadWish('a')).toBe('');
    expect(rig.stopped('a')).toBe('');
    expect(rig.arrive('1', { model: 'b' })).toBe('1→b');
  });

  test('RTR-2 for all of them stops them at the same time', () => {
    const rig = new ProcessRig().add('ab').warm('ab');
    rig.news();
    expect(rig.unloadWish('a') + rig.unloadWish('b')).toBe('unload a requestedunload b requested');
  });

  test('means nothing for a stopped one, an unknown one and a backend that is no process', () => {
    const rig = new ProcessRig().add('a');
    rig.backend('remote');
    expect(rig.unloadWish('a') + rig.unloadWish('nobody') + rig.unloadWish('remote')).toBe('');
    expect(rig.arrive('1')).toBe('1→remote');
  });

  test('lets running requests finish and takes no new ones; these wait for the next load', () => {
    const rig = new ProcessRig().add('a').warm('a');
    rig.arrive('1', { model: 'a' });
    rig.news();
    expect(rig.unloadWish('a')).toBe('');
    expect(rig.arrive('2', { model: 'a' })).toBe('');
    expect(rig.finish('1')).toBe('unload a requested');
    expect(rig.stopped('a')).toBe('load a');
    expect(rig.ready('a')).toBe('2→a');
  });

  test('lets new ones go to another process of the model meanwhile', () => {
    const rig = new ProcessRig().add('ab', { models: ['m'] });
    rig.arrive('1', { model: 'm' });
    rig.ready('a');
    rig.unloadWish('a');
    rig.news();
    expect(rig.arrive('2', { model: 'm' })).toBe('load b');
  });

  test('RTR-2 waits for them no longer than its time', () => {
    const rig = new ProcessRig().add('a', { unloadTimeoutMs: 3000 }).warm('a');
    rig.arrive('1', { model: 'a' });
    rig.news();
    expect(rig.unloadWish('a')).toBe('');
    rig.pass(1000);
    expect(rig.unloadWish('a')).toBe('');
    expect(rig.pass(1999)).toBe('');
    expect(rig.pass(1)).toBe('unload a requested');
  });

  test('FIFO-12 turns away who waits for a slot, for a load, or for a swap; other swaps go on', () => {
    const rig = new ProcessRig(oneAtATime).add('abc', { slotsTotal: 1 }).warm('a');
    rig.arrive('busy', { model: 'a' });
    rig.arrive('a1', { model: 'a' });
    rig.arrive('b1', { model: 'b' });
    rig.arrive('c1', { model: 'c' });
    rig.news();
    expect(rig.unloadWish('a')).toBe('a1✗unloaded');
    expect(rig.unloadWish('b')).toBe('b1✗unloaded');
    expect(rig.finish('busy')).toBe('unload a requested');
    expect(rig.stopped('a')).toBe('load c');
    rig.arrive('c2', { model: 'c' });
    expect(rig.unloadWish('c')).toBe('c1✗unloaded c2✗unloaded unload c requested');
  });

  test('FIFO-12 for the target of a swap that has not been loaded yet drops it', () => {
    const rig = new ProcessRig(oneAtATime).add('ab').warm('a');
    rig.arrive('1', { model: 'b' });
    rig.news();
    expect(rig.unloadWish('b')).toBe('1✗unloaded');
    expect(rig.stopped('a')).toBe('');
    expect(rig.arrive('2', { model: 'b' })).toBe('load b');
  });

  test('spares those who can go elsewhere', () => {
    const rig = new ProcessRig().add('a', { models: ['m'], slotsTotal: 1 });
    rig.arrive('1', { model: 'm' });
    rig.ready('a');
    rig.backend('remote', { slotsTotal: 1 });
    rig.arrive('2', { model: 'm' });
    rig.arrive('3', { model: 'm' });
    rig.arrive('here', { model: 'm', only: new Set(['a']) });
    rig.news();
    expect(rig.unloadWish('a')).toBe('here✗unloaded');
    expect(rig.finish('2')).toBe('3→remote');
  });

  test('ends with a process that ends before', () => {
    const rig = new ProcessRig().add('a').warm('a');
    rig.arrive('1', { model: 'a' });
    rig.unloadWish('a');
    rig.arrive('2', { model: 'a' });
    rig.news();
    expect(rig.stopped('a', crash)).toBe('load a');
    rig.finish('1');
    expect(rig.ready('a')).toBe('2→a');
    expect(rig.pass(1_000_000)).toBe('');
  });

  test('is forgotten with a process that leaves, although a request of it is left and another one comes in its place', () => {
    const rig = new ProcessRig().add('a', { unloadTimeoutMs: 0 }).warm('a');
    rig.arrive('1', { model: 'a' });
    rig.news();
    expect(rig.unloadWish('a')).toBe('unload a requested');
    rig.remove('a');
    rig.ready('a', { generation: 9 });
    expect(rig.arrive('2', { model: 'a' })).toBe('2→a');
  });
});

describe('a replacement', () => {
  test('waits for the last request however long, lets nobody new in, and keeps those who wait for the successor', () => {
    const rig = new ProcessRig(oneAtATime).add('ab', { slotsTotal: 1 }).warm('a');
    rig.arrive('busy', { model: 'a' });
    rig.arrive('waits', { model: 'a' });
    rig.news();
    expect(rig.replacementWish('a')).toBe('');
    expect(rig.arrive('late', { model: 'a' })).toBe('');
    expect(rig.pass(3_600_000 - 1)).not.toContain('unload a');
    expect(rig.finish('busy')).toBe('unload a requested');
  });

  test('takes the successor for the same model', () => {
    const rig = new ProcessRig(oneAtATime).add('ab', { slotsTotal: 2 }).warm('a');
    rig.arrive('busy', { model: 'a' });
    rig.replacementWish('a');
    rig.arrive('late', { model: 'a' });
    rig.finish('busy');
    rig.news();
    expect(rig.stopped('a')).toBe('load a');
    expect(rig.ready('a')).toBe('late→a');
  });
});
