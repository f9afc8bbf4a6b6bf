import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { promptOf } from '../../test/scheduler/prompts.ts';
import { Rig } from '../../test/scheduler/rig.ts';
import type { SchedulerSettings } from './settings.ts';

const scorers = [{ name: 'prefix-affinity', weight: 1 }];
const readAll = { tokens: 100, cachedTokens: undefined };

/** One backend of one slot that has read `abc` and is busy. */
function busyRig(settings: Partial<SchedulerSettings> = {}): Rig {
  const rig = new Rig({ scorers, promptBonusMs: 1000, overtakenMax: 2, ...settings });
  rig.backend('b1', { models: ['m', 'n'], loaded: ['m', 'n'] });
  rig.arrive('first', { prompt: promptOf('abc') });
  rig.finish('first', { prompt: readAll });
  rig.arrive('running');
  return rig;
}

describe('on a slot that becomes free', () => {
  test('a request whose prompt is cached there goes before one that came shortly before it', () => {
    const rig = busyRig();
    rig.arrive('cold', { prompt: promptOf('xyz') });
    rig.pass(999);
    rig.arrive('cached', { prompt: promptOf('abcd') });
    rig.pass(60_000);
    expect(rig.finish('running')).toBe('cached→b1');
    expect(rig.grants.at(-1)?.decision.overtook).toBe(1);
    expect(rig.snapshot().queued).toMatchObject([{ id: 'cold', overtaken: 1 }]);
  });

  test('the one that finds most there goes first, equals by turn', () => {
    const rig = busyRig();
    rig.arrive('cold', { prompt: promptOf('xyz') });
    rig.arrive('little', { prompt: promptOf('ab') });
    rig.arrive('most', { prompt: promptOf('abcd') });
    rig.arrive('as much', { prompt: promptOf('abce') });
    expect(rig.finish('running')).toBe('most→b1');
  });

  test('turns stay as they are among those who find nothing there', () => {
    const rig = busyRig();
    rig.arrive('x', { prompt: promptOf('x') });
    rig.arrive('y', { prompt: promptOf('y') });
    rig.arrive('without');
    expect(rig.finish('running')).toBe('x→b1');
    expect(rig.finish('x')).toBe('y→b1');
    expect(rig.finish('y')).toBe('without→b1');
  });

  test.each([
    ['the bonus is 0', { promptBonusMs: 0 }, {}],
    ['nothing rates prompts', { scorers: [] }, {}],
    ['it may overtake nobody', { overtakenMax: 0 }, {}],
    ['it has a lower priority', {}, { priority: 2 }],
    ['it is for another model', {}, { model: 'n' }],
  ])('nobody passes for a cached prompt when %s', (_, settings, later) => {
    const rig = busyRig(settings);
    rig.arrive('cold', { prompt: promptOf('xyz') });
    rig.arrive('cached', { prompt: promptOf('abc'), ...later });
    expect(rig.finish('running')).toBe('cold→b1');
  });

  test('one that came later than the bonus passes nobody', () => {
    const rig = busyRig();
    rig.arrive('cold', { prompt: promptOf('xyz') });
    rig.pass(1000);
    rig.arrive('cached', { prompt: promptOf('abc') });
    expect(rig.finish('running')).toBe('cold→b1');
  });

  test('nobody is passed more often than the limit', () => {
    const rig = busyRig();
    rig.arrive('cold', { prompt: promptOf('xyz') });
    for (const id of ['c1', 'c2', 'c3']) rig.arrive(id, { prompt: promptOf('abc') });
    expect(rig.finish('running')).toBe('c1→b1');
    expect(rig.finish('c1', { prompt: readAll })).toBe('c2→b1');
    expect(rig.finish('c2', { prompt: readAll })).toBe('cold→b1');
  });

  test('the first of another lane is passed only within its own limit', () => {
    const rig = busyRig({ overtakenMax: 1 });
    rig.arrive('cold', { prompt: promptOf('xyz') });
    rig.arrive('other', { model: 'n', prompt: promptOf('uvw') });
    for (const id of ['c1', 'c2']) rig.arrive(id, { prompt: promptOf('abc') });
    expect(rig.finish('running')).toBe('c1→b1');
    expect(rig.snapshot().queued).toMatchObject([
      { id: 'cold', overtaken: 1 },
      { id: 'other', overtaken: 1 },
      { id: 'c2', overtaken: 0 },
    ]);
    expect(rig.finish('c1')).toBe('cold→b1');
    expect(rig.finish('cold')).toBe('other→b1');
  });

  test('a flood with a cached prompt gets one request more than its fair share, and newcomers lose nothing', () => {
    const rig = busyRig({ ordering: 'fair', overtakenMax: 100 });
    for (let at = 0; at < 10; at += 1) {
      rig.arrive(`flood${at}`, { flow: 'flood', prompt: promptOf(at === 0 ? 'xyz' : 'abc') });
    }
    rig.arrive('light', { flow: 'light', prompt: promptOf('uvw') });
    expect(rig.finish('running')).toBe('flood1→b1');
    rig.arrive('late', { flow: 'late' });
    const next = [rig.finish('flood1', { prompt: readAll })];
    for (let at = 0; at < 4; at += 1) next.push(rig.finish(rig.grants.at(-1)?.id ?? '', { prompt: readAll }));
    expect(next.join(' ')).toMatch(/light→b1.*late→b1/);
  });
});

