/** Passes over a backend where the model just failed, as long as somebody else can have the request. */
import { defineFilter } from '../../policy.ts';

export const trusted = defineFilter({
  name: 'trusted',
  looksAt: 'request',
  summary:
    'Requests of the model did not fail there within `probes.modelFailureWindow`, and it tells what it has loaded; or no other live backend that could take the request is better.',
  accepts: ({ view, model }, { hasTrusted }) =>
    !hasTrusted || model === undefined || view.distrusted?.has(model) !== true,
  concerns: ({ hasTrusted }) => hasTrusted,
});
