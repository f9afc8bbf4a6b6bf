import { describe, expect, test } from 'vitest';
import { oneAtATime, ProcessRig, residency } from '../../test/scheduler/process-rig.ts';
import { createMemoryPlanner } from './residency/memory.ts';

const loadMs = 4800;
const workMs = 500;

/** `b`, then `a` in its place took `loadMs`, and was asked five times more with pauses of a second. */
function withHabits(settings: object = {}): ProcessRig {
  const rig = new ProcessRig({ ...oneAtATime, swapHold: 1, ...settings }).add('abc');
  for (const [id, before] of [
    ['b', undefined],
    ['a', 'b'],
  ] as const) {
    load(rig, id, before);
    for (let round = 1; round <= 5; round += 1) askAgain(rig, `${id}${round}`);
  }
  rig.news();
  return rig;
}

function load(rig: ProcessRig, id: string, before: string | undefined): void {
  rig.arrive(`${id}0`, { model: id });
  if (before !== undefined) rig.stopped(before);
  rig.pass(loadMs);
  rig.ready(id);
  rig.pass(workMs);
  rig.finish(`${id}0`);
}

function askAgain(rig: ProcessRig, id: string, pauseMs = 1000): void {
  rig.pass(pauseMs);
  rig.arrive(id, { model: id.charAt(0) });
  rig.pass(workMs);
  rig.finish(id);
}

describe('who waits for a load, while an idle process is kept,', () => {
  test('is due later by a share of their wait', () => {
    const rig = withHabits({ swapHold: 0.5 });
    rig.arrive('b6', { model: 'b' });
    askAgain(rig, 'a6', 900);
    // Half a load, and time for one request less.
    expect(rig.pass(499)).toBe('');
    expect(rig.pass(1)).toBe('unload a evicted');
  });

  test('is promised what the load and the work before theirs leave', () => {
    const rig = withHabits();
    rig.arrive('b6', { model: 'b' });
    rig.pass(1300);
    expect(rig.stopped('a')).toBe('load b');
    rig.pass(3000);
    // Ready in 1800 + 500 + 4800, and due in twice that time.
    rig.arrive('a6', { model: 'a' });
    rig.pass(1800);
    rig.ready('b');
    rig.pass(workMs);
    rig.finish('b6');
    for (let round = 7; round <= 10; round += 1) askAgain(rig, `b${round}`, 900);
    expect(rig.pass(999)).toBe('');
    expect(rig.pass(1)).toBe('unload b evicted');
  });

  test('is due at once when nobody has seen their load yet', () => {
    const rig = withHabits();
    expect(rig.arrive('b6', { model: 'b' })).toBe('');
    expect(rig.arrive('c1', { model: 'c' })).toBe('unload a evicted');
  });

  test('is no concern of another host', () => {
    const rig = withHabits().add('x', { host: 'other' });
    expect(rig.arrive('x1', { model: 'x' })).toBe('load x');
    expect(rig.arrive('b6', { model: 'b' })).toBe('');
  });

  test('is promised no more for loads that go on beside each other', () => {
    const need = { vramBytes: 8, ramBytes: undefined };
    const planner = createMemoryPlanner({ budget: { vramBytes: 16 }, needOf: () => need });
    const rig = withHabits(residency(planner)).add('d');
    for (const [id, before] of [
      ['c', undefined],
      ['d', 'c'],
    ] as const) {
      rig.arrive(`${id}0`, { model: id });
      if (before !== undefined) rig.stopped(before);
      for (const round of [1, 2, 3]) askAgain(rig, `a-${id}${round}`);
      rig.pass(loadMs - 4500);
      rig.ready(id);
      rig.finish(`${id}0`);
      for (const round of [4, 5]) askAgain(rig, `a-${id}${round}`);
    }
    rig.news();
    expect(rig.arrive('b6', { model: 'b' })).toBe('unload d evicted');
    expect(rig.stopped('d')).toBe('load b');
    rig.arrive('c1', { model: 'c' });
    // It takes `c` a load in the place of `a`, while `b` loads, and may take it another one.
    for (let round = 6; round <= 8; round += 1) askAgain(rig, `a${round}`, 900);
    expect(rig.pass(99)).toBe('');
    expect(rig.pass(1)).toBe('unload a evicted');
  });
});
