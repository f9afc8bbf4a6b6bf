/** Gives the follow-ups of a conversation time to arrive before its model is swapped out. */
import { defineFilter } from '../../policy.ts';

export const sticky = defineFilter({
  name: 'sticky',
  looksAt: 'seat',
  summary:
    'Within `stickyDelay` after its last request, a backend that swaps models takes only the model it served, or one that is loaded beside it.',
  accepts: ({ stickyTo, model, view }, { request }) =>
    request.slotless ||
    stickyTo === undefined ||
    model === undefined ||
    model === stickyTo ||
    // With room for one model, a listing that still names another one is only late.
    (view.modelsMax !== 1 && view.loaded.has(model)),
});
