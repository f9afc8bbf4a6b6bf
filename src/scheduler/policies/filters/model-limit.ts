/** Caps one model over the whole fleet. */
import { defineFilter } from '../../policy.ts';

export const modelLimit = defineFilter({
  name: 'model-limit',
  looksAt: 'request',
  summary: 'Fewer requests of the model are in flight, over all backends, than `modelLimits` allows.',
  accepts: (_, { request, modelInFlight, modelLimit: limit }) =>
    request.slotless || limit === undefined || modelInFlight < limit,
  concerns: ({ modelLimit: limit }) => limit !== undefined,
});
