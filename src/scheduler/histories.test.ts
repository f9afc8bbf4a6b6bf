import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  fleet,
  settings,
  settingsWithPatience,
  step,
  stepWithPrompts,
  warmedUp,
} from '../../test/scheduler/arbitrary-history.ts';
import { Bookkeeper } from '../../test/scheduler/laws.ts';
import { Rig } from '../../test/scheduler/rig.ts';
import type { Grant } from './effects.ts';

describe('every history', () => {
  test('keeps the laws: one end for each request, permits within slots, nobody placeable waits, nothing left behind', () => {
    fc.assert(
      fc.property(
        settings,
        fleet,
        fc.array(step, { maxLength: 120, size: 'max' }),
        (initial, backends, steps) => {
          const bookkeeper = new Bookkeeper(initial);
          for (const one of [...backends, ...steps]) bookkeeper.play(one);
          bookkeeper.windUp();
        },
      ),
      { numRuns: 800 },
    );
  });

  test('keeps them while requests wait for backends that have their prompt', () => {
    let waits = 0;
    fc.assert(
      fc.property(
        settingsWithPatience,
        fleet,
        fc.array(stepWithPrompts, { maxLength: 120, size: 'max' }),
        (initial, backends, steps) => {
          const bookkeeper = new Bookkeeper(initial);
          for (const one of [...backends, ...warmedUp, ...steps]) {
            bookkeeper.play(one);
            if (bookkeeper.rig.snapshot().queued.some(({ awaits }) => awaits !== undefined)) waits += 1;
          }
          bookkeeper.windUp();
        },
      ),
      { numRuns: 300 },
    );
    expect(waits).toBeGreaterThan(10);
  });

  test('gives the same trace again for the same events and seed', () => {
    fc.assert(
      fc.property(
        settings,
        fleet,
        fc.array(step, { maxLength: 60, size: 'max' }),
        (initial, backends, steps) => {
          const [first, second] = [new Bookkeeper(initial), new Bookkeeper(initial)];
          for (const one of [...backends, ...steps]) {
            first.play(one);
            second.play(one);
          }
          expect(second.rig.grants.map(spellOut)).toEqual(first.rig.grants.map(spellOut));
          expect(second.rig.log).toEqual(first.rig.log);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('the longest wait', () => {
  const holdMs = 400;

  test('is bounded by the settings under any endless stream of better, warmer requests', () => {
    fc.assert(
      fc.property(
        fc.record({
          ordering: fc.constantFrom<'fifo' | 'fair'>('fifo', 'fair'),
          modelAffinityBonusMs: fc.constantFrom(0, 500, 2000),
          stickyDelayMs: fc.constantFrom(0, 1000),
          priorityAgeingMs: fc.constantFrom(500, 2000),
        }),
        fc.record({ slotsTotal: fc.integer({ min: 1, max: 3 }), modelsMax: fc.constantFrom(undefined, 1) }),
        fc.record({ priority: fc.nat(3), model: fc.constantFrom('x', 'y') }),
        fc.array(fc.record({ flow: fc.nat(50), everyMs: fc.integer({ min: 20, max: 150 }) }), {
          minLength: 1,
          maxLength: 4,
        }),
        (waiting, room, victim, streams) => {
          const rig = new Rig({ ...waiting, queueTimeoutMs: Infinity, queueMax: Infinity });
          rig.backend('b1', { models: ['x', 'y'], loaded: ['x'], ...room });
          rig.arrive('first', { model: 'x', priority: 0 });
          rig.arrive('victim', { ...victim, flow: 'victim' });
          // Whoever came first or ages as far goes before it: what arrived until then has to be worked off.
          const ageingMs = waiting.priorityAgeingMs * (victim.priority + 1);
          const patienceMs = waiting.modelAffinityBonusMs + 2 * waiting.stickyDelayMs + 3 * holdMs;
          const arrivalsPerMs = streams.reduce((sum, { everyMs }) => sum + 1 / everyMs, 0);
          const servedPerMs = room.slotsTotal / holdMs;
          const backlogMs = (ageingMs + patienceMs) * (1 + arrivalsPerMs / servedPerMs);
          const boundMs = ageingMs + 2 * patienceMs + backlogMs;
          const ends = new Map<string, number>();
          let arrivals = 0;
          while (!rig.grants.some(({ id }) => id === 'victim')) {
            if (rig.nowMs > boundMs)
              throw new Error(`The victim waits for ${rig.nowMs} ms, the bound is ${boundMs} ms`);
            for (const { flow, everyMs } of streams) {
              if (rig.nowMs % everyMs >= 10) continue;
              rig.arrive(`s${arrivals}`, { model: 'x', priority: 0, flow: `flow${flow}` });
              arrivals += 1;
            }
            for (const { id } of rig.grants) if (!ends.has(id)) ends.set(id, rig.nowMs + holdMs);
            for (const [id, endMs] of ends) if (endMs === rig.nowMs) rig.finish(id);
            rig.pass(10);
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});

/** What a decision compared is spelt out only when it is read. */
function spellOut(grant: Grant): unknown {
  return { ...grant, candidates: grant.decision.candidates };
}
