import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { backendIds, Bookkeeper, modelNames } from '../../test/scheduler/laws.ts';
import type { Step } from '../../test/scheduler/laws.ts';
import { Rig } from '../../test/scheduler/rig.ts';
import { pickers, scorers } from './policies/index.ts';
import type { SchedulerSettings } from './settings.ts';

const model = fc.constantFrom(...modelNames);
const backend = fc.nat(backendIds.length - 1);

const arrive: fc.Arbitrary<Step> = fc
  .record({
    model: fc.oneof({ weight: 12, arbitrary: model }, fc.constantFrom(undefined, 'nobody-has-it')),
    flow: fc.constantFrom('f0', 'f1', 'f2'),
    priority: fc.constantFrom(0, 1, 1, 1, 2),
    session: fc.constantFrom(undefined, 's0', 's1'),
    tokensEstimated: fc.constantFrom(0, 100, 9000),
    slotless: fc.constantFrom(false, false, false, false, true),
    only: fc.constantFrom(undefined, undefined, undefined, new Set(['b0', 'b1'])),
  })
  .map(({ only, ...fields }) => ({ do: 'arrive', fields: { ...fields, ...(only && { only }) } }));

const change: fc.Arbitrary<Step> = fc
  .record({
    backend,
    fields: fc.record(
      {
        state: fc.constantFrom('live', 'live', 'live', 'live', 'degraded', 'dead', 'draining', 'unknown'),
        models: fc.uniqueArray(model, { minLength: 1 }),
        loaded: fc.uniqueArray(model),
        slotsTotal: fc.integer({ min: 1, max: 4 }),
        modelsMax: fc.constantFrom(undefined, 1, 2),
        contextTokens: fc.constantFrom({}, { x: 4096 }, { x: 4096, y: 8192 }),
        epoch: fc.nat(2),
      },
      { requiredKeys: [] },
    ),
    busy: fc.constantFrom(undefined, undefined, 0, 1, 3),
  })
  .map((fields) => ({ do: 'change', ...fields }));

const settings: fc.Arbitrary<Partial<SchedulerSettings>> = fc.record(
  {
    ordering: fc.constantFrom('fifo', 'fair'),
    scorers: fc.uniqueArray(fc.constantFrom(...scorers.map(({ name }) => ({ name, weight: 2 }))), {
      selector: ({ name }) => name,
    }),
    picker: fc.constantFrom(...pickers.map(({ name }) => name)),
    queueMax: fc.constantFrom(0, 3, 1000),
    queueTimeoutMs: fc.constantFrom(2000, 60_000, Infinity),
    deadWaitMs: fc.constantFrom(0, 1000, 15_000),
    priorityAgeingMs: fc.constantFrom(300, 5000, Infinity),
    modelAffinityBonusMs: fc.constantFrom(0, 500, 2000),
    overtakenMax: fc.constantFrom(0, 2, 100),
    stickyDelayMs: fc.constantFrom(0, 700, 3000),
    modelLimits: fc.constantFrom(
      new Map(),
      new Map([['x', 1]]),
      new Map([
        ['x', 2],
        ['y', 3],
      ]),
    ),
    sessionTtlMs: fc.constantFrom(0, 60_000),
    lingerMsMax: fc.constantFrom(0, 2000),
    decisionCandidatesMax: fc.constantFrom(1, 3),
  },
  { requiredKeys: [] },
);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 400, arbitrary: arrive },
  {
    weight: 250,
    arbitrary: fc.record({ do: fc.constant('finish'), nth: fc.nat(20), lingers: fc.boolean() }),
  },
  { weight: 60, arbitrary: fc.record({ do: fc.constantFrom('retry', 'cancel'), nth: fc.nat(20) }) },
  { weight: 120, arbitrary: change },
  { weight: 10, arbitrary: fc.record({ do: fc.constant('remove'), backend }) },
  {
    weight: 200,
    arbitrary: fc.record({ do: fc.constant('pass'), ms: fc.constantFrom(0, 1, 50, 300, 1000, 4000) }),
  },
  { weight: 20, arbitrary: settings.map((changed) => ({ do: 'configure', settings: changed }) as const) },
  { weight: 1, arbitrary: fc.constant({ do: 'drain' } as const) },
);

const fleet: fc.Arbitrary<readonly Step[]> = fc.array(change, { minLength: 1, maxLength: 4 });

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
          expect([...second.rig.grants]).toEqual([...first.rig.grants]);
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
