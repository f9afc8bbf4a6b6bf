/** Spreads requests by the room that is left. */
import { defineScorer } from '../../policy.ts';

export const freeSlotShare = defineScorer({
  name: 'free-slot-share',
  looksAt: 'backend',
  summary: 'Free slots, also of use by others, as a share of all slots.',
  score: ({ free, view }) => Math.min(1, Math.max(0, free / view.slotsTotal)),
});
