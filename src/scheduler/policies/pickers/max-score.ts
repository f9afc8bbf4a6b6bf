/** The best one; equals take turns. */
import { definePicker } from '../../policy.ts';

export const maxScore = definePicker({
  name: 'max-score',
  summary: 'The highest score. Equals take turns, per model, in the order of the configuration.',
  pick(scored, state) {
    let total = -Infinity;
    let equals = 0;
    for (const one of scored) {
      if (one.total > total) {
        total = one.total;
        equals = 1;
      } else if (one.total === total) equals += 1;
    }
    let before = equals > 1 ? state.nextTurn() % equals : 0;
    for (const one of scored) {
      if (one.total !== total) continue;
      if (before === 0) return one;
      before -= 1;
    }
    return undefined;
  },
});
