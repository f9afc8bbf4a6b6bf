/** Caps one model on one backend. */
import { defineFilter } from '../../policy.ts';

export const modelSlots = defineFilter({
  name: 'model-slots',
  looksAt: 'seat',
  summary:
    'Fewer requests of the model run there than its `slotsPerModel` allows. Not asked for with `slotLimits: soft`.',
  accepts: (candidate, { request, slotsAreSoft }) =>
    request.slotless ||
    slotsAreSoft ||
    candidate.view.modelSlotsMax === undefined ||
    candidate.inFlightOfModel < candidate.view.modelSlotsMax,
});
