/** Where a model is warm first, then where anything is free: least requests win among like places. */
import { defineScorer } from '../../policy.ts';
import { rateByRoom } from '../room.ts';

export const loadedThenFree = defineScorer({
  name: 'loaded-then-free',
  looksAt: 'seat',
  summary:
    'Backends that have the model loaded and room for it rate above those that have room, and these above full ones. Among the first and the last the fewest requests of the model win, among the second the fewest requests of all.',
  score: (candidate) =>
    rateByRoom(candidate, {
      loaded: candidate.inFlightOfModel,
      free: candidate.inFlight,
      full: candidate.inFlightOfModel,
    }),
});
