/** Routes that only some engines have. */
import { defineFilter } from '../../policy.ts';

export const only = defineFilter({
  name: 'only',
  looksAt: 'request',
  summary: 'The backend is one of those that have the requested route.',
  accepts: ({ view }, { request }) => request.only === undefined || request.only.has(view.id),
  concerns: ({ request }) => request.only !== undefined,
});
