import { describe, expect, test } from 'vitest';
import { crash, group, groups, matrix, oneAtATime, ProcessRig } from '../../test/scheduler/process-rig.ts';

describe('a model that waits behind a busy one', () => {
  const patient = { ...oneAtATime, swapPatienceMs: 1000 };

  test('gets its place after its patience, and nobody is cut off', () => {
    const rig = new ProcessRig(patient).add('ab').warm('a');
    rig.arrive('a1', { model: 'a' });
    rig.arrive('b1', { model: 'b' });
    rig.pass(999);
    rig.news();
    expect(rig.arrive('a2', { model: 'a' })).toBe('a2→a');
    expect(rig.finish('a1')).toBe('');
    rig.pass(1);
    expect(rig.snapshot().backends.get('a')?.process?.drainsFor).toBe('b1');
    expect(rig.arrive('a3', { model: 'a' })).toBe('');
    expect(rig.arrive('a4', { model: 'a', slotless: true, priority: 0 })).toBe('');
    expect(rig.finish('a2')).toBe('unload a evicted');
    expect(rig.stopped('a')).toBe('load b');
    expect(rig.ready('b')).toBe('b1→b');
    expect(rig.finish('b1')).toBe('unload b evicted');
    expect(rig.stopped('b')).toBe('load a');
    expect(rig.ready('a')).toBe('a4→a a3→a');
  });

  test('goes before one with a better turn that has not waited too long', () => {
    const rig = new ProcessRig(patient).add('abc').warm('a');
    rig.arrive('a1', { model: 'a' });
    rig.arrive('b1', { model: 'b', priority: 5 });
    rig.pass(1000);
    rig.arrive('c1', { model: 'c', priority: 1 });
    rig.finish('a1');
    expect(rig.stopped('a')).toBe('load b');
  });

  test('is no matter of another host', () => {
    const [planner] = oneAtATime.residency?.values() ?? [];
    if (planner === undefined) throw new Error('No planner');
    const residencies = new Map(['host', 'other'].map((host) => [host, planner]));
    const rig = new ProcessRig({ residency: residencies, swapPatienceMs: 1000 });
    rig.add('ab').add('c', { host: 'other' }).warm('a');
    rig.arrive('a1', { model: 'a' });
    rig.arrive('b1', { model: 'b' });
    rig.pass(1000);
    rig.news();
    expect(rig.arrive('c1', { model: 'c' })).toBe('load c');
  });

  test('leaves alone whose place it does not need', () => {
    const rig = new ProcessRig({ ...matrix('a & k', 'b & k', 'b & t', 'a & t'), swapPatienceMs: 1000 });
    rig.add('akbt').warm('ak');
    rig.arrive('a1', { model: 'a' });
    rig.arrive('b1', { model: 'b' });
    rig.pass(1000);
    rig.news();
    expect(rig.arrive('t1', { model: 't' })).toBe('unload k evicted');
  });

  test('follows the turns while they change by ageing', () => {
    const rig = new ProcessRig({ ...patient, priorityAgeingMs: 3000 }).add('abc').warm('a');
    rig.arrive('a1', { model: 'a' });
    rig.arrive('b1', { model: 'b', priority: 2 });
    rig.arrive('c1', { model: 'c', priority: 1 });
    rig.pass(500);
    rig.arrive('a2', { model: 'a', priority: 1 });
    rig.pass(500);
    const claimant = () => rig.snapshot().backends.get('a')?.process?.drainsFor;
    expect(claimant()).toBe('c1');
    rig.pass(2000);
    expect(claimant()).toBe('b1');
  });

  test('gives the place back when it leaves', () => {
    const rig = new ProcessRig(patient).add('ab').warm('a');
    rig.arrive('a1', { model: 'a' });
    rig.arrive('b1', { model: 'b' });
    rig.pass(1000);
    rig.arrive('a2', { model: 'a' });
    rig.news();
    expect(rig.cancel('b1')).toBe('a2→a');
  });

  test('waits for ever without an end of its patience', () => {
    const rig = new ProcessRig({ ...oneAtATime, queueTimeoutMs: Infinity }).add('ab').warm('a');
    rig.arrive('a1', { model: 'a' });
    rig.arrive('b1', { model: 'b' });
    rig.pass(10_000_000);
    rig.news();
    expect(rig.arrive('a2', { model: 'a' })).toBe('a2→a');
  });

  test('is not sent away again before those are served who waited for it', () => {
    const rig = new ProcessRig({ ...oneAtATime, swapPatienceMs: 0 }).add('ab', { slotsTotal: 1 }).warm('a');
    rig.arrive('a1', { model: 'a' });
    for (const id of ['b1', 'b2', 'b3']) rig.arrive(id, { model: 'b' });
    rig.arrive('a2', { model: 'a' });
    rig.finish('a1');
    rig.stopped('a');
    rig.news();
    expect(rig.ready('b')).toBe('b1→b');
    expect(rig.arrive('b4', { model: 'b' })).toBe('');
    expect(rig.finish('b1')).toBe('b2→b');
    expect(rig.finish('b2')).toBe('b3→b');
    expect(rig.finish('b3')).toBe('unload b evicted');
    expect(rig.stopped('b')).toBe('load a');
    expect(rig.ready('a')).toBe('a2→a');
    expect(rig.finish('a2')).toBe('unload a evicted');
  });

  test('goes first by turn when several have waited too long', () => {
    const rig = new ProcessRig(patient).add('abc').warm('a');
    rig.arrive('a1', { model: 'a' });
    rig.arrive('c1', { model: 'c', priority: 2 });
    rig.arrive('b1', { model: 'b', priority: 1 });
    rig.pass(2000);
    rig.finish('a1');
    expect(rig.stopped('a')).toBe('load b');
  });

  test('keeps others from taking the room that it is about to get', () => {
    const rig = new ProcessRig({
      ...groups(group('ab'), group('c', { exclusive: false })),
      swapPatienceMs: 1000,
    });
    rig.add('abc').warm('a');
    rig.arrive('a1', { model: 'a' });
    rig.arrive('b1', { model: 'b' });
    rig.pass(1000);
    rig.news();
    expect(rig.arrive('c1', { model: 'c' })).toBe('');
    expect(rig.finish('a1')).toBe('unload a evicted load c');
  });

  test('does not drain one process while another that is in its way still loads', () => {
    const rig = new ProcessRig({ ...groups(group('ab', { swap: false }), group('c')), swapPatienceMs: 1000 });
    rig.add('abc').warm('a');
    rig.arrive('a1', { model: 'a' });
    rig.arrive('b1', { model: 'b' });
    rig.arrive('c1', { model: 'c' });
    rig.pass(1000);
    rig.news();
    expect(rig.arrive('a2', { model: 'a' })).toBe('a2→a');
    expect(rig.ready('b')).toBe('b1→b');
    expect(rig.pass(2000)).toBe('');
    expect(rig.arrive('a3', { model: 'a' })).toBe('');
    expect(rig.arrive('b2', { model: 'b' })).toBe('');
  });

  test('lets a process run for twice as long as its load took before it drains', () => {
    const rig = new ProcessRig(patient).add('ab');
    rig.arrive('a1', { model: 'a' });
    rig.arrive('b1', { model: 'b' });
    rig.pass(5000);
    rig.ready('a');
    rig.pass(9999);
    expect(rig.arrive('a2', { model: 'a' })).toBe('a2→a');
    rig.pass(1);
    expect(rig.arrive('a3', { model: 'a' })).toBe('');
    rig.finish('a1');
    expect(rig.finish('a2')).toBe('unload a evicted');
  });

  test('loses a process that drained for it and died like any other', () => {
    const rig = new ProcessRig(patient).add('ab').warm('a');
    rig.arrive('a1', { model: 'a' });
    rig.arrive('b1', { model: 'b' });
    rig.pass(1000);
    rig.news();
    expect(rig.stopped('a', crash)).toBe('load b');
    rig.finish('a1');
    expect(rig.ready('b')).toBe('b1→b');
  });
});
