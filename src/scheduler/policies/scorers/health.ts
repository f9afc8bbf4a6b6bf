/** Prefers backends without recent trouble. */
import { defineScorer } from '../../policy.ts';

export const health = defineScorer({
  name: 'health',
  looksAt: 'backend',
  summary: '1 for a live backend, 0.5 for a degraded one.',
  score: ({ view }) => (view.state === 'live' ? 1 : view.state === 'degraded' ? 0.5 : 0),
});
