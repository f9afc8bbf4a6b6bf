/** One loaded model: its slots and its numbers. */
import type { Timers } from '../timers.ts';
import type { SimEngineOptions, SimModel } from './options.ts';
import { SlotPool } from './slot-pool.ts';

export interface Runner {
  readonly model: SimModel;
  readonly pool: SlotPool;
  readonly loadedAtS: number;
}

/** `idle` is called whenever the last request has left. */
export function createRunner(
  model: SimModel,
  options: SimEngineOptions,
  { timers, idle }: { readonly timers: Timers; readonly idle: () => void },
): Runner {
  const pool = new SlotPool({
    slots: options.slots,
    promptTokensPerS: model.promptTokensPerS,
    tokensPerS: model.tokensPerS,
    sharing: options.sharing ?? 0.5,
    timers,
    idle,
  });
  return { model, pool, loadedAtS: Math.floor(timers.epochMs() / 1000) };
}
