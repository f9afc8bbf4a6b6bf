/** Spreads requests by our own use of each backend. */
import { defineScorer } from '../../policy.ts';

export const utilisation = defineScorer({
  name: 'utilisation',
  looksAt: 'backend',
  summary: '1 when nothing of ours runs there, 0 when our requests fill every slot.',
  score: ({ inFlight, view }) => Math.min(1, Math.max(0, 1 - inFlight / view.slotsTotal)),
});
