/** The best one; equals by lot. */
import { definePicker } from '../../policy.ts';

export const randomBest = definePicker({
  name: 'random-best',
  summary: 'The highest score. Of equals one at random.',
  pick(scored, { random }) {
    let total = -Infinity;
    for (const one of scored) if (one.total > total) total = one.total;
    const best = scored.filter((one) => one.total === total);
    return best.length > 1 ? best[Math.floor(random.next() * best.length)] : best[0];
  },
});
