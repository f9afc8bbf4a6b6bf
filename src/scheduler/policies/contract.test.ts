import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRandom } from '../../base/random.ts';
import { facts, view } from '../../../test/scheduler/rig.ts';
import type { Candidate, PlacementContext, PickerState, Scored } from '../policy.ts';
import { presets } from '../presets.ts';
import { filters, pickers, scorers } from './index.ts';
import { firstBest } from './pickers/first-best.ts';

const name = fc.constantFrom('x', 'y', 'z');
const turn = fc.record({ priorityClass: fc.integer({ min: -3, max: 3 }), tag: fc.nat(9), seq: fc.nat(99) });
const number = fc.double({ noNaN: true, noDefaultInfinity: true });

const candidate: fc.Arbitrary<Candidate> = fc.record({
  view: fc
    .record({
      state: fc.constantFrom('unknown', 'live', 'degraded', 'dead', 'draining'),
      models: fc.uniqueArray(name),
      loaded: fc.uniqueArray(name),
      distrusted: fc.uniqueArray(name).map((names) => new Set(names)),
      slotsTotal: fc.integer({ min: 1, max: 65_536 }),
      modelSlotsMax: fc.option(fc.integer({ min: 1, max: 8 }), { nil: undefined }),
      gpuLoad: fc.option(fc.double({ min: 0, max: 100, noNaN: true }), { nil: undefined }),
      modelsMax: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
      weight: fc.double({ min: 1e-9, max: 1e12, noNaN: true }),
      priority: number,
      contextTokens: fc.dictionary(name, fc.nat(100_000)),
    })
    .chain((fields) => fc.constantFrom('b1', 'b2', 'b3').map((id) => view(id, fields))),
  model: fc.option(name, { nil: undefined }),
  inFlight: fc.nat(100_000),
  inFlightOfModel: fc.nat(5),
  modelsInFlight: fc.nat(5),
  free: fc.integer({ min: -100_000, max: 100_000 }),
  isClosing: fc.boolean(),
  stickyTo: fc.option(name, { nil: undefined }),
  isWarm: fc.boolean(),
  contextTokens: fc.option(fc.nat(100_000), { nil: undefined }),
  claim: fc.option(fc.record({ model: fc.option(name, { nil: undefined }), turn }), { nil: undefined }),
});

const context: fc.Arbitrary<PlacementContext> = fc.record({
  request: fc
    .record({
      model: fc.option(name, { nil: undefined }),
      slotless: fc.boolean(),
      tokensEstimated: fc.nat(1_000_000),
      only: fc.constantFrom(undefined, new Set(['b1'])),
    })
    .map(({ only, ...fields }) => facts('r', { ...fields, ...(only && { only }) })),
  turn,
  failedOn: fc.constantFrom(new Set<string>(), new Set(['b2'])),
  nowMs: fc.nat(),
  awaited: fc.constantFrom(undefined, undefined, 'b1'),
  sessionBackend: fc.constantFrom(undefined, 'b1', 'b1', 'gone'),
  prompts: fc.option(
    fc.record({
      cachedShares: fc
        .double({ min: 0, max: 1, noNaN: true })
        .map((share): ReadonlyMap<string, number> => new Map([['b1', share]])),
      usedShare: fc.double({ min: 0, max: 2, noNaN: true }),
      loadFactor: fc.constantFrom(1, 1.25, Infinity),
    }),
    { nil: undefined },
  ),
  modelInFlight: fc.nat(5),
  modelLimit: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }),
  hasTrusted: fc.boolean(),
  slotsAreSoft: fc.boolean(),
});

function createState(seed: number): PickerState {
  let turns = 0;
  return {
    random: createRandom(seed),
    nextTurn() {
      turns += 1;
      return turns - 1;
    },
  };
}

const policies = [...filters, ...scorers, ...pickers];

test('policies have unique names and say what they do in a sentence', () => {
  expect(new Set(policies.map((policy) => `${policy.kind} ${policy.name}`)).size).toBe(policies.length);
  for (const policy of policies) {
    expect(policy.name).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(policy.summary).toMatch(/^[A-Z0-9w].*\.$/);
  }
});

test('presets name policies that exist, with weights above zero', () => {
  for (const preset of Object.values(presets)) {
    expect(pickers.map((picker) => picker.name)).toContain(preset.picker);
    for (const { name: scorer, weight } of preset.scorers) {
      expect(scorers.map((one) => one.name)).toContain(scorer);
      expect(weight).toBeGreaterThan(0);
    }
  }
});

