import { describe, expect, test } from 'vitest';
import { configSchema } from '../config/schema.ts';
import type { BackendView } from '../domain/backend-view.ts';
import { composeView, noKnowledge, sameView } from './compose-view.ts';

interface Told {
  readonly slots?: number;
  readonly slotsPerModel?: number;
  /** What the engine says of itself. */
  readonly engine?: number;
}

function compose({ engine, ...written }: Told): BackendView {
  const { backends } = configSchema.parse({ backends: { b: { url: 'http://b', ...written } } });
  const config = backends['b'];
  if (config === undefined) throw new Error('No backend');
  return composeView({
    id: 'b',
    config,
    defaults: { slots: 1, modelsMax: undefined },
    health: { state: 'live', epoch: 0 } as Parameters<typeof composeView>[0]['health'],
    draining: false,
    known: { ...noKnowledge, slotsTotal: engine },
    failing: new Set(),
    slotsUsual: 4,
    sharesPrompts: false,
    gpuLoad: undefined,
    gpuLoadElsewhere: undefined,
  });
}

describe('slots of a backend', () => {
  test.each<[string, Told, number]>([
    ['what the kind of engine usually has', {}, 4],
    ['what the engine says', { engine: 8 }, 8],
    ['what is configured, whatever the engine says', { slots: 2, engine: 8 }, 2],
    ['what the engine says, also with slots by model', { slotsPerModel: 2, engine: 8 }, 8],
    ['without end where only those by model are known', { slotsPerModel: 2 }, 65_536],
  ])('are %s', (_, told, slotsTotal) => {
    expect(compose(told).slotsTotal).toBe(slotsTotal);
  });
});

test('a view differs by slots per model, by the load of the GPUs and by what failed there', () => {
  const view = compose({ slotsPerModel: 2 });
  expect(sameView(view, compose({ slotsPerModel: 2 }))).toBe(true);
  expect(sameView(view, { ...view, modelSlotsMax: 3 })).toBe(false);
  expect(sameView(view, { ...view, gpuLoad: 10 })).toBe(false);
  expect(sameView(view, { ...view, gpuLoadElsewhere: 10 })).toBe(false);
  expect(sameView(view, { ...view, distrusted: new Set(['m']) })).toBe(false);
});
