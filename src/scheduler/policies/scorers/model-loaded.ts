/** Avoids loading what is loaded elsewhere. */
import { defineScorer } from '../../policy.ts';

export const modelLoaded = defineScorer({
  name: 'model-loaded',
  looksAt: 'seat',
  summary: '1 when the model is in memory there or runs there, else 0.',
  score: ({ isWarm }) => (isWarm ? 1 : 0),
});
