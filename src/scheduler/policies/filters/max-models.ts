/** Never starts a model that would make the engine evict one that is running. */
import { defineFilter } from '../../policy.ts';

export const maxModels = defineFilter({
  name: 'max-models',
  looksAt: 'seat',
  summary: 'The model runs there already, or fewer than `maxModels` models do. Idle models may be evicted.',
  accepts: (candidate, { request }) =>
    request.slotless ||
    candidate.model === undefined ||
    candidate.view.modelsMax === undefined ||
    candidate.modelsInFlight < candidate.view.modelsMax ||
    candidate.inFlightOfModel > 0,
});
