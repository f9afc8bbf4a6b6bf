/** The best one; of equals always the same. */
import { definePicker } from '../../policy.ts';

export const firstBest = definePicker({
  name: 'first-best',
  summary: 'The highest score. Of equals the first in the order of the configuration.',
  pick(scored) {
    let best = scored[0];
    for (const one of scored) if (best !== undefined && one.total > best.total) best = one;
    return best;
  },
});