describe('the wait of one whose prompt is cached nowhere', () => {
  test('is at most as long as if it had come later by the bonus, and it is passed at most as often as the limit says', () => {
    const holdMs = 100;
    fc.assert(
      fc.property(
        fc.record({
          promptBonusMs: fc.constantFrom(200, 1000, 5000),
          overtakenMax: fc.constantFrom(1, 5, 1000),
          ordering: fc.constantFrom<'fifo' | 'fair'>('fifo', 'fair'),
        }),
        fc.integer({ min: 1, max: 3 }),
        fc.array(fc.record({ everyMs: fc.integer({ min: 20, max: 200 }), flow: fc.nat(3) }), {
          minLength: 1,
          maxLength: 4,
        }),
        (settings, slotsTotal, streams) => {
          const rig = new Rig({ scorers, queueTimeoutMs: Infinity, queueMax: Infinity, ...settings });
          rig.backend('b1', { slotsTotal, sharesPrompts: true });
          rig.arrive('opening', { prompt: promptOf('abc') });
          rig.finish('opening', { prompt: readAll });
          for (let at = 0; at < slotsTotal; at += 1) rig.arrive(`busy${at}`);
          rig.arrive('victim', { flow: 'victim', prompt: promptOf('xyz') });
          const ends = new Map<string, number>();
          let arrivals = 0;
          let cameWithinBonus = 0;
          while (!rig.grants.some(({ id }) => id === 'victim')) {
            if (rig.nowMs > 60_000) throw new Error('The victim starves');
            for (const { everyMs, flow } of streams) {
              if (rig.nowMs % everyMs >= 10) continue;
              arrivals += 1;
              if (rig.nowMs < settings.promptBonusMs) cameWithinBonus += 1;
              rig.arrive(`s${arrivals}`, { flow: `flow${flow}`, prompt: promptOf('abc') });
            }
            for (const { id } of rig.grants) if (!ends.has(id)) ends.set(id, rig.nowMs + holdMs);
            for (const [id, endMs] of ends) if (endMs === rig.nowMs) rig.finish(id, { prompt: readAll });
            rig.pass(10);
          }
          const passed = rig.grants.findIndex(({ id }) => id === 'victim') - 1 - slotsTotal;
          expect(passed).toBeLessThanOrEqual(Math.min(settings.overtakenMax, cameWithinBonus));
        },
      ),
      { numRuns: 150 },
    );
  });
});
