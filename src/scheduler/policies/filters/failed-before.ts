/** A second attempt goes elsewhere. */
import { defineFilter } from '../../policy.ts';

export const failedBefore = defineFilter({
  name: 'failed-before',
  looksAt: 'request',
  summary: 'The request has not failed on this backend before.',
  accepts: ({ view }, { failedOn }) => failedOn.size === 0 || !failedOn.has(view.id),
  concerns: ({ failedOn }) => failedOn.size > 0,
});
