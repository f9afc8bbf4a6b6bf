/** Random histories: settings, fleets and what happens to them, for the book-keeper of laws.ts to replay. */
import fc from 'fast-check';
import { pickers, scorers } from '../../src/scheduler/policies/index.ts';
import { createGroupPlanner } from '../../src/scheduler/residency/groups.ts';
import { compileMatrix } from '../../src/scheduler/residency/matrix/compile.ts';
import { createMemoryPlanner } from '../../src/scheduler/residency/memory.ts';
import { createMatrixPlanner } from '../../src/scheduler/residency/matrix/planner.ts';
import type { ResidencyPlanner } from '../../src/scheduler/residency/planner.ts';
import type { SchedulerSettings } from '../../src/scheduler/settings.ts';
import { processIds, processModels } from './fake-processes.ts';
import { backendIds, modelNames } from './laws.ts';
import type { Step } from './laws.ts';
import { promptOf } from './prompts.ts';

const model = fc.constantFrom(...modelNames);
const backend = fc.nat(backendIds.length - 1);
const report = fc.constantFrom(
  undefined,
  { tokens: 0, cachedTokens: undefined },
  { tokens: 100, cachedTokens: 0 },
  { tokens: 100, cachedTokens: 90 },
);

/** Worth waiting for where it is cached. */
const longText = 'a long text about llamas';

export const arrive: fc.Arbitrary<Step> = fc
  .record({
    model: fc.oneof({ weight: 12, arbitrary: model }, fc.constantFrom(undefined, 'nobody-has-it')),
    flow: fc.constantFrom('f0', 'f1', 'f2'),
    priority: fc.constantFrom(0, 1, 1, 1, 2),
    session: fc.constantFrom(undefined, 's0', 's1'),
    prompt: fc.constantFrom(
      undefined,
      ...['ab', 'abc', 'abcd', 'abx', 'xyz', longText, `${longText}more`].map(promptOf),
    ),
    tokensEstimated: fc.constantFrom(0, 100, 9000),
    slotless: fc.constantFrom(false, false, false, false, true),
    namesSlot: fc.constantFrom(true, true, true, false),
    only: fc.constantFrom(undefined, undefined, undefined, new Set(['b0', 'b1'])),
  })
  .map(({ only, prompt, ...fields }) => ({
    do: 'arrive',
    fields: { ...fields, ...(only && { only }), ...(prompt && { prompt }) },
  }));

const change: fc.Arbitrary<Step> = fc
  .record({
    backend,
    fields: fc.record(
      {
        state: fc.constantFrom('live', 'live', 'live', 'live', 'degraded', 'dead', 'draining', 'unknown'),
        models: fc.uniqueArray(model, { minLength: 1 }),
        loaded: fc.uniqueArray(model),
        slotsTotal: fc.integer({ min: 1, max: 4 }),
        slotIds: fc.constantFrom(undefined, 1, 2, 4, 4),
        modelSlotsMax: fc.constantFrom(undefined, undefined, 1, 2),
        gpuLoad: fc.constantFrom(undefined, 0, 40, 100),
        sharesPrompts: fc.boolean(),
        modelsMax: fc.constantFrom(undefined, 1, 2),
        distrusted: fc.constantFrom(undefined, undefined, new Set(['x']), new Set(['x', 'y'])),
        contextTokens: fc.constantFrom({}, { x: 4096 }, { x: 4096, y: 8192 }),
        epoch: fc.nat(2),
      },
      { requiredKeys: [] },
    ),
    busy: fc.constantFrom(undefined, undefined, 0, 1, 3),
  })
  .map((fields) => ({ do: 'change', ...fields }));

export const settings: fc.Arbitrary<Partial<SchedulerSettings>> = fc.record(
  {
    ordering: fc.constantFrom('fifo', 'fair'),
    scorers: fc.uniqueArray(fc.constantFrom(...scorers.map(({ name }) => ({ name, weight: 2 }))), {
      selector: ({ name }) => name,
    }),
    picker: fc.constantFrom(...pickers.map(({ name }) => name)),
    queueMax: fc.constantFrom(0, 3, 1000),
    slotsAreSoft: fc.constantFrom(false, false, true),
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
    // Room for nothing, for five blocks, for all.
    promptBytesMax: fc.constantFrom(0, 300, 16 * 1024),
    promptPatienceMs: fc.constantFrom(0, 300, 5000),
    promptBonusMs: fc.constantFrom(0, 500, 60_000),
    promptLoadFactor: fc.constantFrom(1, 1.25, Infinity),
    namesSlots: fc.boolean(),
    decisionCandidatesMax: fc.constantFrom(1, 3),
  },
  { requiredKeys: [] },
);

