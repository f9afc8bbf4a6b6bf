/** The best one; equals take turns. */
import { definePicker } from '../../policy.ts';

export const maxScore = definePicker({
  name: 'max-score',
  summary: 'The highest score. Equals take turns, per model, in the order of the configuration.',
  pick(scored, state) {
    let total = -Infinity;
    for (const one of scored) if (one.total > total) total = one.total;
    const best = scored.filter((one) => one.total === total);
    return best.length > 1 ? best[state.nextTurn() % best.length] : best[0];
  },
});
