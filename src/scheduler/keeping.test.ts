import { describe, expect, test } from 'vitest';
import { oneAtATime, ProcessRig } from '../../test/scheduler/process-rig.ts';

const loadMs = 4800;
const workMs = 500;
/** The pause, and a sixteenth of the load. */
const keptMs = 1300;

/** `a` and `b` took `loadMs` each; `a` is there and was asked five times more with pauses of a second. */
function withHabit(settings: object = {}): ProcessRig {
  const rig = new ProcessRig({ ...oneAtATime, swapHold: 1, ...settings }).add('abc');
  rig.arrive('b0', { model: 'b' });
  rig.pass(loadMs);
  rig.ready('b');
  rig.finish('b0');
  rig.arrive('a0', { model: 'a' });
  rig.stopped('b');
  rig.pass(loadMs);
  rig.ready('a');
  rig.pass(workMs);
  rig.finish('a0');
  for (let round = 1; round <= 5; round += 1) askAgain(rig, `a${round}`);
  rig.news();
  return rig;
}

function askAgain(rig: ProcessRig, id: string, pauseMs = 1000): void {
  rig.pass(pauseMs);
  rig.arrive(id, { model: 'a' });
  rig.pass(workMs);
  rig.finish(id);
}

const keptUntilMs = (rig: ProcessRig): unknown => rig.snapshot().backends.get('a')?.process?.keptUntilMs;

describe('an idle process that is likely to be wanted soon', () => {
  test('stays for a while though another model is wanted, and serves who comes', () => {
    const rig = withHabit();
    expect(rig.arrive('b1', { model: 'b' })).toBe('');
    expect(keptUntilMs(rig)).toBe(rig.nowMs + keptMs);
    rig.pass(900);
    expect(rig.arrive('a6', { model: 'a' })).toBe('a6→a');
    expect(rig.finish('a6')).toBe('');
  });

  test('goes when nobody comes in the usual time', () => {
    const rig = withHabit();
    rig.arrive('b1', { model: 'b' });
    expect(rig.pass(keptMs - 1)).toBe('');
    expect(rig.pass(1)).toBe('unload a evicted');
    expect(keptUntilMs(rig)).toBeUndefined();
  });

  test('goes in time, however often it is wanted, so that who waits is served only so much later', () => {
    const rig = withHabit();
    // It would take `b` a load, and may take it another one; the last request for `a` is over by then.
    rig.arrive('b1', { model: 'b' });
    for (let round = 6; round <= 8; round += 1) askAgain(rig, `a${round}`, 900);
    expect(keptUntilMs(rig)).toBe(rig.nowMs + 100);
    expect(rig.pass(99)).toBe('');
    expect(rig.pass(1)).toBe('unload a evicted');
  });

  test('goes at once where that is not wished for', () => {
    expect(withHabit({ swapHold: 0 }).arrive('b1', { model: 'b' })).toBe('unload a evicted');
  });

  test('goes at once for those who have lost their patience', () => {
    const rig = withHabit({ swapPatienceMs: 400 });
    askAgain(rig, 'a6');
    askAgain(rig, 'a7');
    rig.arrive('b1', { model: 'b' });
    expect(rig.pass(399)).toBe('');
    expect(rig.pass(1)).toBe('unload a evicted');
  });

  test('stays even then until it has had a turn of twice as long as its load took', () => {
    const rig = withHabit({ swapPatienceMs: 10 });
    askAgain(rig, 'a6');
    rig.arrive('b1', { model: 'b' });
    expect(rig.pass(99)).toBe('');
    expect(rig.pass(1)).toBe('unload a evicted');
  });

  test('goes when too many wait', () => {
    const rig = withHabit();
    for (let count = 1; count <= 3; count += 1) expect(rig.arrive(`b${count}`, { model: 'b' })).toBe('');
    expect(rig.arrive('b4', { model: 'b' })).toBe('unload a evicted');
  });

  test('is kept anew the next time, when who waited has left', () => {
    const rig = withHabit();
    rig.arrive('b1', { model: 'b' });
    askAgain(rig, 'a6', 900);
    askAgain(rig, 'a7', 900);
    rig.cancel('b1');
    expect(keptUntilMs(rig)).toBeUndefined();
    askAgain(rig, 'a8');
    rig.news();
    rig.arrive('b2', { model: 'b' });
    for (let round = 9; round <= 11; round += 1) askAgain(rig, `a${round}`, 900);
    expect(rig.arrive('a12', { model: 'a' })).toBe('a12→a');
  });

  test('keeps its habits over a swap', () => {
    const rig = withHabit();
    rig.arrive('b1', { model: 'b' });
    rig.pass(keptMs);
    rig.stopped('a');
    rig.arrive('a6', { model: 'a' });
    rig.pass(loadMs);
    rig.ready('b');
    rig.finish('b1');
    rig.stopped('b');
    rig.pass(loadMs);
    rig.ready('a');
    rig.finish('a6');
    expect(rig.arrive('b2', { model: 'b' })).toBe('');
  });
});