export const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 400, arbitrary: arrive },
  {
    weight: 250,
    arbitrary: fc.record({
      do: fc.constant('finish'),
      nth: fc.nat(20),
      lingers: fc.boolean(),
      prompt: report,
    }),
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

const longPrompt = fc.constantFrom(longText, `${longText}more`, `${longText}less`).map(promptOf);

/** As `settings`, for engines whose caches are worth waiting for; and steps that fill them. */
export const settingsWithPatience: fc.Arbitrary<Partial<SchedulerSettings>> = fc
  .tuple(settings, fc.constantFrom(300, 5000), fc.constantFrom(0, 60_000))
  .map(([fields, promptPatienceMs, promptBonusMs]) => ({
    ...fields,
    scorers: [{ name: 'prefix-affinity', weight: 2 }],
    promptBytesMax: 16 * 1024,
    promptLoadFactor: Infinity,
    promptPatienceMs,
    promptBonusMs,
  }));

/** Two backends that have served a long prompt and told that its cache helped. */
export const warmedUp: readonly Step[] = [
  ...[0, 1].map((at) => ({
    do: 'change' as const,
    backend: at,
    fields: { state: 'live' as const, models: ['x'], loaded: ['x'], slotsTotal: 1, contextTokens: {} },
    busy: 0,
  })),
  ...[0, 90, 90, 90].flatMap((cachedTokens): Step[] => [
    { do: 'arrive', fields: { model: 'x', prompt: promptOf(longText) } },
    { do: 'finish', nth: 0, lingers: false, prompt: { tokens: 100, cachedTokens } },
  ]),
];

export const stepWithPrompts: fc.Arbitrary<Step> = fc.tuple(step, longPrompt).map(([one, prompt]) => {
  if (one.do === 'arrive') return { ...one, fields: { ...one.fields, model: 'x', prompt } };
  if (one.do === 'finish') return { ...one, prompt: { tokens: 100, cachedTokens: 90 } };
  return one.do === 'configure' ? { do: 'pass', ms: 1 } : one;
});

export const fleet: fc.Arbitrary<readonly Step[]> = fc.array(change, { minLength: 1, maxLength: 4 });

const processModel = fc.constantFrom(...processModels);
const process = fc.nat(processIds.length - 1);
const backoffMs = fc.constantFrom(undefined, undefined, undefined, 0, 700, 5000);

const planner: fc.Arbitrary<ResidencyPlanner | undefined> = fc.oneof(
  fc.constant(undefined),
  fc
    .constantFrom(['p0 | p1 | p2 | p3'], ['p0 & p1', 'p2 & p3'], ['(p0 | p1) & (p2 | p3)', 'p0 & p1'])
    .map((sets) => {
      const program = compileMatrix({
        vars: new Map(),
        sets: new Map(sets.map((set, index) => [`set${index}`, set])),
        isModel: () => true,
      });
      return createMatrixPlanner({ program, evictCosts: new Map() });
    }),
  fc
    .record({
      of: fc.tuple(...processIds.map(() => fc.nat(2))),
      flags: fc.array(fc.record({ swap: fc.boolean(), exclusive: fc.boolean(), persistent: fc.boolean() }), {
        minLength: 3,
        maxLength: 3,
      }),
    })
    .map(({ of, flags }) =>
      createGroupPlanner(
        flags.map((flag, index) => ({
          name: `g${index}`,
          members: processIds.filter((_id, at) => of[at] === index),
          ...flag,
        })),
      ),
    ),
  fc
    .record({
      ramBytes: fc.integer({ min: 3, max: 8 }),
      needs: fc.tuple(
        ...processIds.map(() => fc.option(fc.integer({ min: 0, max: 4 }), { nil: undefined, freq: 8 })),
      ),
    })
    .map(({ ramBytes, needs }) =>
      createMemoryPlanner({
        budget: { ramBytes },
        needOf: (id) => ({
          vramBytes: undefined,
          ramBytes: needs[processIds.findIndex((known) => known === id)],
        }),
      }),
    ),
);

const processSettings: fc.Arbitrary<Partial<SchedulerSettings>> = fc
  .record({
    planner,
    swapPatienceMs: fc.constantFrom(0, 700, 5000, Infinity),
    swapHold: fc.constantFrom(0, 0, 1, 5),
    queueTimeoutMs: fc.constantFrom(5000, 300_000, Infinity),
    admissionLimits: fc.constantFrom(new Map(), new Map([['u', 2]]), new Map([['w', 5]])),
    lingerMsMax: fc.constantFrom(0, 2000),
    ordering: fc.constantFrom<'fifo' | 'fair'>('fifo', 'fair'),
    priorityAgeingMs: fc.constantFrom(300, 5000, Infinity),
  })
  .map(({ planner: host, ...others }) => ({
    ...others,
    residency: host === undefined ? new Map() : new Map([['host', host]]),
  }));

const put: fc.Arbitrary<Step> = fc
  .record({
    process,
    traits: fc.record({
      names: fc.uniqueArray(processModel, { minLength: 1, maxLength: 2 }),
      slotsTotal: fc.integer({ min: 1, max: 3 }),
      ttlMs: fc.constantFrom(0, 0, 900, 20_000),
      unloadTimeoutMs: fc.constantFrom(0, 1000),
    }),
  })
  .map((fields) => ({ do: 'put', ...fields }));

const processArrive: fc.Arbitrary<Step> = fc
  .record({
    model: processModel,
    flow: fc.constantFrom('f0', 'f1'),
    priority: fc.constantFrom(0, 1, 1, 1),
    slotless: fc.constantFrom(false, false, false, false, true),
    only: fc.constantFrom(undefined, undefined, undefined, undefined, new Set(['p0', 'p1', 'b0'])),
  })
  .map(({ only, ...fields }) => ({ do: 'arrive', fields: { ...fields, ...(only && { only }) } }));

/** What happens to processes; static backends that serve the same models come and go beside them. */
const processStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 350, arbitrary: processArrive },
  { weight: 300, arbitrary: fc.record({ do: fc.constant('answer'), nth: fc.nat(9), backoffMs }) },
  { weight: 40, arbitrary: fc.record({ do: fc.constant('crash'), nth: fc.nat(9), backoffMs }) },
  { weight: 25, arbitrary: fc.record({ do: fc.constant('unload'), process }) },
  { weight: 20, arbitrary: put },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('remove process'), process }) },
  {
    weight: 20,
    arbitrary: fc.record({
      do: fc.constant('tell late'),
      process,
      state: fc.constantFrom('live', 'stopped', 'starting'),
    }),
  },
  {
    weight: 15,
    arbitrary: processSettings.map((changed) => ({ do: 'configure', settings: changed }) as const),
  },
  {
    weight: 20,
    arbitrary: fc.record({
      do: fc.constant('change'),
      backend: fc.constant(0),
      fields: fc.record({
        state: fc.constantFrom('live', 'dead', 'dead'),
        models: fc.uniqueArray(processModel, { minLength: 1, maxLength: 2 }),
      }),
      busy: fc.constant(undefined),
    }),
  },
);

export interface ProcessHistory {
  readonly initial: Partial<SchedulerSettings>;
  readonly steps: readonly Step[];
}

/** Processes alone, or among everything else that happens. */
export const processHistory: fc.Arbitrary<ProcessHistory> = fc
  .record({
    initial: processSettings,
    fleet: fc.uniqueArray(put, {
      minLength: 2,
      maxLength: 4,
      selector: (one) => ('process' in one ? one.process : -1),
    }),
    steps: fc.array(fc.oneof({ weight: 3, arbitrary: processStep }, { weight: 2, arbitrary: step }), {
      maxLength: 120,
      size: 'max',
    }),
  })
  .map(({ initial, fleet: processes, steps }) => ({ initial, steps: [...processes, ...steps] }));
