/** Lets a request wait a moment for the one backend that has its prompt cached. */
import { defineFilter } from '../../policy.ts';

export const awaited = defineFilter({
  name: 'awaited',
  looksAt: 'request',
  summary:
    'The request does not wait for a slot of another backend, which has more of its prompt cached, for up to `affinity.prefix.patience`.',
  accepts: ({ view }, { awaited: backend }) => backend === undefined || view.id === backend,
  concerns: ({ awaited: backend }) => backend !== undefined,
});
