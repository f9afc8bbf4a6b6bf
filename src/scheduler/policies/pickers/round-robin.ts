/** Turns, whatever the scores. */
import { definePicker } from '../../policy.ts';

export const roundRobin = definePicker({
  name: 'round-robin',
  summary: 'Backends take turns, per model, in the order of the configuration. Scores are not looked at.',
  pick: (scored, state) => (scored.length === 0 ? undefined : scored[state.nextTurn() % scored.length]),
});
