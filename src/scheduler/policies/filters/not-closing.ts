/** Lets a process come to its end: nothing new where something else is going to be loaded. */
import { defineFilter } from '../../policy.ts';

export const notClosing = defineFilter({
  name: 'not-closing',
  looksAt: 'backend',
  summary:
    'The process is not being stopped, and does not drain for a model that has waited for its place longer than `maxWait`.',
  accepts: ({ isClosing }) => !isClosing,
});
