/** Shares by weight, without memory. */
import { definePicker } from '../../policy.ts';

export const weightedRandom = definePicker({
  name: 'weighted-random',
  summary: 'At random, in proportion to the `weight` of the backends. Scores are not looked at.',
  pick(scored, { random }) {
    let total = 0;
    for (const { candidate } of scored) total += candidate.view.weight;
    let rest = random.next() * total;
    for (const one of scored) {
      rest -= one.candidate.view.weight;
      if (rest < 0) return one;
    }
    return scored.at(-1);
  },
});
