import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { processHistory } from '../../test/scheduler/arbitrary-history.ts';
import { Bookkeeper } from '../../test/scheduler/laws.ts';
import { oneAtATime, ProcessRig } from '../../test/scheduler/process-rig.ts';

describe('every history of processes', () => {
  test('keeps the laws: nobody who serves or loads is evicted, what is loaded fits, nobody is forgotten', () => {
    fc.assert(
      fc.property(processHistory, ({ initial, steps }) => {
        const bookkeeper = new Bookkeeper(initial);
        for (const one of steps) bookkeeper.play(one);
        bookkeeper.resolve();
        bookkeeper.windUp();
      }),
      { numRuns: 300 },
    );
  });

  test('gives the same trace again for the same events and seed', () => {
    fc.assert(
      fc.property(processHistory, ({ initial, steps }) => {
        const [first, second] = [new Bookkeeper(initial), new Bookkeeper(initial)];
        for (const one of steps) {
          first.play(one);
          second.play(one);
        }
        expect([...second.rig.grants]).toEqual([...first.rig.grants]);
        expect(second.rig.log).toEqual(first.rig.log);
      }),
      { numRuns: 60 },
    );
  });
});

describe('the longest wait for a load', () => {
  const holdMs = 400;
  const stopMs = 50;
  const loadMs = 200;

  test('is bounded by the settings while other models are never idle', () => {
    fc.assert(
      fc.property(
        fc.record({
          ordering: fc.constantFrom<'fifo' | 'fair'>('fifo', 'fair'),
          swapPatienceMs: fc.constantFrom(0, 300, 3000),
          swapHold: fc.constantFrom(0, 1, 3),
          priorityAgeingMs: fc.constantFrom(500, 2000),
        }),
        fc.record({ clients: fc.integer({ min: 1, max: 4 }), slotsTotal: fc.integer({ min: 1, max: 3 }) }),
        fc.constantFrom('a', 'ac'),
        fc.constantFrom(0, 1, 2),
        (waiting, { clients, slotsTotal }, hot, priority) => {
          const rig = new ProcessRig({ ...oneAtATime, ...waiting, queueTimeoutMs: Infinity });
          const due = new Map<string, { atMs: number; run: () => unknown }>();
          const later = (key: string, inMs: number, run: () => unknown): unknown =>
            due.set(key, { atMs: rig.nowMs + inMs, run });
          rig.supply = {
            load: (id) => later(id, loadMs, () => rig.ready(id)),
            unload: (id) => later(id, stopMs, () => rig.stopped(id)),
          };
          rig.add(`${hot}b`, { slotsTotal });
          let arrivals = 0;
          const ask = (model: string): void => {
            arrivals += 1;
            rig.arrive(`${model}${arrivals}`, { model, priority: 1, flow: model });
          };
          for (const model of hot) for (let client = 0; client < clients; client += 1) ask(model);
          rig.arrive('victim', { model: 'b', priority, flow: 'victim' });
          // Once those whose turn is better are served, each of the others may have had its place once, for its patience,
          // its turn or for all who waited, and whoever is there then; and all that is longer for the sake of idle ones.
          const swapMs = stopMs + loadMs;
          const turnMs = Math.max(waiting.swapPatienceMs, 2 * swapMs);
          const placeMs = (turnMs + (clients + 1) * holdMs + swapMs) * (1 + waiting.swapHold);
          const boundMs = waiting.priorityAgeingMs * (priority + 1) + (hot.length + 2) * placeMs;
          let seen = 0;
          while (!rig.grants.some(({ id }) => id === 'victim')) {
            if (rig.nowMs > boundMs)
              throw new Error(`It waits for ${rig.nowMs} ms, the bound is ${boundMs} ms`);
            for (const { id } of rig.grants.slice(seen)) {
              later(id, holdMs, () => {
                rig.finish(id);
                ask(id.charAt(0));
              });
            }
            seen = rig.grants.length;
            for (const [key, { atMs, run }] of due) {
              if (atMs > rig.nowMs) continue;
              due.delete(key);
              run();
            }
            rig.pass(10);
          }
        },
      ),
      { numRuns: 150 },
    );
  });
});
