/** Refuses what cannot work: a prompt that is certainly longer than the context. */
import type { RequestFacts } from '../../../domain/request-facts.ts';
import { defineFilter } from '../../policy.ts';
import type { Candidate } from '../../policy.ts';

/**
 * Tokens that the prompt has at the very least. The estimate counts bytes, so it can be too high by much (text in other
 * scripts, JSON around the words); only half of it is trusted.
 */
export function tokensCertain(request: RequestFacts): number {
  return request.tokensEstimated / 2;
}

export function fitsContext(seat: Pick<Candidate, 'view' | 'model'>, request: RequestFacts): boolean {
  return (
    request.slotless ||
    seat.model === undefined ||
    tokensCertain(request) <= (seat.view.contextTokens.get(seat.model) ?? Infinity)
  );
}

export const contextFits = defineFilter({
  name: 'context-fits',
  summary: 'The prompt is not certainly longer than the context of a slot there (half of its estimate fits).',
  accepts: (candidate, { request }) => fitsContext(candidate, request),
});
