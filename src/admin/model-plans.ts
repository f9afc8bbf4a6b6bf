/** What loading and unloading by hand would do, told in place of doing it. Changes nothing. */
import type { Context } from 'hono';
import type { ModelName } from '../domain/ids.ts';
import { planQuery, type LoadPlanBody, type UnloadPlanBody } from './contract-models.ts';
import type { ModelControl } from './deps.ts';
import { check } from './routing.ts';

/** `?plan=true` or `x-llamero-plan: true`. @throws LlameroError when it is neither true nor false. */
export function wantsPlan({ req }: Context): boolean {
  const { plan } = check(planQuery, { plan: req.query('plan') ?? req.header('x-llamero-plan') });
  return plan === 'true';
}

export function loadPlan(models: ModelControl, model: ModelName): LoadPlanBody {
  const foresight = models.foreseeLoad(model);
  const need = models.needOf(model);
  const { misfit } = foresight ?? {};
  const reason =
    misfit === undefined
      ? undefined
      : `it needs ${misfit.needBytes} bytes of ${misfit.resource}, there are ${misfit.budgetBytes}`;
  const isNeeded = foresight !== undefined && !foresight.isLoaded;
  return {
    plan: 'load',
    model_id: model,
    state: models.stateOf(model) ?? null,
    would: reason !== undefined ? 'fail' : isNeeded ? 'load' : 'nothing',
    ...(reason !== undefined && { reason }),
    need: { vram_bytes: need?.vramBytes ?? null, ram_bytes: need?.ramBytes ?? null },
    evicts: (foresight?.evicts ?? []).map((one) => ({ model_id: one.model, busy: one.isBusy })),
    awaits: [...(foresight?.awaits ?? [])],
    because: foresight?.because ?? null,
  };
}

export function unloadPlan(models: ModelControl, wanted: readonly ModelName[]): UnloadPlanBody {
  return {
    plan: 'unload',
    models: wanted.map((model) => {
      const state = models.stateOf(model);
      const runs = state === 'ready' || state === 'starting' || state === 'stopping';
      return {
        model_id: model,
        state: state ?? null,
        would: runs ? 'unload' : 'nothing',
        requests: models.requestsOf(model),
      };
    }),
  };
}
