import { expect, test } from 'vitest';
import { createFakeFleet } from '../../test/fake-admin-deps.ts';
import { loadPlan } from './model-plans.ts';

test('loadPlan says that a model can never be loaded, and why', () => {
  const misfit = { resource: 'vram', needBytes: 10, budgetBytes: 4 } as const;
  const { models } = createFakeFleet().deps;
  const plan = loadPlan(
    {
      ...models,
      stateOf: () => 'stopped',
      foreseeLoad: () => ({ isLoaded: false, evicts: [], awaits: [], because: undefined, misfit }),
    },
    'm',
  );
  expect(plan).toMatchObject({ would: 'fail', reason: 'it needs 10 bytes of vram, there are 4' });
});
