/** Keeps a conversation where its prompt is cached, as long as the cache can still be there. */
import { defineScorer } from '../../policy.ts';
import { hasRoom } from '../room.ts';

export const warmSession = defineScorer({
  name: 'warm-session',
  looksAt: 'request',
  summary:
    '1 for the backend where this conversation went last if the model is still loaded there and has room, else 0.',
  score: (candidate, { sessionBackend }) =>
    candidate.view.id === sessionBackend && candidate.isWarm && hasRoom(candidate) ? 1 : 0,
  concerns: ({ sessionBackend }) => sessionBackend !== undefined,
});
