import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fleet, processHistory, settings, step } from '../../test/scheduler/arbitrary-history.ts';
import { Bookkeeper, type Step } from '../../test/scheduler/laws.ts';
import { ensure } from '../../test/scheduler/ensure.ts';
import type { BackendId } from '../domain/ids.ts';
import type { CandidateTrace } from './decision.ts';
import type { SchedulerSettings } from './settings.ts';

/** What makes `explain`, which asks every policy anew, tell exactly where the next arrival has to go. */
const predictable = {
  ordering: 'fifo',
  picker: 'first-best',
  promptPatienceMs: 0,
  decisionCandidatesMax: 100,
} as const;

/** Plays a history and compares each arrival with what the policies say just before. Returns how many were granted. */
function compare(initial: Partial<SchedulerSettings>, steps: readonly Step[]): number {
  const bookkeeper = new Bookkeeper({ ...initial, ...predictable });
  const { rig } = bookkeeper;
  const handle = rig.handle.bind(rig);
  let granted = 0;
  rig.handle = (event) => {
    if (event.type !== 'requestArrived' || event.request.slotless) return handle(event);
    const { request } = event;
    const candidates = rig.scheduler.explain(request, rig.nowMs);
    const best = candidates.find(({ excludedBy }) => excludedBy === undefined);
    const seen = rig.grants.length;
    const news = handle(event);
    const grant = rig.grants.slice(seen).find(({ id }) => id === request.id);
    if (grant !== undefined) {
      granted += 1;
      expect(grant.backend).toBe(best?.backend);
      expect(grant.decision.candidates[0]).toEqual(best);
      expect(whereServed(grant.decision.candidates)).toEqual(whereServed(candidates));
    } else if (best !== undefined) {
      const isTurnedAway = ['modelBusy', 'draining'].some((why) => news.includes(`${request.id}✗${why}`));
      ensure(isTurnedAway, `${request.id} is granted, for ${best.backend} would take it`);
    }
    return news;
  };
  for (const one of steps) {
    bookkeeper.play(one.do === 'configure' ? { ...one, settings: { ...one.settings, ...predictable } } : one);
  }
  return granted;
}

describe('what is kept of the answers of policies', () => {
  test('leads to the same decisions as asking every policy anew, in every history', () => {
    let granted = 0;
    fc.assert(
      fc.property(
        settings,
        fleet,
        fc.array(step, { maxLength: 120, size: 'max' }),
        (initial, backends, steps) => {
          granted += compare(initial, [...backends, ...steps]);
        },
      ),
      { numRuns: 400 },
    );
    expect(granted).toBeGreaterThan(1000);
  });

  test('leads to the same decisions in every history of processes', () => {
    fc.assert(
      fc.property(processHistory, ({ initial, steps }) => {
        compare(initial, steps);
      }),
      { numRuns: 150 },
    );
  });
});

/** By backend. Where its model is not served does not matter: some of these have left, and a decision does not name them. */
function whereServed(candidates: readonly CandidateTrace[]): ReadonlyMap<BackendId, CandidateTrace> {
  const served = candidates.filter(({ excludedBy }) => excludedBy !== 'serves-model');
  return new Map(served.map((one) => [one.backend, one]));
}
