/** Bounds the wait for a model that others keep out: the backend finishes what it has and then swaps. */
import { defineFilter } from '../../policy.ts';
import { compareTurns } from '../../turn.ts';

export const claimed = defineFilter({
  name: 'claimed',
  looksAt: 'request',
  summary:
    'A backend that a starving model has claimed takes nobody of another model whose turn is later, except within its last sticky window.',
  accepts: (candidate, { request, turn }) => {
    // Looked at first and alone: hardly any backend is claimed.
    const { claim } = candidate;
    if (claim === undefined || request.slotless) return true;
    const { model, stickyTo } = candidate;
    return (
      model === undefined || model === claim.model || model === stickyTo || compareTurns(turn, claim.turn) < 0
    );
  },
});
