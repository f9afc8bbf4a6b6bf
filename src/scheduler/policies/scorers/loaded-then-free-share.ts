/** As `loaded-then-free`, with load as a share of what a backend takes of the model: bigger ones attract more. */
import { defineScorer } from '../../policy.ts';
import { rateByRoom, slotsOfModel } from '../room.ts';

export const loadedThenFreeShare = defineScorer({
  name: 'loaded-then-free-share',
  looksAt: 'seat',
  summary:
    'Backends that have the model loaded and room for it rate above those that have room, and these above full ones. Among like ones the lowest share in use of the slots for the model wins.',
  score: (candidate) => {
    const share = candidate.inFlightOfModel / slotsOfModel(candidate);
    return rateByRoom(candidate, { loaded: share, free: share, full: share });
  },
});
