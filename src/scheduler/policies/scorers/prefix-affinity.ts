/** Sends a prompt where most of it is cached, unless too many are there already. */
import { defineScorer } from '../../policy.ts';

export const prefixAffinity = defineScorer({
  name: 'prefix-affinity',
  looksAt: 'request',
  summary:
    'Share of the prompt that is cached there, by what the backend was sent and what its engine said of it. 0 where more of ours runs than `affinity.prefix.loadFactor` × its part of all, and one more.',
  score({ view, inFlight }, { prompts }) {
    if (prompts === undefined || inFlight > prompts.loadFactor * prompts.usedShare * view.slotsTotal + 1) {
      return 0;
    }
    return prompts.cachedShares.get(view.id) ?? 0;
  },
  concerns: ({ prompts }) => prompts !== undefined && prompts.cachedShares.size > 0,
});
