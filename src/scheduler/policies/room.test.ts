import { describe, expect, test } from 'vitest';
import { createRandom } from '../../base/random.ts';
import { facts, view } from '../../../test/scheduler/rig.ts';
import type { Candidate, PlacementContext, Scorer } from '../policy.ts';
import { firstBest } from './pickers/first-best.ts';
import { randomBest } from './pickers/random-best.ts';
import { gpuLoad } from './scorers/gpu-load.ts';
import { loadedThenFreeShare } from './scorers/loaded-then-free-share.ts';
import { loadedThenFree } from './scorers/loaded-then-free.ts';
import { requestsAndGpuLoad } from './scorers/requests-and-gpu-load.ts';
import { warmSession } from './scorers/warm-session.ts';

interface Place {
  readonly loaded?: boolean;
  /** Requests of the model, and of all models. */
  readonly own?: number;
  readonly all?: number;
  readonly limit?: number;
  readonly gpu?: number;
}

const context: PlacementContext = {
  request: facts('r'),
  turn: { priorityClass: 0, tag: 0, seq: 0 },
  failedOn: new Set(),
  nowMs: 0,
  awaited: undefined,
  sessionBackend: undefined,
  prompts: undefined,
  modelInFlight: 0,
  modelLimit: undefined,
  hasTrusted: false,
  slotsAreSoft: true,
};

function candidate({ loaded = false, own = 0, all = own, limit = 2, gpu }: Place, id = 'b'): Candidate {
  const slotsTotal = 1000;
  return {
    view: view(id, { slotsTotal, modelSlotsMax: limit, gpuLoad: gpu, loaded: loaded ? ['m'] : [] }),
    model: 'm',
    inFlight: all,
    inFlightOfModel: own,
    modelsInFlight: 0,
    free: slotsTotal - all,
    isClosing: false,
    stickyTo: undefined,
    claim: undefined,
    isWarm: loaded || own > 0,
    contextTokens: undefined,
  };
}

/** Each row rates the first strictly above the second. */
function ratesAbove(scorer: Scorer, better: Place, worse: Place): void {
  const [a, b] = [scorer.score(candidate(better), context), scorer.score(candidate(worse), context)];
  expect(a).toBeGreaterThan(b);
}

describe('loaded-then-free', () => {
  test.each<[string, Place, Place]>([
    ['a loaded busy one above an idle one', { loaded: true, own: 1, all: 900 }, { own: 0, all: 0 }],
    ['an idle one above a full one that has it loaded', { all: 0 }, { loaded: true, own: 2 }],
    ['a free busy one above a full one', { all: 900 }, { own: 2 }],
    [
      'of loaded ones that with fewer of its requests',
      { loaded: true, own: 1, all: 9 },
      { loaded: true, own: 2, all: 2, limit: 3 },
    ],
    ['of free ones that with fewer requests of all', { all: 3 }, { all: 4 }],
    ['of full ones that with fewer of its requests', { own: 2, all: 50 }, { own: 3, all: 3 }],
    ['many apart as well', { own: 100_000, limit: 1 }, { own: 100_001, limit: 1 }],
  ])('rates %s', (_, better, worse) => {
    ratesAbove(loadedThenFree, better, worse);
  });

  test('counts a model against its own limit only', () => {
    ratesAbove(loadedThenFree, { loaded: true, own: 0, all: 500 }, { all: 0 });
  });

  test('is equal for equal places', () => {
    const [one, other] = [candidate({ loaded: true, own: 1, all: 1 }), candidate({ own: 1, all: 7 })];
    expect(loadedThenFree.score(one, context)).toBe(loadedThenFree.score(other, context));
  });
});

describe('loaded-then-free-share', () => {
  test.each<[string, Place, Place]>([
    ['a loaded one above an idle one', { loaded: true, own: 1 }, { own: 0, limit: 9 }],
    ['the lower share, not the lower count', { loaded: true, own: 2, limit: 8 }, { loaded: true, own: 1 }],
    ['a full one with the lower share', { own: 3, limit: 2 }, { own: 2, limit: 1 }],
  ])('rates %s', (_, better, worse) => {
    ratesAbove(loadedThenFreeShare, better, worse);
  });

  test('is equal for equal shares', () => {
    const thirds = [1, 2, 4].map((own) => candidate({ own, limit: own * 3 }));
    expect(new Set(thirds.map((one) => loadedThenFreeShare.score(one, context))).size).toBe(1);
  });
});

describe('warm-session', () => {
  test.each<[string, Place, string, number]>([
    ['the backend of the conversation', { loaded: true, own: 1 }, 'b', 1],
    ['another backend', { loaded: true }, 'c', 0],
    ['one that has the model no more', {}, 'b', 0],
    ['one without room', { loaded: true, own: 2 }, 'b', 0],
  ])('rates %s', (_, place, sessionBackend, score) => {
    expect(warmSession.score(candidate(place), { ...context, sessionBackend })).toBe(score);
  });
});

describe('gpu-load', () => {
  test.each([
    [undefined, 90, 0.1],
    [20, 90, 0.8],
    [undefined, undefined, 0.5],
  ])('rates a load of %s %% where it is %s %% elsewhere with %s', (load, elsewhere, score) => {
    const { view: known, ...place } = candidate({});
    const there = { ...known, gpuLoad: load, gpuLoadElsewhere: elsewhere };
    expect(gpuLoad.score({ ...place, view: there }, context)).toBeCloseTo(score);
  });

  test.each([
    [0, 1],
    [25, 0.75],
    [100, 0],
    [undefined, 0.5],
    [140, 0],
  ])('rates a load of %s %% with %s', (gpu, score) => {
    expect(gpuLoad.score(candidate(gpu === undefined ? {} : { gpu }), context)).toBe(score);
  });
});

describe('requests-and-gpu-load', () => {
  test('prefers one request at 30 % to three at 50 % and five at 80 %', () => {
    ratesAbove(requestsAndGpuLoad, { all: 1, gpu: 30 }, { all: 3, gpu: 50 });
    ratesAbove(requestsAndGpuLoad, { all: 3, gpu: 50 }, { all: 5, gpu: 80 });
  });

  test('counts a request as ten percent', () => {
    const scores = [
      { all: 2, gpu: 50 },
      { all: 7, gpu: 0 },
      { all: 0, gpu: 70 },
    ].map((place) => requestsAndGpuLoad.score(candidate(place), context));
    expect(new Set(scores).size).toBe(1);
  });

  test('takes an unknown load for half', () => {
    ratesAbove(requestsAndGpuLoad, { gpu: 49 }, {});
    ratesAbove(requestsAndGpuLoad, {}, { gpu: 51 });
  });
});

describe('pickers among equals', () => {
  const equals = ['b1', 'b2', 'b3'].map((id) => ({ candidate: candidate({}, id), total: 1 }));
  const worse = { candidate: candidate({}, 'worse'), total: 0.5 };
  const state = { random: createRandom(4), nextTurn: () => 1 };

  test('first-best takes the first, also behind a worse one', () => {
    for (let n = 0; n < 20; n += 1)
      expect(firstBest.pick([worse, ...equals], state, context)?.candidate.view.id).toBe('b1');
  });

  test('random-best takes each about as often, and never a worse one', () => {
    const counts = new Map<string, number>();
    for (let n = 0; n < 3000; n += 1) {
      const id = randomBest.pick([worse, ...equals], state, context)?.candidate.view.id ?? '';
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    expect([...counts.keys()].sort()).toEqual(['b1', 'b2', 'b3']);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });
});
