/** Fewest requests per unit of weight, whatever the number of slots. */
import { defineScorer } from '../../policy.ts';

export const queueDepth = defineScorer({
  name: 'queue-depth',
  looksAt: 'backend',
  summary: '1 / (1 + our requests there / `weight`): prefers the backend with the least work for its weight.',
  score: ({ inFlight, view }) => 1 / (1 + Math.max(0, inFlight) / view.weight),
});