describe.each(filters)('filter $name', (filter) => {
  test('answers the same again and changes nothing', () => {
    fc.assert(
      fc.property(candidate, context, (one, about) => {
        const before = structuredClone([one, about]);
        const answer = filter.accepts(one, about);
        expect(typeof answer).toBe('boolean');
        expect(filter.accepts(one, about)).toBe(answer);
        expect([one, about]).toEqual(before);
      }),
      { numRuns: 50 },
    );
  });

  test('accepts everything for a request that it does not concern', () => {
    fc.assert(
      fc.property(candidate, context, (one, about) => {
        expect((filter.concerns?.(about) ?? true) || filter.accepts(one, about)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  test('accepts and refuses something', () => {
    const answers = new Set(
      fc
        .sample(fc.tuple(candidate, context), { numRuns: 2000, seed: 3 })
        .map((one) => filter.accepts(...one)),
    );
    expect(answers).toEqual(new Set([true, false]));
  });
});

describe.each(scorers)('scorer $name', (scorer) => {
  test('gives a finite number from 0 to 1, the same again, and changes nothing', () => {
    fc.assert(
      fc.property(candidate, context, (one, about) => {
        const before = structuredClone([one, about]);
        const score = scorer.score(one, about);
        expect(score).toBeGreaterThanOrEqual(0);
        expect(score).toBeLessThanOrEqual(1);
        expect(scorer.score(one, about)).toBe(score);
        expect([one, about]).toEqual(before);
      }),
      { numRuns: 200 },
    );
  });

  test('gives 0 for a request that it does not concern', () => {
    fc.assert(
      fc.property(candidate, context, (one, about) => {
        expect((scorer.concerns?.(about) ?? true) || scorer.score(one, about) === 0).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  test('tells backends apart', () => {
    const sampled = fc.sample(fc.tuple(candidate, context), { numRuns: 500, seed: 3 });
    expect(new Set(sampled.map((one) => scorer.score(...one))).size).toBeGreaterThan(1);
  });
});

describe.each([...filters, ...scorers].filter(({ looksAt }) => looksAt !== 'request'))(
  '$kind $name does not look at the request',
  (policy) => {
    test('says the same of it to every request that takes a slot', () => {
      fc.assert(
        fc.property(candidate, context, context, (one, about, other) => {
          const [first, second] = [about, other].map((each) => ({
            ...each,
            request: { ...each.request, slotless: false },
            slotsAreSoft: about.slotsAreSoft,
          }));
          if (first === undefined || second === undefined) return;
          if (policy.kind === 'filter') {
            expect(policy.accepts(one, second)).toBe(policy.accepts(one, first));
          } else expect(policy.score(one, second)).toBe(policy.score(one, first));
        }),
        { numRuns: 300 },
      );
    });
  },
);

describe.each([...filters, ...scorers].filter(({ looksAt }) => looksAt === 'backend'))(
  '$kind $name looks at the backend alone',
  (policy) => {
    test('says the same of it for every model', () => {
      fc.assert(
        fc.property(candidate, candidate, context, (one, { model, inFlightOfModel, ...other }, about) => {
          const { isWarm, contextTokens } = other;
          const same = { ...one, model, inFlightOfModel, isWarm, contextTokens };
          if (policy.kind === 'filter') {
            expect(policy.accepts(same, about)).toBe(policy.accepts(one, about));
          } else expect(policy.score(same, about)).toBe(policy.score(one, about));
        }),
        { numRuns: 300 },
      );
    });
  },
);

describe.each(pickers)('picker $name', (picker) => {
  const scored: fc.Arbitrary<readonly Scored[]> = fc.array(
    fc.record({ candidate, total: fc.double({ min: 0, max: 10, noNaN: true }) }),
    { minLength: 1, maxLength: 8 },
  );

  test('picks one of those given, the same with the same seed, and changes nothing', () => {
    fc.assert(
      fc.property(scored, context, fc.nat(), (given, about, seed) => {
        const before = structuredClone([given, about]);
        const picked = picker.pick(given, createState(seed), about);
        expect(given).toContain(picked);
        expect(picker.pick(given, createState(seed), about)).toBe(picked);
        expect([given, about]).toEqual(before);
      }),
      { numRuns: 100 },
    );
  });

  test('picks nothing when nothing is given', () => {
    const about = fc.sample(context, 1)[0];
    if (about !== undefined) expect(picker.pick([], createState(1), about)).toBeUndefined();
  });
});

test.each(pickers.filter((picker) => picker !== firstBest))(
  'picker $name gives each of several equals its turn',
  (picker) => {
    const [about] = fc.sample(context, 1);
    const [one] = fc.sample(candidate, 1);
    if (about === undefined || one === undefined) throw new Error('No sample');
    const equals = ['b1', 'b2', 'b3'].map((id) => ({ candidate: { ...one, view: view(id) }, total: 1 }));
    const state = createState(5);
    const counts = new Map<string, number>();
    for (let n = 0; n < 300; n += 1) {
      const id = picker.pick(equals, state, about)?.candidate.view.id ?? '';
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    for (const id of ['b1', 'b2', 'b3']) expect(counts.get(id)).toBeGreaterThan(60);
  },
);

test('max-score does not depend on the order when one is best', () => {
  const [about] = fc.sample(context, 1);
  const [one] = fc.sample(candidate, 1);
  if (about === undefined || one === undefined) throw new Error('No sample');
  const state = { random: createRandom(1), nextTurn: () => 7 };
  const given = [1, 3, 2].map((total) => ({ candidate: one, total }));
  const picker = pickers.find((policy) => policy.name === 'max-score');
  for (const order of [given, given.toReversed(), given.toSorted((a, b) => a.total - b.total)]) {
    expect(picker?.pick(order, state, about)?.total).toBe(3);
  }
});

test('weighted-random shares in proportion to the weights', () => {
  const [about] = fc.sample(context, 1);
  const [one] = fc.sample(candidate, 1);
  if (about === undefined || one === undefined) throw new Error('No sample');
  const given = [1, 3].map((weight) => ({
    candidate: { ...one, view: view(`w${weight}`, { weight }) },
    total: 0,
  }));
  const state = { random: createRandom(9), nextTurn: () => 0 };
  const picker = pickers.find((policy) => policy.name === 'weighted-random');
  let heavy = 0;
  for (let n = 0; n < 4000; n += 1) if (picker?.pick(given, state, about) === given[1]) heavy += 1;
  expect(heavy / 4000).toBeGreaterThan(0.7);
  expect(heavy / 4000).toBeLessThan(0.8);
});
