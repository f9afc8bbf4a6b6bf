/** Nothing new where the operator wants to stop. */
import { defineFilter } from '../../policy.ts';

export const notDraining = defineFilter({
  name: 'not-draining',
  looksAt: 'backend',
  summary: 'The backend is not being drained.',
  accepts: ({ view }) => view.state !== 'draining',
});
