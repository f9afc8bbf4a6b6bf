/** A fixed order by the operator: fill the first before the second. */
import { defineScorer } from '../../policy.ts';

export const priority = defineScorer({
  name: 'priority',
  looksAt: 'backend',
  summary: 'Higher for a lower `priority` of the backend: 0.5 at 0, 0.75 at -1, 0.25 at 1.',
  score: ({ view }) => 0.5 - Math.atan(view.priority) / Math.PI,
});
