/** Bounds the wait for a model that others keep out: the backend finishes what it has and then swaps. */
import { defineFilter } from '../../policy.ts';
import { compareTurns } from '../../turn.ts';

export const claimed = defineFilter({
  name: 'claimed',
  summary:
    'A backend that a starving model has claimed takes nobody of another model whose turn is later, except within its last sticky window.',
  accepts: ({ claim, model, stickyTo }, { request, turn }) =>
    request.slotless ||
    claim === undefined ||
    model === undefined ||
    model === claim.model ||
    model === stickyTo ||
    compareTurns(turn, claim.turn) < 0,
});
