/** The best one; equals take turns. */
import { definePicker } from '../../policy.ts';
import type { Scored } from '../../policy.ts';

export const maxScore = definePicker({
  name: 'max-score',
  summary: 'The highest score. Equals take turns, per model, in the order of the configuration.',
  pick(scored, state) {
    let best: Scored[] = [];
    let bestTotal = -Infinity;
    for (const one of scored) {
      if (one.total < bestTotal) continue;
      if (one.total > bestTotal) best = [];
      bestTotal = one.total;
      best.push(one);
    }
    const turn = best.length > 1 ? state.nextTurn() : 0;
    return best[turn % best.length];
  },
});
