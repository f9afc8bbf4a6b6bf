/** One request per slot, so that waiting happens here and not inside an engine. */
import { defineFilter } from '../../policy.ts';

export const freeSlot = defineFilter({
  name: 'free-slot',
  looksAt: 'backend',
  summary:
    'A slot is free: neither held by a request, nor lingering, nor used by others. Not asked for with `slotLimits: soft`.',
  accepts: ({ free }, { request, slotsAreSoft }) => request.slotless || slotsAreSoft || free > 0,
});
