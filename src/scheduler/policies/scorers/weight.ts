/** A fixed preference by the operator. */
import { defineScorer } from '../../policy.ts';

export const weight = defineScorer({
  name: 'weight',
  looksAt: 'backend',
  summary: 'weight / (1 + weight) of the `weight` of the backend: 0.5 by default, more for heavier ones.',
  score: ({ view }) => (Number.isFinite(view.weight) ? view.weight / (1 + view.weight) : 1),
});
