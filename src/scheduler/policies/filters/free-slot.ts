/** One request per slot, so that waiting happens here and not inside an engine. */
import { defineFilter } from '../../policy.ts';

export const freeSlot = defineFilter({
  name: 'free-slot',
  summary: 'A slot is free: neither held by a request, nor lingering, nor used by others.',
  accepts: ({ free }, { request }) => request.slotless || free > 0,
});
