/** Keeps a conversation where its prompt is cached. */
import { defineScorer } from '../../policy.ts';

export const sessionAffinity = defineScorer({
  name: 'session-affinity',
  looksAt: 'request',
  summary: '1 for the backend where this conversation went last, else 0.',
  score: ({ view }, { sessionBackend }) => (view.id === sessionBackend ? 1 : 0),
  concerns: ({ sessionBackend }) => sessionBackend !== undefined,
});
