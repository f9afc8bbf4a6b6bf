/** Refuses what cannot work: a prompt that is certainly longer than the context. */
import type { RequestFacts } from '../../../domain/request-facts.ts';
import { defineFilter } from '../../policy.ts';

/**
 * Tokens that the prompt has at the very least. The estimate counts bytes, so it can be too high by much (text in other
 * scripts, JSON around the words); only half of it is trusted.
 */
export function tokensCertain(request: RequestFacts): number {
  return request.tokensEstimated / 2;
}

export function fitsContext(contextTokens: number | undefined, request: RequestFacts): boolean {
  if (request.slotless || request.isTrimmed === true || contextTokens === undefined) return true;
  return tokensCertain(request) <= contextTokens;
}

export const contextFits = defineFilter({
  name: 'context-fits',
  looksAt: 'request',
  summary: 'The prompt is not certainly longer than the context of a slot there (half of its estimate fits).',
  accepts: ({ contextTokens }, { request }) => fitsContext(contextTokens, request),
});
